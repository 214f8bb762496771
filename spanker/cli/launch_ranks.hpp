#pragma once

#include "spanker/cli/commands.hpp"
#include "spanker/cli/run_flags.hpp"

// Internal to this module.
namespace spanker {

/// `spanker run --ranks N`: plans, lets mpirun start the ranks of the plan, says what they say, and with
/// --restart goes on without those that are lost.
Outcome launch_ranks(const RunFlags& flags, const CommandContext& context);

}  // namespace spanker
