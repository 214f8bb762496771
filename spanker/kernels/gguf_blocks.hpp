#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spanker/base/float16.hpp"

// The blocks of ggml's quantised types as they lie in GGUF files (ggml-common.h), of bytes alone, so that
// they may stand at any address. Numbers of several bytes are little-endian.

namespace spanker {

static_assert(std::endian::native == std::endian::little, "halves and floats are read as they are stored");

/// The bits of a half.
using HalfBytes = std::uint8_t[2];

inline float float_from_half(const HalfBytes& bytes) {
  std::uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return float_from_half(half);
}

/// 32 weights: scale * value.
struct GgufQ8_0 {
  HalfBytes scale;
  std::uint8_t values[32];  ///< two's complement
};
static_assert(sizeof(GgufQ8_0) == 34);

/// 32 weights: scale * (nibble - 8). Byte i holds weight i in its low nibble and weight i + 16 in its high
/// one.
struct GgufQ4_0 {
  HalfBytes scale;
  std::uint8_t nibbles[16];
};
static_assert(sizeof(GgufQ4_0) == 18);

/// 256 weights in 8 groups of 32: scale * group's scale * nibble - minimum * group's minimum.
/// Group scales and minima have 6 bits. Bytes 0 to 3 of `scales` hold the scales of groups 0 to 3 and bytes 4
/// to 7 their minima, in the low 6 bits; bytes 8 to 11 hold the low 4 bits of the scale (low nibble) and
/// minimum (high nibble) of groups 4 to 7, whose high 2 bits stand in the top of bytes 0 to 3 and 4 to 7. Of
/// 32 bytes of nibbles, the low ones are an even group and the high ones the odd group after it.
struct GgufQ4_K {
  HalfBytes scale;
  HalfBytes minimum;
  std::uint8_t scales[12];
  std::uint8_t nibbles[128];
};
static_assert(sizeof(GgufQ4_K) == 144);

/// 256 weights in 16 groups of 16: scale * group's scale * (value - 32), values of 6 bits. Weight e of a half
/// of 128 has its low 4 bits in byte e % 64 of the half's 64 `low` bytes (the low nibble for e < 64) and its
/// high 2 bits in byte e % 32 of the half's 32 `high` bytes, from bit 2 * (e / 32) on.
struct GgufQ6_K {
  std::uint8_t low[128];
  std::uint8_t high[64];
  std::int8_t scales[16];
  HalfBytes scale;
};
static_assert(sizeof(GgufQ6_K) == 210);

/// The 6-bit scale and minimum of a group of 32 in a Q4_K block.
struct Q4_KGroup {
  std::uint8_t scale;
  std::uint8_t minimum;
};

inline Q4_KGroup group_of(const GgufQ4_K& block, std::size_t group) {
  const std::uint8_t* s = block.scales;
  if (group < 4) {
    return {static_cast<std::uint8_t>(s[group] & 63), static_cast<std::uint8_t>(s[group + 4] & 63)};
  }
  return {static_cast<std::uint8_t>((s[group + 4] & 15) | (s[group - 4] >> 6 << 4)),
          static_cast<std::uint8_t>((s[group + 4] >> 4) | (s[group] >> 6 << 4))};
}

/// The nibble, 0 to 15, of weight `element` of a Q4_K block.
inline std::uint8_t nibble_of(const GgufQ4_K& block, std::size_t element) {
  const std::uint8_t byte = block.nibbles[element / 64 * 32 + element % 32];
  return element % 64 < 32 ? byte & 15 : byte >> 4;
}

/// The 6 bits, 0 to 63, of weight `element` of a Q6_K block.
inline std::uint8_t value_of(const GgufQ6_K& block, std::size_t element) {
  const std::size_t half = element / 128;
  const std::size_t e = element % 128;
  const std::uint8_t low = block.low[half * 64 + e % 64];
  const std::uint8_t high = block.high[half * 32 + e % 32];
  return static_cast<std::uint8_t>((e < 64 ? low & 15 : low >> 4) | (high >> 2 * (e / 32) & 3) << 4);
}

}  // namespace spanker
