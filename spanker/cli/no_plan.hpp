#pragma once

#include "spanker/cli/command.hpp"
#include "spanker/plan/explain.hpp"

// Internal to this module.
namespace spanker {

/// How a command ends that found no plan; with `json` an object on stdout too.
Outcome no_plan(const Problem& problem, const NoPlan& none, bool json);

}  // namespace spanker
