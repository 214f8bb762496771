#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/collective/schedule.hpp"

namespace spanker {

/// What one rank has to do for a schedule: in each round first all that it sends, then all that it receives.
/// The transfers of a round between two ranks travel as one message. Internal to this module.
struct RankSchedule {
  struct Part {
    Chunk units;
    bool reduce;
  };
  struct Exchange {
    std::uint32_t peer;
    std::vector<Part> parts;
    /// Whether the very units of the exchange before are sent again, to another rank.
    bool repeats = false;
  };
  struct Round {
    std::uint32_t index;  ///< in the schedule; rounds without this rank are left out
    std::vector<Exchange> sends;
    std::vector<Exchange> receives;
    /// Whether this rank receives into units that it sends, so that what it sends must be kept apart; where
    /// both are sums, both ranks add up the same two vectors.
    bool changes_what_it_sends = false;
  };

  std::vector<Round> rounds;
  /// The units that no copy came for, which it must round itself to hold what the others received.
  std::vector<Chunk> never_copied;
};

RankSchedule rank_schedule(const Schedule& schedule, std::uint32_t rank, std::uint64_t units);

}  // namespace spanker
