#include "spanker/kernels/pack.hpp"

#include <cstdint>
#include <cstring>

#include "spanker/kernels/packed_blocks.hpp"

namespace spanker {
namespace {

/// Bytes 4 * index to 4 * index + 3: what a row of a quad holds.
std::uint32_t word_of(const std::uint8_t* bytes, std::size_t index) {
  std::uint32_t word;
  std::memcpy(&word, bytes + 4 * index, sizeof word);
  return word;
}

void put(std::uint32_t word, std::uint8_t (&to)[4]) { std::memcpy(to, &word, sizeof word); }

void put(const HalfBytes& half, HalfBytes& to) { std::memcpy(to, half, sizeof half); }

constexpr std::uint32_t kLowNibbles = 0x0F0F0F0F;

void write(const GgufQ8_0& from, PackedQ8_0& to, std::size_t row) {
  for (std::size_t j = 0; j < 8; ++j) put(word_of(from.values, j) ^ 0x80808080, to.values[j][row]);
  put(from.scale, to.scales[row]);
}

void write(const GgufQ4_0& from, PackedQ4_0& to, std::size_t row) {
  for (std::size_t j = 0; j < 4; ++j) put(word_of(from.nibbles, j), to.nibbles[j][row]);
  put(from.scale, to.scales[row]);
}

void write(const GgufQ4_K& from, PackedQ4_K& to, std::size_t row) {
  std::uint32_t high = 0;
  for (std::size_t u = 0; u < 8; ++u) {
    PackedQ4_K::Unit& unit = to.units[u];
    const std::uint8_t* bytes = from.nibbles + u / 2 * 32;
    const std::size_t shift = u % 2 * 4;
    for (std::size_t j = 0; j < 4; ++j) {
      put((word_of(bytes, j) >> shift & kLowNibbles) | (word_of(bytes, j + 4) >> shift & kLowNibbles) << 4,
          unit.nibbles[j][row]);
    }
    const Q4_KGroup group = group_of(from, u);
    unit.scales[row] = static_cast<std::uint8_t>((group.scale & 15) | (group.minimum & 15) << 4);
    high |= static_cast<std::uint32_t>(group.scale >> 4) << 2 * u;
    high |= static_cast<std::uint32_t>(group.minimum >> 4) << (16 + 2 * u);
  }
  put(high, to.high_bits[row]);
  put(from.scale, to.scales[row]);
  put(from.minimum, to.minima[row]);
}

void write(const GgufQ6_K& from, PackedQ6_K& to, std::size_t row) {
  for (std::size_t u = 0; u < 8; ++u) {
    PackedQ6_K::Unit& unit = to.units[u];
    const std::size_t half = u / 4;
    const std::size_t quarter = u % 4;
    const std::uint8_t* low = from.low + half * 64 + quarter % 2 * 32;
    const std::uint8_t* high = from.high + half * 32;
    const std::size_t shift = quarter / 2 * 4;
    for (std::size_t j = 0; j < 4; ++j) {
      put((word_of(low, j) >> shift & kLowNibbles) | (word_of(low, j + 4) >> shift & kLowNibbles) << 4,
          unit.low[j][row]);
    }
    for (std::size_t part = 0; part < 2; ++part) {
      std::uint32_t bits = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        bits |= (word_of(high, part * 4 + j) >> 2 * quarter & 0x03030303) << 2 * j;
      }
      put(bits, unit.high[part][row]);
      unit.scales[part][row] = from.scales[u * 2 + part];
    }
  }
  put(from.scale, to.scales[row]);
}

template <class From, class To>
void write_all(const std::byte* stored, std::size_t blocks, std::byte* group, std::size_t row) {
  for (std::size_t i = 0; i < blocks; ++i) {
    write(reinterpret_cast<const From*>(stored)[i], reinterpret_cast<To*>(group)[i], row);
  }
}

template <std::size_t kBytes>
void write_elements(const std::byte* stored, std::size_t columns, std::byte* group, std::size_t row) {
  for (std::size_t i = 0; i < columns; ++i) {
    std::memcpy(group + (i * kGroupRows + row) * kBytes, stored + i * kBytes, kBytes);
  }
}

}  // namespace

void pack_row(WeightType type, const std::byte* stored, std::size_t columns, std::byte* group,
              std::size_t row) {
  switch (type) {
    case WeightType::kF32:
      return write_elements<4>(stored, columns, group, row);
    case WeightType::kF16:
    case WeightType::kBF16:
      return write_elements<2>(stored, columns, group, row);
    case WeightType::kQ8_0:
      return write_all<GgufQ8_0, PackedQ8_0>(stored, columns / 32, group, row);
    case WeightType::kQ4_0:
      return write_all<GgufQ4_0, PackedQ4_0>(stored, columns / 32, group, row);
    case WeightType::kQ4_K:
      return write_all<GgufQ4_K, PackedQ4_K>(stored, columns / 256, group, row);
    case WeightType::kQ6_K:
      return write_all<GgufQ6_K, PackedQ6_K>(stored, columns / 256, group, row);
  }
}

}  // namespace spanker
