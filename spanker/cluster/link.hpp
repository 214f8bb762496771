#pragma once

#include <cstdint>
#include <string_view>

#include "spanker/base/quantity.hpp"

namespace spanker {

/// A link carries traffic only while it is up.
enum class LinkState : std::uint8_t { kDown, kTraining, kUp, kError };

/// "down", "training", "up", "error".
std::string_view to_string(LinkState state);

/// The data path of one inter-card link: `lanes` words of `bits_per_lane` bits, moved side by side.
struct LinkShape {
  std::uint32_t lanes;
  std::uint32_t bits_per_lane;

  constexpr std::uint32_t bus_bits() const { return lanes * bits_per_lane; }
};

/// The inter-card link of a sail.
inline constexpr LinkShape kIntercardLinkShape{4, 32};
static_assert(kIntercardLinkShape.bus_bits() == 128);

/// How payload bits are coded on a lane.
enum class LineCoding : std::uint8_t { k8b10b, k64b66b };

/// "8b/10b", "64b/66b".
std::string_view to_string(LineCoding coding);

/// Payload bytes per second of one direction: lanes * lane_bits_per_second * (8/10 or 64/66) / 8.
constexpr BytesPerSecond coded_bandwidth(std::uint32_t lanes, double lane_bits_per_second,
                                         LineCoding coding) {
  const double efficiency = coding == LineCoding::k8b10b ? 8.0 / 10.0 : 64.0 / 66.0;
  return BytesPerSecond(lanes * lane_bits_per_second * efficiency / 8.0);
}

}  // namespace spanker
