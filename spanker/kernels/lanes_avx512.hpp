#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_X86

#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

// The operations of lanes_scalar.hpp, which says what they do, in AVX-512.

#define SPANKER_TARGET SPANKER_AVX512
#define SPANKER_INLINE SPANKER_TARGET __attribute__((always_inline)) inline

namespace spanker::avx512 {

inline constexpr std::size_t kTile = 8;

struct Lanes {
  __m512 v;
};

SPANKER_INLINE Lanes zero() { return {_mm512_setzero_ps()}; }
SPANKER_INLINE Lanes broadcast(float x) { return {_mm512_set1_ps(x)}; }
SPANKER_INLINE Lanes load(const void* floats) { return {_mm512_loadu_ps(floats)}; }

SPANKER_INLINE Lanes load_halves(const void* halves) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(halves)))};
}

SPANKER_INLINE Lanes load_bf16(const void* elements) {
  const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(elements));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}

SPANKER_INLINE Lanes load_int8(const void* integers) {
  const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(integers));
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))};
}

SPANKER_INLINE float load_half(const void* half) {
  std::uint16_t bits;
  std::memcpy(&bits, half, sizeof bits);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

SPANKER_INLINE void store(float* to, Lanes x) { _mm512_storeu_ps(to, x.v); }
SPANKER_INLINE Lanes add(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes sub(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes mul(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes div(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
SPANKER_INLINE Lanes max(Lanes a, Lanes b) { return {_mm512_max_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes min(Lanes a, Lanes b) { return {_mm512_min_ps(a.v, b.v)}; }
SPANKER_INLINE Lanes round(Lanes a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

SPANKER_INLINE Lanes power_of_two(Lanes x) {
  const __m512i biased = _mm512_add_epi32(_mm512_cvtps_epi32(x.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(biased, 23))};
}

SPANKER_INLINE std::int32_t store_int8(std::int8_t* to, Lanes x) {
  const __m512i whole = _mm512_cvtps_epi32(x.v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(whole));
  return _mm512_reduce_add_epi32(whole);
}

SPANKER_INLINE float greatest_magnitude(Lanes a, Lanes b) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  return std::bit_cast<float>(
      _mm512_reduce_max_epi32(_mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(a.v), magnitude),
                                               _mm512_and_si512(_mm512_castps_si512(b.v), magnitude))));
}

}  // namespace spanker::avx512

#endif
