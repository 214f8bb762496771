#include "spanker/kernels/dequantise.hpp"

#include <gtest/gtest.h>

#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

TEST(Dequantise, EveryTypeByItsDefinition) {
  testing::Rng rng(1);
  for (const WeightType type : testing::kWeightTypes) {
    const std::size_t count = 4 * 256;
    const auto stored = testing::random_weights(rng, type, count);
    const auto wanted = testing::values_of(type, stored);
    ASSERT_EQ(wanted.size(), count);
    std::vector<float> values(count);
    dequantise(type, stored.data(), values);
    for (std::size_t i = 0; i < count; ++i) {
      // All are exact but Q4_K, where one difference is rounded: both its parts are below 2 * 63 * 15.
      const double tolerance = type == WeightType::kQ4_K ? 2 * 63 * 15 * 0x1p-24 : 0;
      EXPECT_NEAR(values[i], wanted[i], tolerance) << to_string(type) << " " << i;
    }
  }
}

TEST(Dequantise, AtAnyAddress) {
  testing::Rng rng(2);
  for (const WeightType type : testing::kWeightTypes) {
    auto stored = testing::random_weights(rng, type, 256);
    std::vector<float> aligned(256);
    dequantise(type, stored.data(), aligned);
    stored.insert(stored.begin(), std::byte{});
    std::vector<float> unaligned(256);
    dequantise(type, stored.data() + 1, unaligned);
    EXPECT_EQ(aligned, unaligned) << to_string(type);
  }
}

TEST(Dequantise, BlocksWrittenByHand) {
  // Scale 0.5; weight 0 is nibble 9, weight 16 nibble 0, weight 15 nibble 15, weight 31 nibble 8.
  std::byte q4_0[18] = {std::byte{0x00}, std::byte{0x38}, std::byte{0x09}};
  q4_0[17] = std::byte{0x8F};
  float values[32];
  dequantise(WeightType::kQ4_0, q4_0, values);
  EXPECT_EQ(values[0], 0.5f);
  EXPECT_EQ(values[16], -4.0f);
  EXPECT_EQ(values[15], 3.5f);
  EXPECT_EQ(values[31], 0.0f);

  std::byte q8_0[34] = {std::byte{0x00}, std::byte{0xC0}, std::byte{0x80}, std::byte{0x7F}};  // scale -2
  dequantise(WeightType::kQ8_0, q8_0, values);
  EXPECT_EQ(values[0], 256.0f);
  EXPECT_EQ(values[1], -254.0f);
}

}  // namespace
}  // namespace spanker
