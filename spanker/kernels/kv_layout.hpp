#pragma once

#include <cstddef>
#include <cstdint>

#include "spanker/kernels/gguf_blocks.hpp"
#include "spanker/kernels/kv_cache.hpp"

namespace spanker {

/// Positions in a tile of keys, and elements in a strip of values.
inline constexpr std::size_t kKvTile = 16;

/// 32 elements of the keys of a tile: element d of position p is scales[p] * values[d][p].
struct Q8_0Keys {
  HalfBytes scales[kKvTile];
  std::int8_t values[32][kKvTile];
};
static_assert(sizeof(Q8_0Keys) == kKvTile * sizeof(GgufQ8_0));

/// Bytes of 16 elements: element d of a tile of keys, or a strip of values at one position. With q8_0 that is
/// half of what lies together: 32 elements with their scales.
constexpr std::size_t bytes_of_16(KvType type) {
  switch (type) {
    case KvType::kF32:
      return 64;
    case KvType::kF16:
      return 32;
    case KvType::kQ8_0:
      return 17;
  }
  return 0;
}

constexpr std::size_t rounded_to_tiles(std::size_t n) { return (n + kKvTile - 1) / kKvTile * kKvTile; }

}  // namespace spanker
