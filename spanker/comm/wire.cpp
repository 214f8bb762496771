#include "spanker/comm/wire.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "spanker/base/float16.hpp"
#include "spanker/comm/half_vectors.hpp"

namespace spanker {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kScaleBytes = 2;
constexpr float kMostSteps = 127;
constexpr float kLeastNormalHalf = 0x1p-14f;
constexpr float kLeastHalf = 0x1p-24f;

/// The step of a block whose largest magnitude is `largest`: a half, chosen so that encoding is a projection.
/// A normal half is near enough to largest/127 that the largest value becomes 127 steps, from which the same
/// half is found again. Subnormal halves are too coarse for that; of their powers of two the least is taken
/// with which no value exceeds 127 steps, and then the largest has 64 at least, too many for the next lower.
std::uint16_t scale_of(float largest) {
  const float exact = largest / kMostSteps;
  if (!(exact < std::numeric_limits<float>::infinity())) return half_from_float(NAN);
  if (exact >= kLeastNormalHalf) {
    const std::uint16_t half = half_from_float(exact);
    return std::isinf(float_from_half(half)) ? half_from_float(NAN) : half;
  }
  if (largest == 0) return 0;
  float scale = kLeastNormalHalf;
  while (scale > kLeastHalf && largest / (scale / 2) < kMostSteps + 0.5f) scale /= 2;
  return half_from_float(scale);
}

/// Loops over all 32 elements, whatever the size, are vectorised.
void encode_block(std::span<const float> values, std::byte* wire) {
  std::array<float, kBlock> block{};
  std::copy(values.begin(), values.end(), block.begin());
  // The bits of magnitudes are in the order of the numbers, with infinity and NaN above all others.
  std::uint32_t largest_bits = 0;
  for (const float value : block) {
    largest_bits = std::max(largest_bits, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFF);
  }
  const std::uint16_t half = scale_of(std::bit_cast<float>(largest_bits));
  std::memcpy(wire, &half, kScaleBytes);
  const float scale = float_from_half(half);
  const float inverse = scale > 0 ? 1 / scale : 0;
  std::array<std::int8_t, kBlock> steps{};
  if (inverse > 0) {
    // Where the unit of a float's last place is 1, adding rounds to a whole number, ties to even.
    constexpr float kRounder = 0x1.8p23f;
    for (std::size_t i = 0; i < kBlock; ++i) {
      steps[i] = static_cast<std::int8_t>(static_cast<int>((block[i] * inverse + kRounder) - kRounder));
    }
  }
  std::memcpy(wire + kScaleBytes, steps.data(), values.size());
}

void decode_block(const std::byte* wire, std::span<float> values) {
  std::uint16_t half;
  std::memcpy(&half, wire, kScaleBytes);
  const float scale = float_from_half(half);
  std::array<std::int8_t, kBlock> steps{};
  std::memcpy(steps.data(), wire + kScaleBytes, values.size());
  std::array<float, kBlock> block;
  for (std::size_t i = 0; i < kBlock; ++i) block[i] = scale * static_cast<float>(steps[i]);
  std::copy_n(block.begin(), values.size(), values.begin());
}

}  // namespace

std::string_view to_string(WireType type) {
  switch (type) {
    case WireType::kF32:
      return "f32";
    case WireType::kF16:
      return "f16";
    case WireType::kQ8_0:
      return "q8_0";
  }
  return {};
}

std::uint32_t unit_elements(WireType type) { return type == WireType::kQ8_0 ? kBlock : 1; }

std::uint64_t wire_bytes(WireType type, std::uint64_t elements) {
  switch (type) {
    case WireType::kF32:
      return 4 * elements;
    case WireType::kF16:
      return 2 * elements;
    case WireType::kQ8_0:
      return elements + kScaleBytes * ((elements + kBlock - 1) / kBlock);
  }
  return 0;
}

void encode(WireType type, std::span<const float> values, std::byte* wire) {
  switch (type) {
    case WireType::kF32:
      if (!values.empty()) std::memcpy(wire, values.data(), values.size_bytes());
      return;
    case WireType::kF16:
      write_halves(values, wire);
      return;
    case WireType::kQ8_0:
      for (; !values.empty(); values = values.subspan(std::min(kBlock, values.size()))) {
        encode_block(values.first(std::min(kBlock, values.size())), wire);
        wire += kScaleBytes + kBlock;
      }
      return;
  }
}

void decode(WireType type, const std::byte* wire, std::span<float> values) {
  switch (type) {
    case WireType::kF32:
      if (!values.empty()) std::memcpy(values.data(), wire, values.size_bytes());
      return;
    case WireType::kF16:
      read_halves(wire, values);
      return;
    case WireType::kQ8_0:
      for (; !values.empty(); values = values.subspan(std::min(kBlock, values.size()))) {
        decode_block(wire, values.first(std::min(kBlock, values.size())));
        wire += kScaleBytes + kBlock;
      }
      return;
  }
}

void round_to_wire(WireType type, std::span<float> values) {
  if (type == WireType::kF32) return;
  std::array<std::byte, 2 * kBlock> wire;
  for (; !values.empty(); values = values.subspan(std::min(kBlock, values.size()))) {
    const auto piece = values.first(std::min(kBlock, values.size()));
    encode(type, piece, wire.data());
    decode(type, wire.data(), piece);
  }
}

}  // namespace spanker
