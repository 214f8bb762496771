#pragma once

#include "spanker/base/result.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// Whether a plan can be carried out: stages cover every layer once and in order; every card exists, is
/// reachable and is used once; shares sum to the model and respect its units; rows lie in the first and last
/// stages; every algorithm exists for its collective; every card holds its part. Independent of the search:
/// it recomputes what it checks. Fails with kBadInput naming the place ("plan.stages[1].query_heads") or the
/// card, or kInfeasible where only memory is missing.
Result<void> validate(const Problem& problem, const Plan& plan);

}  // namespace spanker
