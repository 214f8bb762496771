#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_X86

#include <immintrin.h>

#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/lanes_avx512.hpp"
#include "spanker/kernels/prefetch.hpp"

// Products of quantised weights with VPDPBUSD, which adds 4 products of bytes without sign (weights) and with
// sign (activations) to each of 16 rows. What the bytes are greater than the weights is made good by where
// the sums start: at minus that offset times the sum of the activations.

namespace spanker::avx512 {

/// One unit of 32 columns: quad j holds columns 4j to 4j + 3 of each row.
struct UnitQuads {
  __m512i v[8];
};

SPANKER_INLINE UnitQuads nibble_quads(const Quads (&nibbles)[4]) {
  const __m512i low = _mm512_set1_epi8(15);
  UnitQuads quads;
  for (int j = 0; j < 4; ++j) {
    const __m512i bytes = _mm512_loadu_si512(nibbles[j]);
    quads.v[j] = _mm512_and_si512(bytes, low);
    quads.v[j + 4] = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low);
  }
  return quads;
}

/// sum + quads [kBegin, kEnd) times the activations of those columns.
template <int kBegin, int kEnd>
SPANKER_INLINE __m512i dot(__m512i sum, const UnitQuads& quads, const QuantisedBlock& x) {
  for (int j = kBegin; j < kEnd; ++j) {
    std::int32_t four;
    std::memcpy(&four, x.values + 4 * j, sizeof four);
    sum = _mm512_dpbusd_epi32(sum, quads.v[j], _mm512_set1_epi32(four));
  }
  return sum;
}

SPANKER_INLINE __m512 halves(const HalfOfRows& rows) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows)));
}

/// sums + scale * x.scale * product.
SPANKER_INLINE __m512 accumulate(__m512 sums, __m512 scale, float x_scale, __m512i product) {
  return _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(x_scale)), _mm512_cvtepi32_ps(product), sums);
}

struct Q8_0Weights {
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, const QuantisedBlock* x,
                                   std::size_t stride, __m512 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ8_0*>(group)[index];
    prefetch_after<1>(block, 0);
    UnitQuads quads;
    for (int j = 0; j < 8; ++j) quads.v[j] = _mm512_loadu_si512(block.values[j]);
    const __m512 scale = halves(block.scales);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride + index];
      const __m512i start = _mm512_slli_epi32(_mm512_set1_epi32(xv.minus_sum), 7);
      sums[v] = accumulate(sums[v], scale, xv.scale, dot<0, 8>(start, quads, xv));
    }
  }
  static constexpr std::size_t kColumns = 32;
};

struct Q4_0Weights {
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, const QuantisedBlock* x,
                                   std::size_t stride, __m512 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_0*>(group)[index];
    prefetch_after<1>(block, 0);
    const UnitQuads quads = nibble_quads(block.nibbles);
    const __m512 scale = halves(block.scales);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride + index];
      const __m512i start = _mm512_slli_epi32(_mm512_set1_epi32(xv.minus_sum), 3);
      sums[v] = accumulate(sums[v], scale, xv.scale, dot<0, 8>(start, quads, xv));
    }
  }
  static constexpr std::size_t kColumns = 32;
};

struct Q4_KWeights {
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, const QuantisedBlock* x,
                                   std::size_t stride, __m512 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_K*>(group)[index];
    const __m512 scale = halves(block.scales);
    const __m512 minimum_scale = halves(block.minima);
    __m512i high = _mm512_loadu_si512(block.high_bits);
    for (std::size_t unit = 0; unit < 8; ++unit) {
      prefetch_after<8>(block, unit);
      const UnitQuads quads = nibble_quads(block.units[unit].nibbles);
      const __m512i low =
          _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block.units[unit].scales)));
      const __m512i two_bits = _mm512_set1_epi32(0x30);
      const __m512i unit_scale = _mm512_or_si512(_mm512_and_si512(low, _mm512_set1_epi32(15)),
                                                 _mm512_and_si512(_mm512_slli_epi32(high, 4), two_bits));
      const __m512i minimum =
          _mm512_or_si512(_mm512_srli_epi32(low, 4), _mm512_and_si512(_mm512_srli_epi32(high, 12), two_bits));
      high = _mm512_srli_epi32(high, 2);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const QuantisedBlock& xv = x[v * stride + index * 8 + unit];
        const __m512i product = dot<0, 8>(_mm512_setzero_si512(), quads, xv);
        sums[v] = accumulate(sums[v], scale, xv.scale, _mm512_mullo_epi32(unit_scale, product));
        sums[v] = accumulate(sums[v], minimum_scale, xv.scale,
                             _mm512_mullo_epi32(minimum, _mm512_set1_epi32(xv.minus_sum)));
      }
    }
  }
  static constexpr std::size_t kColumns = 256;
};

