#include "spanker/plan/prefill_choice.hpp"

#include <algorithm>

#include "spanker/plan/card_groups.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

/// Plans read prompts of other lengths as well, whether or not memory has room for them.
class PromptPricer {
 public:
  PromptPricer(const Problem& problem, const ClusterRates& rates, CollectivePricer& links)
      : problem_(problem), rates_(rates), links_(links) {}

  Seconds seconds(const Plan& plan, std::uint64_t prompt) {
    const PassPricer pricer(problem_, rates_, links_, prefill_pass(prompt, problem_.workload.kv_type));
    return price_pass(problem_, pricer, plan, nullptr).total().total();
  }

  /// The shortest prompt up to `longest` that `other` reads faster: both prices grow with the prompt, the
  /// other's more slowly.
  std::optional<std::uint64_t> first_faster(const Plan& plan, const Plan& other, std::uint64_t longest) {
    const auto faster = [&](std::uint64_t prompt) { return seconds(other, prompt) < seconds(plan, prompt); };
    if (!faster(longest)) return std::nullopt;
    std::uint64_t low = 0;
    std::uint64_t high = longest;
    while (high - low > 1) {
      const std::uint64_t middle = low + (high - low) / 2;
      (faster(middle) ? high : low) = middle;
    }
    return high;
  }

 private:
  const Problem& problem_;
  const ClusterRates& rates_;
  CollectivePricer& links_;
};

}  // namespace

std::optional<PrefillChoice> prefill_choice_of(const Problem& problem, const Plan& plan) {
  if (problem.workload.objective == Objective::kFirstToken || problem.cluster.card_count > kMaxEveryWidth) {
    return std::nullopt;
  }
  Problem prefill = problem;
  prefill.workload.objective = Objective::kFirstToken;
  const std::uint64_t prompt = problem.workload.prompt;
  const std::uint64_t longest = std::max<std::uint64_t>(problem.model.shape.max_position_embeddings, prompt);
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  Searches searches(prefill, links);
  PromptPricer pricer(problem, rates, links);
  PrefillChoice choice{plan.strategy(), plan.cards_used(), pricer.seconds(plan, prompt), {}, {}};
  choice.here = choice.seconds;
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    if (strategy == plan.strategy()) continue;
    const auto other = searches.roughly_best(StrategySet::only(strategy));
    if (!other) continue;
    const Seconds seconds = pricer.seconds(*other, prompt);
    if (seconds < choice.seconds) {
      choice.strategy = strategy;
      choice.cards_used = other->cards_used();
      choice.seconds = seconds;
    }
    if (const auto prompt_length = pricer.first_faster(plan, *other, longest)) {
      choice.crossings.push_back({*prompt_length, strategy, other->cards_used()});
    }
  }
  return choice;
}

}  // namespace spanker
