#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "spanker/cost/collective_cost.hpp"
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

/// The same with a pricer that remembers: of the problem's cluster, or of one with the same links.
std::optional<Plan> search(const Problem& problem, StrategySet allowed, CollectivePricer& links);

/// Searches of one problem, each of which starts with what the others learned of stages' shares and prices.
/// Not thread-safe.
class Searches {
 public:
  /// `links` is of the problem's cluster, or of one with the same links. Both must outlive the object.
  Searches(const Problem& problem, CollectivePricer& links);
  ~Searches();

  /// As search.
  std::optional<Plan> best(StrategySet allowed);
  /// The same, but several stages on more than kMaxThoroughCards cards only as single cards or at the few
  /// widths whose layers are quickest: for a second opinion, not for the answer.
  std::optional<Plan> roughly_best(StrategySet allowed);
  /// The best plan of one stage on exactly these cards.
  std::optional<Plan> best_of_one_stage(std::span<const CardId> cards);

 private:
  class State;
  std::unique_ptr<State> state_;
};

inline constexpr std::size_t kMaxThoroughCards = 12;

/// No plan's objective_seconds are less, unless the objective is throughput. Quick: from the cards' speeds.
double least_objective_seconds(const Problem& problem);

/// Units of heads, columns and rows that a stage deals.
std::vector<std::uint64_t> share_units(const Problem& problem);

}  // namespace spanker
