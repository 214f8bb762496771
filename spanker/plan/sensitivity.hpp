#pragma once

#include <string>
#include <vector>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// What the best plan becomes when one thing changes, searched anew.
struct Sensitivity {
  std::string change;
  double tokens_per_second = 0;  ///< objective_rate
  double gain = 0;               ///< of the objective over today's best plan: 0.5 is half as fast again
  std::string note = {};         ///< what else it changes; may be empty
};

/// Every resource of the cluster doubled (latencies halved), a card more and a card fewer (in a torus a row);
/// changes under which nothing fits are left out. `plan` is today's, `links` are the problem's cluster's.
std::vector<Sensitivity> sensitivity_of(const Problem& problem, StrategySet allowed, const Plan& plan,
                                        CollectivePricer& links);

}  // namespace spanker
