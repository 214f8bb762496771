#include "spanker/run/generate.hpp"

#include <fmt/format.h>

#include <string>

namespace spanker {

Result<void> check_prompt(const ModelShape& shape, std::span<const std::uint32_t> prompt,
                          std::string_view where) {
  if (prompt.empty()) return bad_input(std::string(where), "no tokens", "one or more", "none");
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i] < shape.vocab_size) continue;
    return bad_input(fmt::format("{}: token {}", where, i), "no such token",
                     fmt::format("0 to {}", shape.vocab_size - 1), std::to_string(prompt[i]));
  }
  return {};
}

Result<Generation> generate(const ModelFile& file, const Problem& problem, const Plan& plan,
                            std::span<const std::unique_ptr<Card>> cards,
                            std::span<const std::uint32_t> prompt, const GenerateOptions& options,
                            const Tokenizer* tokenizer, const TokenCallback& on_token) {
  if (auto sound = check_prompt(problem.model.shape, prompt, "prompt"); !sound) {
    return tl::unexpected(sound.error());
  }
  if (prompt.size() != problem.workload.prompt) {
    return bad_input("prompt", "another length than was planned for",
                     fmt::format("{} tokens", problem.workload.prompt), std::to_string(prompt.size()));
  }
  auto chooser = TokenChooser::make(options, problem.workload.generate, tokenizer, on_token);
  if (!chooser) return tl::unexpected(chooser.error());
  const auto next = [&](std::span<const float> logits) { return chooser->next(logits); };
  auto times = run_cards(file, problem, plan, cards, prompt, next, options.is_paced);
  if (!times) return tl::unexpected(times.error());
  if (chooser->error()) return tl::unexpected(*chooser->error());
  return Generation{chooser->tokens(), chooser->ending(), std::move(*times)};
}

}  // namespace spanker
