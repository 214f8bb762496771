#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_X86

#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

// The operations of lanes_scalar.hpp, which says what they do, in AVX2, FMA and F16C: two registers of 8.

#define SPANKER_TARGET SPANKER_AVX2
#define SPANKER_INLINE SPANKER_TARGET __attribute__((always_inline)) inline

namespace spanker::avx2 {

inline constexpr std::size_t kTile = 3;

struct Lanes {
  __m256 low;
  __m256 high;
};

SPANKER_INLINE Lanes zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
SPANKER_INLINE Lanes broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }

SPANKER_INLINE Lanes load(const void* floats) {
  const auto* p = static_cast<const char*>(floats);
  return {_mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))),
          _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)))};
}

SPANKER_INLINE Lanes load_halves(const void* halves) {
  const auto* p = static_cast<const __m128i*>(halves);
  return {_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128(p + 1))};
}

SPANKER_INLINE __m256 floats_from_bf16(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

SPANKER_INLINE Lanes load_bf16(const void* elements) {
  const auto* p = static_cast<const __m128i*>(elements);
  return {floats_from_bf16(_mm_loadu_si128(p)), floats_from_bf16(_mm_loadu_si128(p + 1))};
}

SPANKER_INLINE Lanes load_int8(const void* integers) {
  const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(integers));
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
}

SPANKER_INLINE float load_half(const void* half) {
  std::uint16_t bits;
  std::memcpy(&bits, half, sizeof bits);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

SPANKER_INLINE void store(float* to, Lanes x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + 8, x.high);
}

SPANKER_INLINE Lanes add(Lanes a, Lanes b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes sub(Lanes a, Lanes b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes mul(Lanes a, Lanes b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes div(Lanes a, Lanes b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
SPANKER_INLINE Lanes max(Lanes a, Lanes b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes min(Lanes a, Lanes b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
SPANKER_INLINE Lanes round(Lanes a) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.low, kNearest), _mm256_round_ps(a.high, kNearest)};
}

SPANKER_INLINE __m256 power_of_two(__m256 x) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
SPANKER_INLINE Lanes power_of_two(Lanes x) { return {power_of_two(x.low), power_of_two(x.high)}; }

SPANKER_INLINE std::int32_t store_int8(std::int8_t* to, Lanes x) {
  const __m256i low = _mm256_cvtps_epi32(x.low);
  const __m256i high = _mm256_cvtps_epi32(x.high);
  // Packing goes by halves of 128 bits: 0 to 3, 8 to 11, 4 to 7, 12 to 15.
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0b11011000);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  const __m256i eight = _mm256_add_epi32(low, high);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
  sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
  return _mm_cvtsi128_si32(sum);
}

SPANKER_INLINE float greatest_magnitude(Lanes a, Lanes b) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i eight = _mm256_and_si256(_mm256_castps_si256(a.low), magnitude);
  for (const __m256 lanes : {a.high, b.low, b.high}) {
    eight = _mm256_max_epi32(eight, _mm256_and_si256(_mm256_castps_si256(lanes), magnitude));
  }
  __m128i greatest = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  greatest = _mm_max_epi32(greatest, _mm_srli_si128(greatest, 8));
  greatest = _mm_max_epi32(greatest, _mm_srli_si128(greatest, 4));
  return std::bit_cast<float>(_mm_cvtsi128_si32(greatest));
}

}  // namespace spanker::avx2

#endif
