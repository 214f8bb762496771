#include "spanker/base/float16.hpp"

#include <bit>

namespace spanker {
namespace {

constexpr std::uint32_t kFloatInfinity = 0x7F800000;
constexpr std::uint32_t kHalfInfinity = 0x7C00;
/// A float has 13 bits of fraction more than a half.
constexpr int kExtraBits = 13;
/// What the exponent of a float is greater than that of the half of the same value.
constexpr std::uint32_t kExponentShift = 127 - 15;

/// `value` without its lowest `bits` (1 to 31), rounded to nearest, ties to even. A carry into the exponent
/// is right: the next greater number follows.
std::uint32_t rounded_off(std::uint32_t value, int bits) {
  const std::uint32_t below_half = (1u << (bits - 1)) - 1;
  return (value + below_half + (value >> bits & 1)) >> bits;
}

}  // namespace

std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  const std::uint32_t exponent = magnitude >> 23;
  std::uint32_t half;
  if (magnitude > kFloatInfinity) {
    half = kHalfInfinity | 0x200 | (magnitude >> kExtraBits & 0x3FF);
  } else if (exponent >= kExponentShift + 31) {
    half = kHalfInfinity;
  } else if (exponent > kExponentShift) {
    half = rounded_off(magnitude - (kExponentShift << 23), kExtraBits);
  } else if (exponent + 11 > kExponentShift) {
    // Subnormal: the leading 1 is written out, and the number of 2^-24 is what is kept.
    const std::uint32_t fraction = (magnitude & 0x7FFFFF) | 0x800000;
    half = rounded_off(fraction, static_cast<int>(kExponentShift + 1 - exponent) + kExtraBits);
  } else {
    half = 0;
  }
  return static_cast<std::uint16_t>(sign | half);
}

float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1F;
  const std::uint32_t fraction = half & 0x3FF;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + kExponentShift;
  return std::bit_cast<float>(sign | wide << 23 | fraction << kExtraBits);
}

}  // namespace spanker
