#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// The best plan of another strategy, and why it was not taken.
struct Alternative {
  PlanStrategy strategy = PlanStrategy::kSingleCard;
  std::uint32_t cards_used = 0;             ///< 0 where none fits
  std::optional<double> tokens_per_second;  ///< objective_rate; nothing where none fits
  std::string why_not;
};

/// Every other strategy that the cluster and the model allow. `cards`: the connected ones. `searches` and
/// `links`, here and below: of the problem, and of its cluster.
std::vector<Alternative> alternatives_of(const Problem& problem, const Plan& chosen, StrategySet allowed,
                                         std::span<const CardId> cards, Searches& searches,
                                         CollectivePricer& links);

/// Who is idle; which card more would make it slower, by how much and why; and the same for all cards at
/// once. Nothing where no card is idle.
std::optional<std::string> why_cards_are_idle(const Problem& problem, const Plan& plan, StrategySet allowed,
                                              std::span<const CardId> connected, Searches& searches,
                                              CollectivePricer& links);

}  // namespace spanker
