#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/cli/child_process.hpp"

// Internal to this module.
namespace spanker {

/// What mpirun is asked for.
struct MpirunRequest {
  std::uint32_t ranks = 1;
  std::optional<std::string> hostfile;
  std::vector<std::string> hosts;  ///< instead: the host of each rank
};

/// The words before those of the program.
std::vector<std::string> mpirun_words(const MpirunRequest& request);

/// As root, with more ranks than cores, and ranks that wait by letting others run. Ranks think that they
/// write to a terminal: `wants_colour` where this program does.
ChildProcess::Environment mpirun_environment(bool wants_colour);

/// What mpirun says on standard error of how its ranks ended.
class MpirunComplaint {
 public:
  void add(std::string_view line);

  /// A rank that a signal ended.
  struct Killed {
    std::uint32_t rank;
    std::string host;
    std::string signal;  ///< "signal 9 (Killed)"
  };
  const std::optional<Killed>& killed() const { return killed_; }
  /// Its first line that is no rule, or what another program said there; with the next one behind a colon.
  const std::string& first() const { return first_; }

 private:
  std::optional<Killed> killed_;
  std::string first_;
};

}  // namespace spanker
