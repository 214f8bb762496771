#pragma once

#include <cstddef>
#include <cstdint>

#include "spanker/kernels/gguf_blocks.hpp"

// The packed form of weights: blocks of kGroupRows rows at once, in which one vector register is filled by
// one load. In a block what is needed first stands first. With the scales at the end of its 3 KB instead,
// Q6_K ran at half of the memory's bandwidth. How the blocks of a matrix follow each other:
// packed_matrix.hpp.
//
// Products take 4 columns of 16 rows at a time: `Quads` of 8-bit operands, row-major, which VPDPBUSD
// multiplies with 4 activations that are the same for all rows. The same bytes, 8 rows at a time, suit AVX2.
// Each block holds as many bytes as the 16 GGUF blocks that it is made of. F32, F16 and BF16 lie column after
// column, 16 rows each.

namespace spanker {

inline constexpr std::size_t kGroupRows = 16;

/// Columns that share a scale of the activations.
inline constexpr std::size_t kUnitColumns = 32;

/// One byte for each of 4 columns of each row.
using Quads = std::uint8_t[kGroupRows][4];
using HalfOfRows = HalfBytes[kGroupRows];

struct PackedQ8_0 {
  Quads values[8];  ///< weight + 128: VPDPBUSD wants weights without sign
  HalfOfRows scales;
};
static_assert(sizeof(PackedQ8_0) == kGroupRows * sizeof(GgufQ8_0));

/// Quad j of nibbles holds columns 4j to 4j + 3 in the low nibbles and those 16 further on in the high ones.
struct PackedQ4_0 {
  Quads nibbles[4];
  HalfOfRows scales;
};
static_assert(sizeof(PackedQ4_0) == kGroupRows * sizeof(GgufQ4_0));

struct PackedQ4_K {
  struct Unit {
    Quads nibbles[4];                 ///< as in PackedQ4_0
    std::uint8_t scales[kGroupRows];  ///< low 4 bits of the unit's scale, and above them of its minimum
  };
  HalfOfRows scales;
  HalfOfRows minima;
  std::uint8_t high_bits[kGroupRows]
                        [4];  ///< 32 bits: high 2 of unit u's scale at 2u, of its minimum at 16 + 2u
  Unit units[8];
};
static_assert(sizeof(PackedQ4_K) == kGroupRows * sizeof(GgufQ4_K));

struct PackedQ6_K {
  struct Unit {
    Quads low[4];   ///< low 4 bits, as the nibbles of PackedQ4_0
    Quads high[2];  ///< quad j / 4, from bit 2 * (j % 4) on: high 2 bits of columns 4j to 4j + 3
    std::int8_t scales[2][kGroupRows];  ///< of the unit's two halves of 16 columns
  };
  HalfOfRows scales;
  Unit units[8];
};
static_assert(sizeof(PackedQ6_K) == kGroupRows * sizeof(GgufQ6_K));

}  // namespace spanker
