#pragma once

#include <string>
#include <vector>

#include "spanker/comm/rank_process.hpp"

// Internal to the loaded library.
namespace spanker {

/// Says that this process is there, and waits until all others have said so: through mpirun's own channel,
/// since MPI_Init waits for all of them without an end and without a word. Returns the host of each rank.
/// Calls options.give_up where one does not come in time.
Result<std::vector<std::string>> roll_call(const JoinOptions& options);

}  // namespace spanker
