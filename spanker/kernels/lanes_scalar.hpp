#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spanker/base/float16.hpp"

// 16 floats at once in plain C++: what lanes_avx2.hpp and lanes_avx512.hpp do, bit for bit. float_kernels.inc
// is written over these operations, once for all instruction sets.

#define SPANKER_TARGET
#define SPANKER_INLINE inline

namespace spanker::scalar {

/// Vectors of activations, or queries, that fit in the registers together with their sums.
inline constexpr std::size_t kTile = 4;

struct Lanes {
  float v[16];
};

SPANKER_INLINE Lanes zero() { return {}; }

SPANKER_INLINE Lanes broadcast(float x) {
  Lanes result;
  for (float& lane : result.v) lane = x;
  return result;
}

SPANKER_INLINE Lanes load(const void* floats) {
  Lanes result;
  std::memcpy(result.v, floats, sizeof result.v);
  return result;
}

SPANKER_INLINE Lanes load_halves(const void* halves) {
  std::uint16_t bits[16];
  std::memcpy(bits, halves, sizeof bits);
  Lanes result;
  for (int i = 0; i < 16; ++i) result.v[i] = float_from_half(bits[i]);
  return result;
}

SPANKER_INLINE Lanes load_bf16(const void* elements) {
  std::uint16_t bits[16];
  std::memcpy(bits, elements, sizeof bits);
  Lanes result;
  for (int i = 0; i < 16; ++i) {
    result.v[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits[i]) << 16);
  }
  return result;
}

SPANKER_INLINE Lanes load_int8(const void* integers) {
  std::int8_t values[16];
  std::memcpy(values, integers, sizeof values);
  Lanes result;
  for (int i = 0; i < 16; ++i) result.v[i] = values[i];
  return result;
}

/// The half at that address.
SPANKER_INLINE float load_half(const void* half) {
  std::uint16_t bits;
  std::memcpy(&bits, half, sizeof bits);
  return float_from_half(bits);
}

SPANKER_INLINE void store(float* to, Lanes x) { std::memcpy(to, x.v, sizeof x.v); }

SPANKER_INLINE Lanes add(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] += b.v[i];
  return a;
}

SPANKER_INLINE Lanes sub(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] -= b.v[i];
  return a;
}

SPANKER_INLINE Lanes mul(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] *= b.v[i];
  return a;
}

SPANKER_INLINE Lanes div(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] /= b.v[i];
  return a;
}

/// a * b + c with one rounding.
SPANKER_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  for (int i = 0; i < 16; ++i) c.v[i] = std::fma(a.v[i], b.v[i], c.v[i]);
  return c;
}

/// The greater; b where one of them is a NaN.
SPANKER_INLINE Lanes max(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return b;
}

/// The smaller; b where one of them is a NaN.
SPANKER_INLINE Lanes min(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return b;
}

/// To the nearest integer, ties to even.
SPANKER_INLINE Lanes round(Lanes a) {
  for (float& lane : a.v) lane = std::nearbyint(lane);
  return a;
}

/// The integer in the low bits of a whole float of magnitude below 2^22; anything for a NaN, whose
/// conversion would be undefined.
SPANKER_INLINE std::uint32_t integer_bits(float whole) {
  return std::bit_cast<std::uint32_t>(whole + 0x1.8p23f);
}

/// 2^x of whole numbers x from -126 to 127.
SPANKER_INLINE Lanes power_of_two(Lanes x) {
  for (float& lane : x.v) lane = std::bit_cast<float>((integer_bits(lane) + 127) << 23);
  return x;
}

/// Stores whole numbers from -127 to 127 and returns their sum.
SPANKER_INLINE std::int32_t store_int8(std::int8_t* to, Lanes x) {
  std::int32_t sum = 0;
  for (int i = 0; i < 16; ++i) {
    to[i] = static_cast<std::int8_t>(integer_bits(x.v[i]) & 0xFF);
    sum += to[i];
  }
  return sum;
}

/// The greatest magnitude of 32 floats; a NaN is greater than any.
SPANKER_INLINE float greatest_magnitude(Lanes a, Lanes b) {
  std::uint32_t greatest = 0;
  for (const Lanes& lanes : {a, b}) {
    for (const float lane : lanes.v) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(lane) & 0x7FFFFFFF;
      if (magnitude > greatest) greatest = magnitude;
    }
  }
  return std::bit_cast<float>(greatest);
}

}  // namespace spanker::scalar
