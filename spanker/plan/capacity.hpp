#pragma once

#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// Whether some plan of the allowed strategies fits every card's memory, without looking for a fast one.
/// Small clusters are searched, so the answer is exact there; on more than kMaxSubsetCards cards several
/// stages are tried with their fastest shares only, so that a cluster which would hold the model by uneven
/// shares may be told not to.
bool can_hold(const Problem& problem, StrategySet allowed);

}  // namespace spanker
