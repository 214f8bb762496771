#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/simulate/simulate.hpp"

namespace spanker {

/// The cluster once all faults have struck: links in their last state and at their last rate, slower cards, a
/// slower host link; the cables of lost cards are down. Where no two of the cards that are left reach each
/// other, one of them alone, as card 0; nothing where none is left.
std::optional<Cluster> cluster_after(const Cluster& cluster, const std::vector<Fault>& faults);

/// A plan for what faults left.
struct Replan {
  std::optional<Plan> plan;             ///< none where no card is left or nothing fits
  double tokens_per_second_before = 0;  ///< of the old plan, had nothing happened; simulated
  double tokens_per_second_after = 0;   ///< of the new plan on what is left; simulated
  std::uint64_t tokens_affected = 0;    ///< that the faults kept from being decoded
  Seconds load{0};                      ///< of the new plan's weights
};

/// Plans for the cluster after the scenario's faults, and simulates the old plan and the new one undisturbed.
/// `disturbed` is what the scenario made of the old one.
Result<Replan> replan(const Problem& problem, const Plan& plan, StrategySet strategies,
                      const Scenario& scenario, const Simulation& disturbed,
                      const EngineProgressCallback& progress = {});

}  // namespace spanker
