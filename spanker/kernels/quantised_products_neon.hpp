#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_ARM64

#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/lanes_neon.hpp"
#include "spanker/kernels/prefetch.hpp"

// Products of quantised weights. A group's rows are taken 4 at a time: one register has 4 columns of them,
// one the activations of those columns, four times over. How 4 products of bytes with sign are added to each
// row is the instruction set's: `Dot`.

namespace spanker::neon {

inline constexpr std::size_t kQuarterRows = kGroupRows / 4;

/// What every AArch64 processor has. Two products of bytes, the greatest of 128 * 127, fit in 16 bits.
struct WideningDot {
  SPANKER_INLINE static int32x4_t add(int32x4_t sums, int8x16_t a, int8x16_t b) {
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    return vpadalq_s16(sums, vpaddq_s16(low, vmull_high_s8(a, b)));
  }
};

/// With the extension `dotprod`. As an instruction, since GCC 12 and clang 14 do not agree on how a function
/// may use an intrinsic that the command line does not allow.
struct InstructionDot {
  SPANKER_INLINE static int32x4_t add(int32x4_t sums, int8x16_t a, int8x16_t b) {
    asm(".arch armv8.2-a+dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(a), "w"(b));
    return sums;
  }
};

SPANKER_INLINE int8x16_t load_quad(const Quads& quad, std::size_t row) {
  return vreinterpretq_s8_u8(vld1q_u8(quad[row]));
}

SPANKER_INLINE float32x4_t halves(const HalfOfRows& rows, std::size_t row) {
  return load_4_halves(rows[row]);
}

/// Four bytes as numbers without sign.
SPANKER_INLINE uint32x4_t load_4_bytes(const std::uint8_t* p) {
  std::uint32_t four;
  std::memcpy(&four, p, sizeof four);
  return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
}

/// sums + scale * x.scale * product.
SPANKER_INLINE float32x4_t accumulate(float32x4_t sums, float32x4_t scale, float x_scale, int32x4_t product) {
  return vfmaq_f32(sums, vmulq_n_f32(scale, x_scale), vcvtq_f32_s32(product));
}

/// One unit of 32 columns of 4 rows: quad j holds columns 4j to 4j + 3.
struct UnitQuads {
  int8x16_t v[8];
};

SPANKER_INLINE UnitQuads nibble_quads(const Quads (&nibbles)[4], std::size_t row) {
  UnitQuads quads;
  for (int j = 0; j < 4; ++j) {
    const uint8x16_t bytes = vld1q_u8(nibbles[j][row]);
    quads.v[j] = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15)));
    quads.v[j + 4] = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4));
  }
  return quads;
}

/// sums + quads [kBegin, kEnd) times the activations of those columns.
template <class Dot, int kBegin, int kEnd>
SPANKER_INLINE int32x4_t dot(int32x4_t sums, const UnitQuads& quads, const QuantisedBlock& x) {
  for (int j = kBegin; j < kEnd; ++j) {
    std::int32_t four;
    std::memcpy(&four, x.values + 4 * j, sizeof four);
    sums = Dot::add(sums, quads.v[j], vreinterpretq_s8_s32(vdupq_n_s32(four)));
  }
  return sums;
}

template <class Dot>
struct Q8_0By {
  static constexpr std::size_t kColumns = 32;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride,
                                   float32x4_t (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ8_0*>(group)[index];
    if (row == 0) prefetch_after<1>(block, 0);
    UnitQuads quads;
    for (int j = 0; j < 8; ++j) {
      quads.v[j] = veorq_s8(load_quad(block.values[j], row), vdupq_n_s8(INT8_MIN));
    }
    const float32x4_t scale = halves(block.scales, row);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride + index];
      sums[v] = accumulate(sums[v], scale, xv.scale, dot<Dot, 0, 8>(vdupq_n_s32(0), quads, xv));
    }
  }
};

template <class Dot>
struct Q4_0By {
  static constexpr std::size_t kColumns = 32;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride,
                                   float32x4_t (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_0*>(group)[index];
    if (row == 0) prefetch_after<1>(block, 0);
    const UnitQuads quads = nibble_quads(block.nibbles, row);
    const float32x4_t scale = halves(block.scales, row);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride + index];
      const int32x4_t start = vdupq_n_s32(xv.minus_sum * 8);
      sums[v] = accumulate(sums[v], scale, xv.scale, dot<Dot, 0, 8>(start, quads, xv));
    }
  }
};

