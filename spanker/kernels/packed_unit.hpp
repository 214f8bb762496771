#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spanker/kernels/packed_blocks.hpp"

namespace spanker {

/// 32 columns of one row, whatever their quantised type: column i weighs
/// scale * group_scales[i / 16] * values[i] - minimum_scale * minimum.
struct PackedUnit {
  std::int8_t values[kUnitColumns] = {};
  std::int32_t group_scales[2] = {1, 1};
  float scale = 0;
  std::int32_t minimum = 0;
  float minimum_scale = 0;
};

/// Columns 32 * unit to 32 * unit + 31 of row `row` of a group that starts at `blocks`.
inline PackedUnit unit_of(const PackedQ8_0* blocks, std::size_t unit, std::size_t row) {
  const PackedQ8_0& block = blocks[unit];
  PackedUnit result{.scale = float_from_half(block.scales[row])};
  for (std::size_t i = 0; i < 32; ++i) {
    result.values[i] = static_cast<std::int8_t>(block.values[i / 4][row][i % 4] - 128);
  }
  return result;
}

inline PackedUnit unit_of(const PackedQ4_0* blocks, std::size_t unit, std::size_t row) {
  const PackedQ4_0& block = blocks[unit];
  PackedUnit result{.scale = float_from_half(block.scales[row])};
  for (std::size_t i = 0; i < 16; ++i) {
    const int byte = block.nibbles[i / 4][row][i % 4];
    result.values[i] = static_cast<std::int8_t>(byte % 16 - 8);
    result.values[i + 16] = static_cast<std::int8_t>(byte / 16 - 8);
  }
  return result;
}

inline PackedUnit unit_of(const PackedQ4_K* blocks, std::size_t unit, std::size_t row) {
  const PackedQ4_K& block = blocks[unit / 8];
  const std::size_t u = unit % 8;
  std::uint32_t high;
  std::memcpy(&high, block.high_bits[row], sizeof high);
  const std::uint32_t low = block.units[u].scales[row];
  const auto group_scale = static_cast<std::int32_t>(low % 16 | (high >> 2 * u & 3) << 4);
  PackedUnit result{.group_scales = {group_scale, group_scale},
                    .scale = float_from_half(block.scales[row]),
                    .minimum = static_cast<std::int32_t>(low / 16 | (high >> (16 + 2 * u) & 3) << 4),
                    .minimum_scale = float_from_half(block.minima[row])};
  for (std::size_t i = 0; i < 16; ++i) {
    const int byte = block.units[u].nibbles[i / 4][row][i % 4];
    result.values[i] = static_cast<std::int8_t>(byte % 16);
    result.values[i + 16] = static_cast<std::int8_t>(byte / 16);
  }
  return result;
}

inline PackedUnit unit_of(const PackedQ6_K* blocks, std::size_t unit, std::size_t row) {
  const PackedQ6_K& block = blocks[unit / 8];
  const PackedQ6_K::Unit& from = block.units[unit % 8];
  const auto& scales = from.scales;
  PackedUnit result{.group_scales = {scales[0][row], scales[1][row]},
                    .scale = float_from_half(block.scales[row])};
  for (std::size_t i = 0; i < 32; ++i) {
    const std::size_t quad = i / 4;
    const int low = from.low[quad % 4][row][i % 4] >> (i < 16 ? 0 : 4) & 15;
    const int high = from.high[quad / 4][row][i % 4] >> 2 * (quad % 4) & 3;
    result.values[i] = static_cast<std::int8_t>((low | high << 4) - 32);
  }
  return result;
}

}  // namespace spanker
