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

class LocalPlan final : public LoadedPlan {
 public:
  LocalPlan(Seconds load, const ModelFile& file, const Problem& problem, const Plan& plan,
            std::vector<std::unique_ptr<Card>> cards)
      : LoadedPlan(load), file_(file), problem_(problem), plan_(plan), cards_(std::move(cards)) {}

  Result<std::optional<RunTimes>> run() override {
    return run_cards(file_, problem_, plan_, cards_, some_prompt(problem_), some_tokens(problem_));
  }

 private:
  const ModelFile& file_;
  const Problem& problem_;
  const Plan& plan_;
  std::vector<std::unique_ptr<Card>> cards_;
};

class RankPlan final : public LoadedPlan {
 public:
  RankPlan(Seconds load, const ModelFile& file, const Problem& problem, const Plan& plan,
           std::unique_ptr<Card> card, Endpoint& endpoint)
      : LoadedPlan(load),
        file_(file),
        problem_(problem),
        plan_(plan),
        card_(std::move(card)),
        endpoint_(endpoint) {}

  Result<std::optional<RunTimes>> run() override {
    return run_rank_card(file_, problem_, plan_, card_.get(), endpoint_, some_prompt(problem_),
                         some_tokens(problem_), {});
  }

 private:
  const ModelFile& file_;
  const Problem& problem_;
  const Plan& plan_;
  std::unique_ptr<Card> card_;
  Endpoint& endpoint_;
};

}  // namespace

Result<std::unique_ptr<LoadedPlan>> LocalWorkbench::load(const ModelFile& file, const Problem& problem,
                                                         const Plan& plan) {
  const auto start = Clock::now();
  auto cards = load_cards(file, problem, plan, threads_, available_memory());
  if (!cards) return Failure(cards.error());
  return std::make_unique<LocalPlan>(Clock::now() - start, file, problem, plan, std::move(*cards));
}

Result<void> LocalWorkbench::together(const std::function<Result<void>(Communicator&)>& work) {
  LocalCardsOptions options;
  options.spin = may_spin(cards_) ? kExchangeSpin : Seconds(0);
  return run_in_process(cards_, work, options);
}

Result<std::unique_ptr<LoadedPlan>> RankWorkbench::load(const ModelFile& file, const Problem& problem,
                                                        const Plan& plan) {
  const auto start = Clock::now();
  auto card = load_rank_card(file, problem, plan, endpoint_, threads_, kernel_spins(threads_ * on_host_));
  if (!card) return Failure(card.error());
  return std::make_unique<RankPlan>(Clock::now() - start, file, problem, plan, std::move(*card), endpoint_);
}

Result<void> RankWorkbench::together(const std::function<Result<void>(Communicator&)>& work) {
  Communicator cards(endpoint_);
  return work(cards);
}

}  // namespace spanker
