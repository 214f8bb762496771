#pragma once

#include <string>

#include "spanker/plan/explain.hpp"
#include "spanker/plan/target.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// The planner's answer as one JSON object, schema "spanker.plan/1" (docs/commands.md), ended by a newline.
std::string to_json(const Problem& problem, const Answer& answer);
/// The same schema with `feasible` false.
std::string to_json(const Problem& problem, const NoPlan& answer);
/// Where a --target is out of reach; `reason` for people.
std::string to_json(const Problem& problem, const OutOfReach& answer, const std::string& reason);

/// The planner's answer as tables for people.
std::string to_text(const Problem& problem, const Answer& answer, const Style& style);

}  // namespace spanker
