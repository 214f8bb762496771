#include "spanker/comm/wire.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace spanker {
namespace {

constexpr WireType kWires[] = {WireType::kF32, WireType::kF16, WireType::kQ8_0};

std::vector<std::byte> encoded(WireType type, const std::vector<float>& values) {
  std::vector<std::byte> wire(wire_bytes(type, values.size()) + 1, std::byte{0xAB});
  encode(type, values, wire.data());
  EXPECT_EQ(wire.back(), std::byte{0xAB}) << "wrote too much";
  wire.pop_back();
  return wire;
}

std::vector<float> decoded(WireType type, const std::vector<std::byte>& wire, std::size_t elements) {
  std::vector<float> values(elements + 1, 12345.0f);
  decode(type, wire.data(), std::span(values).first(elements));
  EXPECT_EQ(values.back(), 12345.0f) << "wrote too much";
  values.pop_back();
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

/// Empty where decoding gives what was encoded once; the guarantee on which equal results on all ranks rest.
void expect_projection(WireType type, const std::vector<float>& values) {
  const auto once = decoded(type, encoded(type, values), values.size());
  const auto twice = decoded(type, encoded(type, once), values.size());
  EXPECT_TRUE(same_bits(once, twice)) << to_string(type);
  auto rounded = values;
  round_to_wire(type, rounded);
  EXPECT_TRUE(same_bits(once, rounded)) << to_string(type);
}

TEST(WireBytes, CountWholeAndShorterUnits) {
  EXPECT_EQ(wire_bytes(WireType::kF32, 10), 40u);
  EXPECT_EQ(wire_bytes(WireType::kF16, 10), 20u);
  EXPECT_EQ(wire_bytes(WireType::kQ8_0, 0), 0u);
  EXPECT_EQ(wire_bytes(WireType::kQ8_0, 1), 3u);
  EXPECT_EQ(wire_bytes(WireType::kQ8_0, 32), 34u);
  EXPECT_EQ(wire_bytes(WireType::kQ8_0, 33), 37u);
  EXPECT_EQ(wire_bytes(WireType::kQ8_0, 2048), 64u * 34);
}

// By hand: the largest magnitude, 127, makes the scale 1, which is 0x3C00 as a half.
TEST(Encode, OneBlockOfQ8_0) {
  const std::vector<float> values = {127, -127, 0.4f, -0.6f, 2.5f, 3.5f};
  const std::vector<std::byte> wire = encoded(WireType::kQ8_0, values);
  const std::vector<int> wanted = {0x00, 0x3C, 127, -127 & 0xFF, 0, -1 & 0xFF, 2, 4};
  ASSERT_EQ(wire.size(), wanted.size());
  for (std::size_t i = 0; i < wire.size(); ++i) EXPECT_EQ(std::to_integer<int>(wire[i]), wanted[i]) << i;
  EXPECT_EQ(decoded(WireType::kQ8_0, wire, 6), (std::vector<float>{127, -127, 0, -1, 2, 4}));
}

TEST(Encode, EveryUnitOfQ8_0HasItsOwnScale) {
  std::vector<float> values(70, 1000);
  std::fill(values.begin() + 32, values.begin() + 64, 0.25f);
  values[69] = 1e-5f;
  values[68] = 3e-6f;
  const auto after = decoded(WireType::kQ8_0, encoded(WireType::kQ8_0, values), values.size());
  EXPECT_NEAR(after[0], 1000, 1000.0 / 253);
  EXPECT_NEAR(after[32], 0.25, 0.25 / 253);
  EXPECT_NEAR(after[64], 1000, 1000.0 / 253);
  EXPECT_EQ(after[69], 0);
}

TEST(Encode, HalvesAreExactWhereTheyCanBe) {
  const std::vector<float> values = {0, -0.0f, 1, -2048, 65504, 0x1p-24f, INFINITY, -INFINITY};
  EXPECT_TRUE(same_bits(decoded(WireType::kF16, encoded(WireType::kF16, values), values.size()), values));
}

// All scales, and for each the largest magnitudes about which choosing it again could go wrong.
TEST(Encode, IsAProjectionForEveryScaleOfQ8_0) {
  for (std::uint32_t exponent = 0; exponent < 60; ++exponent) {
    for (std::uint32_t step = 0; step < 2048; ++step) {
      const float largest = std::ldexp(1 + static_cast<float>(step) / 2048, static_cast<int>(exponent) - 34);
      for (const float value : {largest, std::nextafter(largest, 0.0f), largest * 1.0002f}) {
        std::vector<float> values = {value, -value, value * 0.7131f, value * 0.5f, -value * 0.01f, 0};
        expect_projection(WireType::kQ8_0, values);
      }
    }
  }
}

TEST(Encode, IsNearTheValueDownToTheSmallest) {
  for (int exponent = -34; exponent < 22; ++exponent) {
    for (float mantissa = 1; mantissa < 2; mantissa += 0.0137f) {
      const float largest = std::ldexp(mantissa, exponent);
      std::vector<float> values;
      for (int i = 0; i < 32; ++i) values.push_back(largest * (1 - static_cast<float>(i) * 0.0613f));
      const double largest_magnitude = std::fabs(*std::max_element(
          values.begin(), values.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); }));
      const auto after = decoded(WireType::kQ8_0, encoded(WireType::kQ8_0, values), values.size());
      const double relative = largest_magnitude < 0.0078 ? 1.0 / 127 : 1.0 / 253;
      for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_LE(std::fabs(static_cast<double>(after[i]) - values[i]),
                  largest_magnitude * relative + 0x1p-25)
            << values[i];
      }
    }
  }
}

TEST(Encode, AUnitWithWhatIsNotFiniteBecomesNaN) {
  for (const float bad :
       {INFINITY, -INFINITY, static_cast<float>(NAN), 1e7f, std::numeric_limits<float>::max()}) {
    std::vector<float> values(64, 1);
    values[40] = bad;
    const auto after = decoded(WireType::kQ8_0, encoded(WireType::kQ8_0, values), values.size());
    EXPECT_NEAR(after[0], 1, 1.0 / 253);
    for (std::size_t i = 32; i < 64; ++i) EXPECT_TRUE(std::isnan(after[i])) << bad << " " << i;
    expect_projection(WireType::kQ8_0, values);
  }
}

RC_GTEST_PROP(Encode, IsAProjectionForAnyBits, ()) {
  const auto bits = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::arbitrary<std::uint32_t>());
  const auto scale = *rc::gen::inRange(-40, 40);
  std::vector<float> any;
  std::vector<float> finite;
  for (const std::uint32_t each : bits) {
    any.push_back(std::bit_cast<float>(each));
    finite.push_back(std::ldexp(static_cast<float>(static_cast<std::int32_t>(each)), scale - 31));
  }
  for (const WireType type : kWires) {
    expect_projection(type, any);
    expect_projection(type, finite);
  }
}

TEST(ToString, NamesWireTypes) {
  EXPECT_EQ(to_string(WireType::kF32), "f32");
  EXPECT_EQ(to_string(WireType::kF16), "f16");
  EXPECT_EQ(to_string(WireType::kQ8_0), "q8_0");
}

}  // namespace
}  // namespace spanker
