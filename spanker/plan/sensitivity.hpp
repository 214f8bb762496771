#pragma once

#include <string>
#include <vector>

#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// What the best plan becomes when one thing changes, searched anew.
struct Sensitivity {
  std::string change;
  double tokens_per_second = 0;
  double gain = 0;  ///< over today's best plan: 0.5 is half as fast again
};

/// Every resource of the cluster doubled (latencies halved), a card more and a card fewer (in a torus a row);
/// changes under which nothing fits are left out. `tokens_per_second` is today's.
std::vector<Sensitivity> sensitivity_of(const Problem& problem, StrategySet allowed,
                                        double tokens_per_second);

}  // namespace spanker
