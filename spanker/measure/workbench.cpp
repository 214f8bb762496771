#include "spanker/measure/workbench.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "spanker/comm/local_cards.hpp"
#include "spanker/run/rank_cards.hpp"

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

/// Numbers that look random, all below the vocabulary's size.
std::uint32_t some_token(const Problem& problem, std::uint64_t position) {
  return static_cast<std::uint32_t>((position * 7919 + 1) % problem.model.shape.vocab_size);
}

std::vector<std::uint32_t> some_prompt(const Problem& problem) {
  std::vector<std::uint32_t> prompt;
  for (std::uint64_t i = 0; i < problem.workload.prompt; ++i) prompt.push_back(some_token(problem, i));
  return prompt;
}

NextToken some_tokens(const Problem& problem) {
  return [&problem, made = std::uint64_t{0}](std::span<const float>) mutable -> std::optional<std::uint32_t> {
    if (++made == problem.workload.generate) return std::nullopt;
    return some_token(problem, problem.workload.prompt + made);
  };
}

}  // namespace

Result<std::optional<Workbench::Timed>> LocalWorkbench::run(const ModelFile& file, const Problem& problem,
                                                            const Plan& plan) {
  const auto start = Clock::now();
  const auto cards = load_cards(file, problem, plan, threads_, available_memory());
  if (!cards) return Failure(cards.error());
  const Seconds load = Clock::now() - start;
  auto times = run_cards(file, problem, plan, *cards, some_prompt(problem), some_tokens(problem));
  if (!times) return Failure(times.error());
  return Timed{load, std::move(*times)};
}

Result<void> LocalWorkbench::together(const std::function<Result<void>(Communicator&)>& work) {
  LocalCardsOptions options;
  options.spin = may_spin(cards_) ? kExchangeSpin : Seconds(0);
  return run_in_process(cards_, work, options);
}

Result<std::optional<Workbench::Timed>> RankWorkbench::run(const ModelFile& file, const Problem& problem,
                                                           const Plan& plan) {
  const auto start = Clock::now();
  auto card = load_rank_card(file, problem, plan, endpoint_, threads_, kernel_spins(threads_ * on_host_));
  if (!card) return Failure(card.error());
  const Seconds load = Clock::now() - start;
  auto times = run_rank_card(file, problem, plan, card->get(), endpoint_, some_prompt(problem),
                             some_tokens(problem), {});
  if (!times) return Failure(times.error());
  if (!*times) return std::nullopt;
  return Timed{load, std::move(**times)};
}

Result<void> RankWorkbench::together(const std::function<Result<void>(Communicator&)>& work) {
  Communicator cards(endpoint_);
  return work(cards);
}

}  // namespace spanker
