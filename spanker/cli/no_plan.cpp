#include "spanker/cli/no_plan.hpp"

#include <string>

#include "spanker/report/plan_report.hpp"

namespace spanker {

Outcome no_plan(const Problem& problem, const NoPlan& none, bool json) {
  Error error{ErrorKind::kInfeasible, "plan", none.reason, "", ""};
  if (none.smallest_cards) error.wanted = std::to_string(*none.smallest_cards) + " cards or more";
  Outcome outcome = Outcome::failed(error);
  outcome.warnings = none.warnings;
  if (json) outcome.out = to_json(problem, none);
  return outcome;
}

}  // namespace spanker
