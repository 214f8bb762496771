#include "spanker/run/generate.hpp"

#include <fmt/format.h>

#include <optional>
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

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::kLength:
      return "length";
    case Ending::kEndToken:
      return "end_token";
    case Ending::kInterrupted:
      return "interrupted";
  }
  return "unknown";
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
  auto sampler = Sampler::make(options.sampling);
  if (!sampler) return tl::unexpected(sampler.error());

  Generation generation;
  std::optional<Error> failure;
  const auto next = [&](std::span<const float> logits) -> std::optional<std::uint32_t> {
    const auto token = sampler->sample(logits);
    if (!token) {
      failure = token.error();
      return std::nullopt;
    }
    const bool ends = tokenizer != nullptr && !options.ignores_end && tokenizer->is_end_of_generation(*token);
    if (ends) {
      generation.ending = Ending::kEndToken;
      return std::nullopt;
    }
    generation.tokens.push_back(*token);
    if (!on_token(*token)) {
      generation.ending = Ending::kInterrupted;
      return std::nullopt;
    }
    if (generation.tokens.size() == problem.workload.generate) return std::nullopt;
    return *token;
  };
  auto times = run_cards(file, problem, plan, cards, prompt, next);
  if (!times) return tl::unexpected(times.error());
  if (failure) return tl::unexpected(*failure);
  generation.times = std::move(*times);
  return generation;
}

}  // namespace spanker
