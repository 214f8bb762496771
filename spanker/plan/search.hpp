#pragma once

#include <optional>
#include <span>

#include "spanker/plan/problem.hpp"

namespace spanker {

/// Which strategies a search may answer with.
struct StrategySet {
  bool single_card = true;
  bool tensor_parallel = true;
  bool pipeline_parallel = true;
  bool hybrid = true;

  static StrategySet only(PlanStrategy strategy);
  bool contains(PlanStrategy strategy) const;
};

/// The plan of the allowed strategies that is best by the workload's objective and fits every card's memory;
/// nothing where none fits. Equals go to one stage on fewer cards; among several stages, to those whose
/// slowest is quickest.
///
/// Exact over: groups of cards as stages (CardGroups), in the order of the cards' numbers; every cut of the
/// layers; shares of heads, columns and rows (shares.hpp), dealt to make each stage quickest in the passes of
/// the objective; the algorithm of every collective; and for throughput the micro-batches (aims_of).
std::optional<Plan> search(const Problem& problem, StrategySet allowed = {});

/// The same over one stage on exactly these cards.
std::optional<Plan> search_one_stage(const Problem& problem, std::span<const CardId> cards);

}  // namespace spanker
