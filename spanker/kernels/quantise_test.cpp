#include "spanker/kernels/quantise.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

std::vector<QuantisedBlock> quantised(const std::vector<float>& values, Isa isa) {
  std::vector<QuantisedBlock> blocks(values.size() / 32);
  quantise(values, blocks, isa);
  return blocks;
}

TEST(Quantise, RoundsToTheNearestMultipleOfTheScale) {
  testing::Rng rng(6);
  auto values = testing::random_floats(rng, 64 * 32);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] *= std::ldexp(1.0f, static_cast<int>(i / 32) - 32);
  for (const Isa isa : supported_isas()) {
    const auto blocks = quantised(values, isa);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      float greatest = 0;
      int sums[2] = {};
      for (std::size_t i = 0; i < 32; ++i) {
        const double x = values[b * 32 + i];
        const double scale = blocks[b].scale;
        greatest = std::max(greatest, std::abs(values[b * 32 + i]));
        sums[i / 16] += blocks[b].values[i];
        // Half a step, and the roundings of scale, inverse and product: 127 steps by 4 * 2^-24.
        EXPECT_LE(std::abs(x - scale * blocks[b].values[i]), scale * (0.5 + 127 * 0x1p-22));
      }
      EXPECT_EQ(blocks[b].scale, greatest / 127);
      EXPECT_EQ(blocks[b].minus_sum, -sums[0] - sums[1]);
      EXPECT_EQ(blocks[b].minus_half_sums[0], -sums[0]);
      EXPECT_EQ(blocks[b].minus_half_sums[1], -sums[1]);
    }
  }
}

TEST(Quantise, TiesGoToTheEven) {
  std::vector<float> values(32);
  values[0] = 127;  // scale 1
  values[1] = 0.5f;
  values[2] = 1.5f;
  values[31] = -2.5f;
  for (const Isa isa : supported_isas()) {
    const auto block = quantised(values, isa)[0];
    EXPECT_EQ(block.values[0], 127);
    EXPECT_EQ(block.values[1], 0);
    EXPECT_EQ(block.values[2], 2);
    EXPECT_EQ(block.values[31], -2);
  }
}

TEST(Quantise, SameBitsWithAllInstructions) {
  testing::Rng rng(7);
  const auto values = testing::random_floats(rng, 1000 * 32);
  const auto wanted = quantised(values, Isa::kScalar);
  for (const Isa isa : supported_isas()) {
    const auto blocks = quantised(values, isa);
    EXPECT_EQ(std::memcmp(blocks.data(), wanted.data(), blocks.size() * sizeof blocks[0]), 0)
        << to_string(isa);
  }
}

TEST(Quantise, ZerosAndWhatIsNearlyZero) {
  std::vector<float> values(64);
  values[40] = 1e-38f;
  for (const Isa isa : supported_isas()) {
    for (const QuantisedBlock& block : quantised(values, isa)) {
      EXPECT_EQ(block.scale, 0);
      for (const std::int8_t value : block.values) EXPECT_EQ(value, 0);
    }
  }
}

TEST(Quantise, WhatIsNotFiniteStaysSo) {
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    for (std::size_t at = 0; at < 32; ++at) {
      std::vector<float> values(32, 1.0f);
      values[at] = bad;
      for (const Isa isa : supported_isas()) {
        const QuantisedBlock block = quantised(values, isa)[0];
        EXPECT_FALSE(std::isfinite(block.scale)) << bad << " at " << at;
        for (const std::int8_t value : block.values) EXPECT_EQ(value, 0);
      }
    }
  }
}

}  // namespace
}  // namespace spanker