struct Q6_KWeights {
  SPANKER_INLINE static UnitQuads quads_of(const PackedQ6_K::Unit& unit) {
    UnitQuads quads = nibble_quads(unit.low);
    const __m512i two_bits = _mm512_set1_epi8(0x30);
    for (int half = 0; half < 2; ++half) {
      const __m512i high = _mm512_loadu_si512(unit.high[half]);
      __m512i* q = quads.v + 4 * half;
      q[0] = _mm512_or_si512(q[0], _mm512_and_si512(_mm512_slli_epi16(high, 4), two_bits));
      q[1] = _mm512_or_si512(q[1], _mm512_and_si512(_mm512_slli_epi16(high, 2), two_bits));
      q[2] = _mm512_or_si512(q[2], _mm512_and_si512(high, two_bits));
      q[3] = _mm512_or_si512(q[3], _mm512_and_si512(_mm512_srli_epi16(high, 2), two_bits));
    }
    return quads;
  }

  SPANKER_INLINE static __m512i group_scale(const std::int8_t (&scales)[kGroupRows]) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(scales)));
  }

  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, const QuantisedBlock* x,
                                   std::size_t stride, __m512 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ6_K*>(group)[index];
    const __m512 scale = halves(block.scales);
    for (std::size_t unit = 0; unit < 8; ++unit) {
      prefetch_after<8>(block, unit);
      const UnitQuads quads = quads_of(block.units[unit]);
      const __m512i scale0 = group_scale(block.units[unit].scales[0]);
      const __m512i scale1 = group_scale(block.units[unit].scales[1]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const QuantisedBlock& xv = x[v * stride + index * 8 + unit];
        const __m512i start0 = _mm512_slli_epi32(_mm512_set1_epi32(xv.minus_half_sums[0]), 5);
        const __m512i start1 = _mm512_slli_epi32(_mm512_set1_epi32(xv.minus_half_sums[1]), 5);
        const __m512i product = _mm512_add_epi32(_mm512_mullo_epi32(scale0, dot<0, 4>(start0, quads, xv)),
                                                 _mm512_mullo_epi32(scale1, dot<4, 8>(start1, quads, xv)));
        sums[v] = accumulate(sums[v], scale, xv.scale, product);
      }
    }
  }
  static constexpr std::size_t kColumns = 256;
};

template <class Weights, std::size_t kVectors>
SPANKER_TARGET void quantised_products_of(const std::byte* group, std::size_t columns,
                                          const QuantisedBlock* x, std::size_t stride, GroupProducts& out) {
  __m512 sums[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = _mm512_loadu_ps(out[v]);
  for (std::size_t index = 0; index < columns / Weights::kColumns; ++index) {
    Weights::block(group, index, x, stride, sums);
  }
  for (std::size_t v = 0; v < kVectors; ++v) _mm512_storeu_ps(out[v], sums[v]);
}

template <class Weights, std::size_t kVectors = kMaxVectors>
SPANKER_TARGET void quantised_products(const std::byte* group, std::size_t columns, const QuantisedBlock* x,
                                       std::size_t stride, std::size_t vectors, GroupProducts& out) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) {
      return quantised_products<Weights, kVectors - 1>(group, columns, x, stride, vectors, out);
    }
  }
  quantised_products_of<Weights, kVectors>(group, columns, x, stride, out);
}

}  // namespace spanker::avx512

#endif