template <class Dot>
struct Q4_KBy {
  static constexpr std::size_t kColumns = 256;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride,
                                   float32x4_t (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_K*>(group)[index];
    const float32x4_t scale = halves(block.scales, row);
    const float32x4_t minimum_scale = halves(block.minima, row);
    uint32x4_t high = vreinterpretq_u32_u8(vld1q_u8(block.high_bits[row]));
    for (std::size_t unit = 0; unit < 8; ++unit) {
      if (row == 0) prefetch_after<8>(block, unit);
      const UnitQuads quads = nibble_quads(block.units[unit].nibbles, row);
      const uint32x4_t low = load_4_bytes(block.units[unit].scales + row);
      const uint32x4_t two_bits = vdupq_n_u32(0x30);
      const int32x4_t unit_scale = vreinterpretq_s32_u32(
          vorrq_u32(vandq_u32(low, vdupq_n_u32(15)), vandq_u32(vshlq_n_u32(high, 4), two_bits)));
      const int32x4_t minimum =
          vreinterpretq_s32_u32(vorrq_u32(vshrq_n_u32(low, 4), vandq_u32(vshrq_n_u32(high, 12), two_bits)));
      high = vshrq_n_u32(high, 2);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const QuantisedBlock& xv = x[v * stride + index * 8 + unit];
        const int32x4_t product = dot<Dot, 0, 8>(vdupq_n_s32(0), quads, xv);
        sums[v] = accumulate(sums[v], scale, xv.scale, vmulq_s32(unit_scale, product));
        sums[v] = accumulate(sums[v], minimum_scale, xv.scale, vmulq_n_s32(minimum, xv.minus_sum));
      }
    }
  }
};

template <class Dot>
struct Q6_KBy {
  static constexpr std::size_t kColumns = 256;

  SPANKER_INLINE static UnitQuads quads_of(const PackedQ6_K::Unit& unit, std::size_t row) {
    UnitQuads quads = nibble_quads(unit.low, row);
    const uint8x16_t two_bits = vdupq_n_u8(0x30);
    for (int half = 0; half < 2; ++half) {
      const uint8x16_t high = vld1q_u8(unit.high[half][row]);
      const uint8x16_t bits[4] = {vshlq_n_u8(high, 4), vshlq_n_u8(high, 2), high, vshrq_n_u8(high, 2)};
      for (int j = 0; j < 4; ++j) {
        int8x16_t& quad = quads.v[4 * half + j];
        quad = vorrq_s8(quad, vreinterpretq_s8_u8(vandq_u8(bits[j], two_bits)));
      }
    }
    return quads;
  }

  SPANKER_INLINE static int32x4_t group_scale(const std::int8_t (&scales)[kGroupRows], std::size_t row) {
    std::uint32_t four;
    std::memcpy(&four, scales + row, sizeof four);
    return vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four))));
  }

  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride,
                                   float32x4_t (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ6_K*>(group)[index];
    const float32x4_t scale = halves(block.scales, row);
    for (std::size_t unit = 0; unit < 8; ++unit) {
      if (row == 0) prefetch_after<8>(block, unit);
      const UnitQuads quads = quads_of(block.units[unit], row);
      const int32x4_t scale0 = group_scale(block.units[unit].scales[0], row);
      const int32x4_t scale1 = group_scale(block.units[unit].scales[1], row);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const QuantisedBlock& xv = x[v * stride + index * 8 + unit];
        const int32x4_t first = dot<Dot, 0, 4>(vdupq_n_s32(xv.minus_half_sums[0] * 32), quads, xv);
        const int32x4_t second = dot<Dot, 4, 8>(vdupq_n_s32(xv.minus_half_sums[1] * 32), quads, xv);
        sums[v] = accumulate(sums[v], scale, xv.scale, vmlaq_s32(vmulq_s32(scale0, first), scale1, second));
      }
    }
  }
};

/// Vectors at once: their sums for 16 rows must stay in the 32 registers there are, with a unit's quads.
inline constexpr std::size_t kQuantisedTile = 4;

template <class Weights, std::size_t kVectors>
void quantised_products_up_to(const std::byte* group, std::size_t columns, const QuantisedBlock* x,
                              std::size_t stride, std::size_t vectors, float (*out)[kGroupRows]) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) {
      return quantised_products_up_to<Weights, kVectors - 1>(group, columns, x, stride, vectors, out);
    }
  }
  float32x4_t sums[4][kVectors];
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    for (std::size_t v = 0; v < kVectors; ++v) sums[quarter][v] = vld1q_f32(out[v] + quarter * kQuarterRows);
  }
  for (std::size_t index = 0; index < columns / Weights::kColumns; ++index) {
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      Weights::block(group, index, quarter * kQuarterRows, x, stride, sums[quarter]);
    }
  }
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    for (std::size_t v = 0; v < kVectors; ++v) vst1q_f32(out[v] + quarter * kQuarterRows, sums[quarter][v]);
  }
}

template <class Weights>
void quantised_products(const std::byte* group, std::size_t columns, const QuantisedBlock* x,
                        std::size_t stride, std::size_t vectors, GroupProducts& out) {
  for (std::size_t first = 0; first < vectors; first += kQuantisedTile) {
    quantised_products_up_to<Weights, kQuantisedTile>(group, columns, x + first * stride, stride,
                                                      std::min(kQuantisedTile, vectors - first), out + first);
  }
}

}  // namespace spanker::neon

#endif
