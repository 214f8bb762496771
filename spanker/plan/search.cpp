#include "spanker/plan/search.hpp"

#include <algorithm>

#include "spanker/cluster/network.hpp"
#include "spanker/plan/stage_search.hpp"

namespace spanker {
namespace {

bool all_cards_together_hold_the_model(const Problem& problem) {
  const ModelShape& shape = problem.model.shape;
  const auto layers = problem.layers.count(0, shape.num_hidden_layers - 1);
  const std::uint64_t empty = stage_card_memory(problem, layers, {}, {}, false).total().value;
  std::uint64_t room = 0;
  for (const CardId card : Network(problem.cluster).connected_cards()) {
    const std::uint64_t capacity = problem.cluster.card_at(card).memory_capacity.value.value;
    room += capacity - std::min(capacity, empty);
  }
  constexpr StageEnds kBoth{true, true};
  const CardMemory all = stage_card_memory(problem, layers, kBoth, whole_share(shape, kBoth), true);
  return all.total().value - empty <= room;
}

Plan as_plan(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
             const std::vector<FoundStage>& stages) {
  Plan plan;
  for (const FoundStage& found : stages) {
    plan.stages.push_back({found.layers.first, found.layers.end - 1, found.cards, found.shares, {}, {}});
  }
  choose_collectives(plan, PassPricer(problem, rates, links, problem.decode()),
                     PassPricer(problem, rates, links, problem.prefill()));
  return plan;
}

CardGroups groups_of(const Problem& problem) { return CardGroups(problem.cluster, share_units(problem)); }

}  // namespace

StrategySet StrategySet::only(PlanStrategy strategy) {
  return {strategy == PlanStrategy::kSingleCard, strategy == PlanStrategy::kTensorParallel,
          strategy == PlanStrategy::kPipelineParallel, strategy == PlanStrategy::kHybrid};
}

bool StrategySet::contains(PlanStrategy strategy) const {
  switch (strategy) {
    case PlanStrategy::kSingleCard:
      return single_card;
    case PlanStrategy::kTensorParallel:
      return tensor_parallel;
    case PlanStrategy::kPipelineParallel:
      return pipeline_parallel;
    case PlanStrategy::kHybrid:
      return hybrid;
  }
  return false;
}

class Searches::State {
 public:
  State(const Problem& problem, CollectivePricer& links)
      : problem_(problem),
        links_(links),
        rates_(problem.cluster, Bound::kValue),
        groups_(groups_of(problem)),
        aims_(aims_of(problem)),
        first_aim_(problem, rates_, links, groups_, aims_.front()) {}

  std::optional<Plan> search(StrategySet allowed, bool rough) {
    BestStages best;
    first_aim_.try_one_stage(allowed, best);
    if (allowed.pipeline_parallel || allowed.hybrid) {
      const bool few_widths = rough && groups_.cards().size() > kMaxThoroughCards;
      first_aim_.try_stages(allowed, best, few_widths);
      // There may be many: what they learn is not kept.
      for (const Aim& aim : std::span(aims_).subspan(1)) {
        StageSearch(problem_, rates_, links_, groups_, aim).try_stages(allowed, best, few_widths);
      }
    }
    return plan_of(best);
  }

  std::optional<Plan> search_one_stage(std::span<const CardId> cards) {
    BestStages best;
    first_aim_.try_one_stage_on({cards.begin(), cards.end()}, best);
    return plan_of(best);
  }

 private:
  std::optional<Plan> plan_of(const BestStages& best) {
    if (best.stages.empty()) return std::nullopt;
    return as_plan(problem_, rates_, links_, best.stages);
  }

  const Problem& problem_;
  CollectivePricer& links_;
  ClusterRates rates_;
  CardGroups groups_;
  std::vector<Aim> aims_;
  StageSearch first_aim_;
};

Searches::Searches(const Problem& problem, CollectivePricer& links)
    : state_(all_cards_together_hold_the_model(problem) ? std::make_unique<State>(problem, links) : nullptr) {
}

Searches::~Searches() = default;

std::optional<Plan> Searches::best(StrategySet allowed) {
  return state_ ? state_->search(allowed, false) : std::nullopt;
}

std::optional<Plan> Searches::roughly_best(StrategySet allowed) {
  return state_ ? state_->search(allowed, true) : std::nullopt;
}

std::optional<Plan> Searches::best_of_one_stage(std::span<const CardId> cards) {
  return state_ ? state_->search_one_stage(cards) : std::nullopt;
}

std::vector<std::uint64_t> share_units(const Problem& problem) {
  const ModelShape& shape = problem.model.shape;
  return {shape.num_attention_heads / problem.head_unit, shape.intermediate_size / problem.column_unit,
          (shape.vocab_size + problem.row_unit - 1) / problem.row_unit};
}

double least_objective_seconds(const Problem& problem) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const CardGroups groups = groups_of(problem);
  const std::vector<Aim> aims = aims_of(problem);
  return StageSearch(problem, rates, links, groups, aims.front()).least_value();
}

std::optional<Plan> search(const Problem& problem, StrategySet allowed) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  return search(problem, allowed, links);
}

std::optional<Plan> search(const Problem& problem, StrategySet allowed, CollectivePricer& links) {
  return Searches(problem, links).best(allowed);
}

}  // namespace spanker
