#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_X86

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/lanes_avx2.hpp"
#include "spanker/kernels/prefetch.hpp"

// Products of quantised weights with VPMADDUBSW, which adds 2 products of bytes without and with sign into 16
// bits, with saturation. Products of nibbles are at most 2 * 15 * 127 = 3810, so 8 of those fit; of 6 bits
// 16002, so 2 do; of 8 bits 2 * 128 * 127 = 32512, so each is widened at once. A group's rows are taken 8 at
// a time.

namespace spanker::avx2 {

inline constexpr std::size_t kHalfRows = kGroupRows / 2;

/// The 4 activations of quad j, for all rows.
SPANKER_INLINE __m256i four_of(const QuantisedBlock& x, std::size_t j) {
  std::int32_t four;
  std::memcpy(&four, x.values + 4 * j, sizeof four);
  return _mm256_set1_epi32(four);
}

SPANKER_INLINE __m256i load_quad(const Quads& quad, std::size_t row) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(quad[row]));
}

SPANKER_INLINE __m256 halves(const HalfOfRows& rows, std::size_t row) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row])));
}

/// Sums of neighbouring 16-bit numbers.
SPANKER_INLINE __m256i widened(__m256i words) { return _mm256_madd_epi16(words, _mm256_set1_epi16(1)); }

/// sums + scale * x.scale * product.
SPANKER_INLINE __m256 accumulate(__m256 sums, __m256 scale, float x_scale, __m256i product) {
  return _mm256_fmadd_ps(_mm256_mul_ps(scale, _mm256_set1_ps(x_scale)), _mm256_cvtepi32_ps(product), sums);
}

/// products[v] = sum over the 32 columns of nibble * activation, for rows row to row + 7.
template <std::size_t kVectors>
SPANKER_INLINE void nibble_products(const Quads (&nibbles)[4], std::size_t row, const QuantisedBlock* x,
                                    std::size_t stride, __m256i (&products)[kVectors]) {
  const __m256i low_bits = _mm256_set1_epi8(15);
  for (__m256i& words : products) words = _mm256_setzero_si256();
  for (std::size_t j = 0; j < 4; ++j) {
    const __m256i bytes = load_quad(nibbles[j], row);
    const __m256i low = _mm256_and_si256(bytes, low_bits);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_bits);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride];
      products[v] =
          _mm256_add_epi16(products[v], _mm256_add_epi16(_mm256_maddubs_epi16(low, four_of(xv, j)),
                                                         _mm256_maddubs_epi16(high, four_of(xv, j + 4))));
    }
  }
  for (__m256i& words : products) words = widened(words);
}

struct Q8_0Weights {
  static constexpr std::size_t kColumns = 32;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride, __m256 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ8_0*>(group)[index];
    if (row == 0) prefetch_after<1>(block, 0);
    __m256i products[kVectors];
    for (__m256i& product : products) product = _mm256_setzero_si256();
    for (std::size_t j = 0; j < 8; ++j) {
      const __m256i weights =
          _mm256_xor_si256(load_quad(block.values[j], row), _mm256_set1_epi8(static_cast<char>(0x80)));
      const __m256i magnitudes = _mm256_abs_epi8(weights);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const __m256i signed_x = _mm256_sign_epi8(four_of(x[v * stride + index], j), weights);
        products[v] = _mm256_add_epi32(products[v], widened(_mm256_maddubs_epi16(magnitudes, signed_x)));
      }
    }
    const __m256 scale = halves(block.scales, row);
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[v] = accumulate(sums[v], scale, x[v * stride + index].scale, products[v]);
    }
  }
};

struct Q4_0Weights {
  static constexpr std::size_t kColumns = 32;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride, __m256 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_0*>(group)[index];
    if (row == 0) prefetch_after<1>(block, 0);
    __m256i products[kVectors];
    nibble_products(block.nibbles, row, x + index, stride, products);
    const __m256 scale = halves(block.scales, row);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const QuantisedBlock& xv = x[v * stride + index];
      const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(xv.minus_sum), 3);
      sums[v] = accumulate(sums[v], scale, xv.scale, _mm256_add_epi32(products[v], offset));
    }
  }
};

struct Q4_KWeights {
  static constexpr std::size_t kColumns = 256;
  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride, __m256 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ4_K*>(group)[index];
    const __m256 scale = halves(block.scales, row);
    const __m256 minimum_scale = halves(block.minima, row);
    __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block.high_bits[row]));
    for (std::size_t unit = 0; unit < 8; ++unit) {
      if (row == 0) prefetch_after<8>(block, unit);
      const QuantisedBlock* unit_x = x + index * 8 + unit;
      __m256i products[kVectors];
      nibble_products(block.units[unit].nibbles, row, unit_x, stride, products);
      const __m256i low = _mm256_cvtepu8_epi32(
          _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.units[unit].scales + row)));
      const __m256i two_bits = _mm256_set1_epi32(0x30);
      const __m256i unit_scale = _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi32(15)),
                                                 _mm256_and_si256(_mm256_slli_epi32(high, 4), two_bits));
      const __m256i minimum =
          _mm256_or_si256(_mm256_srli_epi32(low, 4), _mm256_and_si256(_mm256_srli_epi32(high, 12), two_bits));
      high = _mm256_srli_epi32(high, 2);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const QuantisedBlock& xv = unit_x[v * stride];
        sums[v] = accumulate(sums[v], scale, xv.scale, _mm256_mullo_epi32(unit_scale, products[v]));
        sums[v] = accumulate(sums[v], minimum_scale, xv.scale,
                             _mm256_mullo_epi32(minimum, _mm256_set1_epi32(xv.minus_sum)));
      }
    }
  }
};

