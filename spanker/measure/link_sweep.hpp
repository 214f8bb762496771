#pragma once

#include <cstdint>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/comm/communicator.hpp"

namespace spanker {

/// How long one message took from one card to another, by its size.
struct LinkSweep {
  struct Point {
    Bytes bytes;
    std::vector<double> seconds;  ///< of one way, each the median of many
  };

  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::vector<Point> points;
};

/// Sends vectors of 64 bytes to 1 MiB to and fro between every two cards, one pair after another. All cards
/// call it. The sweeps on card 0, else nothing. Fails as collectives do.
Result<std::vector<LinkSweep>> sweep_links(Communicator& cards);

/// Seconds of an all_reduce of `bytes` by `algorithm`, the median of many; all cards call it.
Result<double> time_all_reduce(Communicator& cards, Bytes bytes, Algorithm algorithm);

/// latency + bytes / bandwidth that is nearest to the sweep, by squares of relative errors (sizes lie far
/// apart). Ranges: what the points leave open, each taken at its fastest and at its slowest.
LinkSpec fit_link(const LinkSweep& sweep, const std::string& source);

}  // namespace spanker
