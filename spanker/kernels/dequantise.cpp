#include "spanker/kernels/dequantise.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "spanker/kernels/gguf_blocks.hpp"

namespace spanker {
namespace {

// A half has 11 significant bits, a group scale at most 7 and a value at most 6 besides their signs, so every
// product here but the difference in Q4_K is exact.

void write(const GgufQ8_0& block, float* out) {
  const float scale = float_from_half(block.scale);
  for (std::size_t i = 0; i < 32; ++i) {
    out[i] = scale * static_cast<float>(static_cast<std::int8_t>(block.values[i]));
  }
}

void write(const GgufQ4_0& block, float* out) {
  const float scale = float_from_half(block.scale);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>((block.nibbles[i] & 15) - 8);
    out[i + 16] = scale * static_cast<float>((block.nibbles[i] >> 4) - 8);
  }
}

void write(const GgufQ4_K& block, float* out) {
  const float scale = float_from_half(block.scale);
  const float minimum = float_from_half(block.minimum);
  for (std::size_t i = 0; i < 256; ++i) {
    const Q4_KGroup group = group_of(block, i / 32);
    out[i] = scale * static_cast<float>(group.scale) * static_cast<float>(nibble_of(block, i)) -
             minimum * static_cast<float>(group.minimum);
  }
}

void write(const GgufQ6_K& block, float* out) {
  const float scale = float_from_half(block.scale);
  for (std::size_t i = 0; i < 256; ++i) {
    out[i] = scale * static_cast<float>(block.scales[i / 16]) * static_cast<float>(value_of(block, i) - 32);
  }
}

template <class Block>
void write_all(const std::byte* blocks, std::span<float> out, std::size_t elements) {
  for (std::size_t i = 0; i * elements < out.size(); ++i) {
    write(reinterpret_cast<const Block*>(blocks)[i], out.data() + i * elements);
  }
}

std::uint16_t bits_at(const std::byte* halves, std::size_t i) {
  std::uint16_t bits;
  std::memcpy(&bits, halves + 2 * i, sizeof bits);
  return bits;
}

}  // namespace

void dequantise(WeightType type, const std::byte* blocks, std::span<float> out) {
  switch (type) {
    case WeightType::kF32:
      std::memcpy(out.data(), blocks, out.size_bytes());
      return;
    case WeightType::kF16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = float_from_half(bits_at(blocks, i));
      return;
    case WeightType::kBF16:
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits_at(blocks, i)) << 16);
      }
      return;
    case WeightType::kQ8_0:
      return write_all<GgufQ8_0>(blocks, out, 32);
    case WeightType::kQ4_0:
      return write_all<GgufQ4_0>(blocks, out, 32);
    case WeightType::kQ4_K:
      return write_all<GgufQ4_K>(blocks, out, 256);
    case WeightType::kQ6_K:
      return write_all<GgufQ6_K>(blocks, out, 256);
  }
}

}  // namespace spanker
