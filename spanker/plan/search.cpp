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

namespace {

std::optional<Plan> search_with(const Problem& problem, StrategySet allowed, CollectivePricer& links,
                                bool rough) {
  if (!all_cards_together_hold_the_model(problem)) return std::nullopt;
  const ClusterRates rates(problem.cluster, Bound::kValue);
  const CardGroups groups = groups_of(problem);
  const std::vector<Aim> aims = aims_of(problem);
  BestStages best;
  StageSearch(problem, rates, links, groups, aims.front(), allowed).try_one_stage(best);
  if (allowed.pipeline_parallel || allowed.hybrid) {
    const bool few_widths = rough && groups.cards().size() > kMaxThoroughCards;
    for (const Aim& aim : aims) {
      StageSearch(problem, rates, links, groups, aim, allowed).try_stages(best, few_widths);
    }
  }
  if (best.stages.empty()) return std::nullopt;
  return as_plan(problem, rates, links, best.stages);
}

}  // namespace

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
  return StageSearch(problem, rates, links, groups, aims.front(), {}).least_value();
}

std::optional<Plan> search(const Problem& problem, StrategySet allowed) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  return search(problem, allowed, links);
}

std::optional<Plan> search(const Problem& problem, StrategySet allowed, CollectivePricer& links) {
  return search_with(problem, allowed, links, false);
}

std::optional<Plan> search_roughly(const Problem& problem, StrategySet allowed, CollectivePricer& links) {
  return search_with(problem, allowed, links, true);
}

std::optional<Plan> search_one_stage(const Problem& problem, std::span<const CardId> cards,
                                     CollectivePricer& links) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  const CardGroups groups = groups_of(problem);
  const std::vector<Aim> aims = aims_of(problem);
  BestStages best;
  StageSearch(problem, rates, links, groups, aims.front(), {})
      .try_one_stage_on({cards.begin(), cards.end()}, best);
  if (best.stages.empty()) return std::nullopt;
  return as_plan(problem, rates, links, best.stages);
}

}  // namespace spanker
