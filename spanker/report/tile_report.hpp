#pragma once

#include <cstdint>
#include <string>

#include "spanker/cost/tile_rule.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// A question to the tile rule; bandwidths in bytes per second.
struct TileQuestion {
  TileShape tile;
  std::uint64_t sails = 1;
  std::uint64_t local_bandwidth = 0;
  std::uint64_t intercard_bandwidth = 0;
};

/// Both answers, the tile rule's and the planner's, as one JSON object; a time that is not finite is null.
std::string to_json(const TileQuestion& question);
/// The same as a table, with the reason where they differ.
std::string to_text(const TileQuestion& question, const Style& style);

}  // namespace spanker
