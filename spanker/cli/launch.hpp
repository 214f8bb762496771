#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/mpirun.hpp"

// Internal to this module.
namespace spanker {

struct LaunchRequest {
  MpirunRequest mpirun;
  std::vector<std::string> words;  ///< of the program that each rank is
  std::string input;               ///< of the first rank
  Seconds timeout{10};             ///< of the ranks' waits
};

/// How one launch of mpirun ended.
struct Launch {
  std::optional<Outcome> outcome;     ///< there always is one in the end
  std::optional<std::uint32_t> lost;  ///< the rank that is why
  std::vector<std::string> hosts;     ///< of each rank, once all had started
  std::vector<std::uint32_t> tokens;
  std::uint64_t seed = 0;  ///< after the last of the tokens
};

/// Lets mpirun start ranks that speak in events, passes on their text and, once, an interrupt, and waits for
/// their end. Fails with kIo where mpirun cannot be started.
Result<Launch> launch(const LaunchRequest& request, const CommandContext& context,
                      const InterruptWatch& watch);

/// The path of the program that runs.
std::string this_program();

}  // namespace spanker
