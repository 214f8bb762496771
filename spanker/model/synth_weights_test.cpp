#include "spanker/model/synth_weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

#include "spanker/model/dequantise_for_test.hpp"

namespace spanker {
namespace {

using testing::dequantised;
using testing::Moments;
using testing::moments;
using testing::stored;

constexpr TensorType kTypes[] = {TensorType::kF32, TensorType::kF16, TensorType::kQ8_0, TensorType::kQ4_0};

NamedTensor matrix(TensorType type, std::uint64_t columns = 1024, std::uint64_t rows = 512) {
  return {"blk.0.ffn_up.weight", TensorPurpose::kFfn, {type, columns, rows}};
}

std::vector<std::byte> bytes_of(const NamedTensor& named, std::uint64_t seed = 1) {
  std::vector<std::byte> bytes(named.tensor.bytes().value);
  const auto source = random_values(named, seed);
  EXPECT_TRUE(source) << to_line(source.error());
  (*source)(bytes);
  return bytes;
}

std::vector<float> values_of(const NamedTensor& named) {
  return dequantised(named.tensor.type, bytes_of(named));
}

TEST(SynthWeights, MatricesHaveNoMeanAndADeviationByTheirColumns) {
  for (const TensorType type : kTypes) {
    for (const std::uint64_t columns : {64u, 1024u, 16384u}) {
      // Half a million values: the mean is off by 0.0014 deviations, and the deviation by 0.1 %, in the mean.
      const Moments got = moments(values_of(matrix(type, columns, (1 << 19) / columns)));
      const double wanted = 1 / std::sqrt(static_cast<double>(columns));
      EXPECT_NEAR(got.mean, 0, 0.007 * wanted) << to_string(type) << " " << columns;
      EXPECT_NEAR(got.deviation, wanted, 0.007 * wanted) << to_string(type) << " " << columns;
    }
  }
}

TEST(SynthWeights, NeighboursHaveNothingToDoWithEachOther) {
  for (const TensorType type : kTypes) {
    const std::vector<float> values = values_of(matrix(type));
    for (const std::size_t apart : {1u, 16u, 32u, 1024u}) {
      double product = 0;
      for (std::size_t i = apart; i < values.size(); ++i) product += double{values[i]} * values[i - apart];
      const double correlation = product / static_cast<double>(values.size()) * 1024;
      // Elements of one q4_0 block share the sign of its scale and a mean of -1/2 of it: 1/4 over 21.5.
      const double most = type == TensorType::kQ4_0 ? 0.25 / 21.5 + 0.007 : 0.007;
      EXPECT_LT(std::abs(correlation), most) << to_string(type) << " " << apart;
    }
  }
}

TEST(SynthWeights, OfQ4_0AllCodesAndBothSignsOccur) {
  const std::vector<std::byte> bytes = bytes_of(matrix(TensorType::kQ4_0));
  std::array<int, 16> counts{};
  int negative = 0;
  std::set<std::uint16_t> scales;
  const std::size_t blocks = bytes.size() / 18;
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto half = stored<std::uint16_t>(bytes, block * 18);
    negative += half >> 15;
    scales.insert(half & 0x7FFF);
    for (std::size_t i = 2; i < 18; ++i) {
      const int byte = stored<std::uint8_t>(bytes, block * 18 + i);
      ++counts[static_cast<std::size_t>(byte % 16)];
      ++counts[static_cast<std::size_t>(byte / 16)];
    }
  }
  for (const int count : counts) EXPECT_NEAR(count, 32768, 5 * 181);  // 5 times its deviation
  EXPECT_NEAR(negative, static_cast<double>(blocks) / 2, 5 * 64);
  EXPECT_GT(scales.size(), 300u);
  EXPECT_NEAR(float_from_half(*scales.rbegin()) / float_from_half(*scales.begin()), 5.0 / 3, 0.01);
}

TEST(SynthWeights, OfQ8_0WhatQuantisingMakes) {
  const std::vector<std::byte> bytes = bytes_of(matrix(TensorType::kQ8_0));
  std::array<int, 256> counts{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 34 >= 2) ++counts[static_cast<std::size_t>(stored<std::int8_t>(bytes, i) + 128)];
  }
  for (std::size_t i = 0; i < bytes.size(); i += 34) {
    EXPECT_GT(float_from_half(stored<std::uint16_t>(bytes, i)), 0) << i;
  }
  EXPECT_EQ(counts[0], 0) << "-128";
  for (std::size_t i = 1; i < 256; ++i) EXPECT_NEAR(counts[i], i == 128 ? 4096 : 2048, 5 * 64) << i;
}

TEST(SynthWeights, NormsAreNearOneAndBiasesSmall) {
  const Tensor vector{TensorType::kF32, 100'000, 1};
  for (const NamedTensor& near_one : {NamedTensor{"output_norm.weight", TensorPurpose::kNorm, vector},
                                      NamedTensor{"rope_freqs.weight", TensorPurpose::kAttention, vector}}) {
    const std::vector<float> values = values_of(near_one);
    const auto [least, most] = std::ranges::minmax(values);
    EXPECT_GE(least, 0.9f);
    EXPECT_LT(least, 0.901f);
    EXPECT_LT(most, 1.1f);
    EXPECT_GT(most, 1.099f);
    EXPECT_NEAR(moments(values).mean, 1, 0.001);
    EXPECT_NEAR(moments(values).deviation, 0.2 / std::sqrt(12), 0.001);
  }
  const Moments bias = moments(values_of({"blk.3.attn_q.bias", TensorPurpose::kAttention, vector}));
  EXPECT_NEAR(bias.mean, 0, 0.0005);
  EXPECT_NEAR(bias.deviation, 0.02, 0.0005);
}

TEST(SynthWeights, PiecesMakeTheSameAsTheWhole) {
  for (const TensorType type : kTypes) {
    const NamedTensor named = matrix(type, 64, 32);
    const std::vector<std::byte> whole = bytes_of(named);
    std::vector<std::byte> pieces(whole.size());
    const auto source = random_values(named, 1);
    ASSERT_TRUE(source);
    const std::size_t block = block_shape(type).bytes;
    (*source)(std::span(pieces).first(block));
    (*source)(std::span(pieces).subspan(block, 0));
    (*source)(std::span(pieces).subspan(block, 4 * block));
    (*source)(std::span(pieces).subspan(5 * block));
    EXPECT_EQ(pieces, whole) << to_string(type);
  }
}

TEST(SynthWeights, AnotherSeedMakesOtherValues) {
  for (const TensorType type : kTypes) {
    EXPECT_NE(bytes_of(matrix(type), 1), bytes_of(matrix(type), 2)) << to_string(type);
  }
}

TEST(SynthWeights, OtherTypesAreRefused) {
  const auto source = random_values(matrix(TensorType::kQ4_K), 1);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(source.error()),
            "tensor blk.0.ffn_up.weight: random weights are not made of that type, wanted q4_0, q8_0, f16 or "
            "f32, got q4_k");
}

}  // namespace
}  // namespace spanker
