#pragma once

#include "spanker/cli/commands.hpp"
#include "spanker/cli/run_flags.hpp"
#include "spanker/comm/rank_process.hpp"

// Internal to this module.
namespace spanker {

/// `spanker run` in a process that mpirun started: one card. The first rank speaks for all; where it is lost,
/// the next.
Outcome run_as_rank(const RunFlags& flags, const RankPlace& place, const CommandContext& context);

}  // namespace spanker
