#include "spanker/base/float16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace spanker {
namespace {

/// A half's value by the definition of the format.
double value_of(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  double magnitude = std::ldexp(1024 + fraction, exponent - 25);
  if (exponent == 0) magnitude = std::ldexp(fraction, -24);
  if (exponent == 31) {
    magnitude =
        fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

constexpr std::uint16_t kInfinity = 0x7C00;

TEST(Float16, EveryHalfHasItsValueAndComesBack) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double value = value_of(half);
    const float wide = float_from_half(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(wide)) << half;
      EXPECT_TRUE(std::isnan(value_of(half_from_float(wide)))) << half;
    } else {
      EXPECT_EQ(wide, value) << half;
      EXPECT_EQ(std::signbit(wide), std::signbit(value)) << half;
      EXPECT_EQ(half_from_float(wide), half);
    }
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  // Between any two neighbours: the middle, which a float holds exactly, and the floats on its two sides.
  for (std::uint16_t lower = 0; lower < kInfinity; ++lower) {
    const auto upper = static_cast<std::uint16_t>(lower + 1);
    // The step beyond the greatest half is as long as the one before.
    const double above = upper == kInfinity ? 65536 : value_of(upper);
    const auto middle = static_cast<float>((value_of(lower) + above) / 2);
    const std::uint16_t even = lower % 2 == 0 ? lower : upper;
    EXPECT_EQ(half_from_float(middle), even) << lower;
    EXPECT_EQ(half_from_float(std::nextafter(middle, 0.0f)), lower) << lower;
    EXPECT_EQ(half_from_float(std::nextafter(middle, 1e9f)), upper) << lower;
    EXPECT_EQ(half_from_float(-middle), even | 0x8000) << lower;
  }
}

TEST(Float16, WhatAHalfCannotHold) {
  EXPECT_EQ(half_from_float(65519.996f), 0x7BFF);
  EXPECT_EQ(half_from_float(65520.0f), kInfinity);
  EXPECT_EQ(half_from_float(1e38f), kInfinity);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::infinity()), kInfinity | 0x8000);
  EXPECT_EQ(half_from_float(1e-10f), 0);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::denorm_min()), 0x8000);
  EXPECT_EQ(half_from_float(-0.0f), 0x8000);
}

}  // namespace
}  // namespace spanker