struct Q6_KWeights {
  static constexpr std::size_t kColumns = 256;

  /// products[v] = sum over 16 columns of 6 bits * activation: of the low nibbles (kHalf 0) or the high ones
  /// (1).
  template <int kHalf, std::size_t kVectors>
  SPANKER_INLINE static void half_products(const PackedQ6_K::Unit& unit, std::size_t row,
                                           const QuantisedBlock* x, std::size_t stride,
                                           __m256i (&products)[kVectors]) {
    const __m256i two_bits = _mm256_set1_epi8(0x30);
    const __m256i high = load_quad(unit.high[kHalf], row);
    const __m256i high_bits[4] = {_mm256_slli_epi16(high, 4), _mm256_slli_epi16(high, 2), high,
                                  _mm256_srli_epi16(high, 2)};
    __m256i quads[4];
    for (std::size_t j = 0; j < 4; ++j) {
      const __m256i bytes = load_quad(unit.low[j], row);
      const __m256i low =
          _mm256_and_si256(kHalf == 0 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
      quads[j] = _mm256_or_si256(low, _mm256_and_si256(high_bits[j], two_bits));
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
      __m256i pairs[2];
      for (std::size_t p = 0; p < 2; ++p) {
        const std::size_t j = 2 * p;
        pairs[p] = widened(
            _mm256_add_epi16(_mm256_maddubs_epi16(quads[j], four_of(x[v * stride], kHalf * 4 + j)),
                             _mm256_maddubs_epi16(quads[j + 1], four_of(x[v * stride], kHalf * 4 + j + 1))));
      }
      const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(x[v * stride].minus_half_sums[kHalf]), 5);
      products[v] = _mm256_add_epi32(offset, _mm256_add_epi32(pairs[0], pairs[1]));
    }
  }

  SPANKER_INLINE static __m256i group_scale(const std::int8_t (&scales)[kGroupRows], std::size_t row) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(scales + row)));
  }

  template <std::size_t kVectors>
  SPANKER_INLINE static void block(const std::byte* group, std::size_t index, std::size_t row,
                                   const QuantisedBlock* x, std::size_t stride, __m256 (&sums)[kVectors]) {
    const auto& block = reinterpret_cast<const PackedQ6_K*>(group)[index];
    const __m256 scale = halves(block.scales, row);
    for (std::size_t unit = 0; unit < 8; ++unit) {
      if (row == 0) prefetch_after<8>(block, unit);
      const QuantisedBlock* unit_x = x + index * 8 + unit;
      __m256i first[kVectors];
      __m256i second[kVectors];
      half_products<0>(block.units[unit], row, unit_x, stride, first);
      half_products<1>(block.units[unit], row, unit_x, stride, second);
      const __m256i scale0 = group_scale(block.units[unit].scales[0], row);
      const __m256i scale1 = group_scale(block.units[unit].scales[1], row);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const __m256i product =
            _mm256_add_epi32(_mm256_mullo_epi32(scale0, first[v]), _mm256_mullo_epi32(scale1, second[v]));
        sums[v] = accumulate(sums[v], scale, unit_x[v * stride].scale, product);
      }
    }
  }
};

/// Vectors at once: their sums for 16 rows must stay in the 16 registers there are.
inline constexpr std::size_t kQuantisedTile = 4;

template <class Weights, std::size_t kVectors>
SPANKER_TARGET void quantised_products_up_to(const std::byte* group, std::size_t columns,
                                             const QuantisedBlock* x, std::size_t stride, std::size_t vectors,
                                             float (*out)[kGroupRows]) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) {
      return quantised_products_up_to<Weights, kVectors - 1>(group, columns, x, stride, vectors, out);
    }
  }
  __m256 low[kVectors];
  __m256 high[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    low[v] = _mm256_loadu_ps(out[v]);
    high[v] = _mm256_loadu_ps(out[v] + kHalfRows);
  }
  for (std::size_t index = 0; index < columns / Weights::kColumns; ++index) {
    Weights::block(group, index, 0, x, stride, low);
    Weights::block(group, index, kHalfRows, x, stride, high);
  }
  for (std::size_t v = 0; v < kVectors; ++v) {
    _mm256_storeu_ps(out[v], low[v]);
    _mm256_storeu_ps(out[v] + kHalfRows, high[v]);
  }
}

template <class Weights>
SPANKER_TARGET void quantised_products(const std::byte* group, std::size_t columns, const QuantisedBlock* x,
                                       std::size_t stride, std::size_t vectors, GroupProducts& out) {
  for (std::size_t first = 0; first < vectors; first += kQuantisedTile) {
    quantised_products_up_to<Weights, kQuantisedTile>(group, columns, x + first * stride, stride,
                                                      std::min(kQuantisedTile, vectors - first), out + first);
  }
}

}  // namespace spanker::avx2

#endif
