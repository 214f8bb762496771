#include "spanker/kernels/packed_matrix.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "spanker/kernels/dequantise.hpp"
#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max() / 4;

std::vector<float> row_of(const PackedMatrix& matrix, std::size_t row) {
  std::vector<float> values(matrix.columns());
  matrix.unpack_row(row, values);
  return values;
}

void expect_holds_every_row(testing::Rng& rng, WeightType type, std::size_t rows, std::size_t columns) {
  const std::size_t row_bytes = columns / weight_block(type).elements * weight_block(type).bytes;
  const auto stored = testing::random_weights(rng, type, rows * columns);
  std::vector<std::byte> memory(PackedMatrix::size_of(type, rows, columns).value + 2, std::byte{0xA5});
  // Not at an even address, and with a byte on each side that must stay.
  const auto matrix =
      PackedMatrix::make(type, rows, columns, std::span(memory).subspan(1, memory.size() - 2));
  ASSERT_TRUE(matrix) << to_line(matrix.error());
  matrix->pack(0, {stored.data(), row_bytes, rows});
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<float> wanted(columns);
    dequantise(type, stored.data() + row * row_bytes, wanted);
    ASSERT_EQ(row_of(*matrix, row), wanted) << to_string(type) << " row " << row << " of " << rows;
  }
  EXPECT_EQ(memory.front(), std::byte{0xA5});
  EXPECT_EQ(memory.back(), std::byte{0xA5});
}

TEST(PackedMatrix, HoldsEveryRowOfAnyCount) {
  testing::Rng rng(3);
  for (const WeightType type : testing::kWeightTypes) {
    for (std::size_t rows = 1; rows <= 40; ++rows) expect_holds_every_row(rng, type, rows, 512);
    // Several panels and chunks, the last ones not whole.
    for (const std::size_t rows : {63u, 64u, 150u}) expect_holds_every_row(rng, type, rows, 2304);
  }
}

TEST(PackedMatrix, TakesPartOfTheColumnsAndNoOtherByte) {
  testing::Rng rng(4);
  for (const WeightType type : testing::kWeightTypes) {
    const WeightBlock block = weight_block(type);
    const std::size_t rows = 5;
    const std::size_t row_bytes = 1024 / block.elements * block.bytes;
    const std::size_t first = 256 / block.elements * block.bytes;
    const std::size_t part = 512 / block.elements * block.bytes;
    auto stored = testing::random_weights(rng, type, rows * 1024);
    std::vector<std::byte> memory(PackedMatrix::size_of(type, rows, 512).value);
    const auto packed = [&] {
      const auto matrix = PackedMatrix::make(type, rows, 512, memory);
      matrix->pack(0, {stored.data() + first, row_bytes, rows});
      return memory;
    };
    const auto before = packed();
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < row_bytes; ++i) {
        if (i < first || i >= first + part) stored[row * row_bytes + i] = std::byte{0xFF};
      }
    }
    EXPECT_EQ(packed(), before) << to_string(type);
  }
}

TEST(PackedMatrix, FusesMatricesRowByRow) {
  testing::Rng rng(5);
  const std::size_t row_bytes = 64 / 32 * 18;
  const auto q = testing::random_weights(rng, WeightType::kQ4_0, 21 * 64);
  const auto k = testing::random_weights(rng, WeightType::kQ4_0, 7 * 64);
  std::vector<std::byte> memory(PackedMatrix::size_of(WeightType::kQ4_0, 28, 64).value);
  const auto matrix = PackedMatrix::make(WeightType::kQ4_0, 28, 64, memory);
  matrix->pack(21, {k.data(), row_bytes, 7});
  matrix->pack(0, {q.data(), row_bytes, 21});
  std::vector<float> wanted(64);
  dequantise(WeightType::kQ4_0, q.data() + 20 * row_bytes, wanted);
  EXPECT_EQ(row_of(*matrix, 20), wanted);
  dequantise(WeightType::kQ4_0, k.data(), wanted);
  EXPECT_EQ(row_of(*matrix, 21), wanted);
}

TEST(PackedMatrix, TakesTheStoredBytesOfWholeGroups) {
  EXPECT_EQ(PackedMatrix::size_of(WeightType::kQ4_0, 2048, 5632).value, 2048u * 5632 / 32 * 18);
  EXPECT_EQ(PackedMatrix::size_of(WeightType::kQ6_K, 32000, 2048).value, 32000u * 2048 / 256 * 210);
  EXPECT_EQ(PackedMatrix::size_of(WeightType::kQ4_K, 17, 256).value, 32u * 144);
  EXPECT_EQ(PackedMatrix::size_of(WeightType::kF16, 1, 3).value, 16u * 3 * 2);
  EXPECT_EQ(PackedMatrix::size_of(WeightType::kF32, kMany, kMany).value,
            std::numeric_limits<std::uint64_t>::max());
}

std::string failure(WeightType type, std::size_t rows, std::size_t columns, std::size_t bytes) {
  std::vector<std::byte> memory(bytes);
  const auto matrix = PackedMatrix::make(type, rows, columns, memory);
  return matrix ? "made" : to_line(matrix.error());
}

TEST(PackedMatrix, RefusesWhatCannotBe) {
  EXPECT_EQ(failure(WeightType::kQ6_K, 4, 128, 99999),
            "matrix of 4 x 128 q6_k weights: columns end within a block, wanted a multiple of 256, got 128");
  EXPECT_EQ(failure(WeightType::kQ4_0, 16, 32, 287),
            "matrix of 16 x 32 q4_0 weights: too little memory, wanted 288 bytes, got 287");
  EXPECT_EQ(failure(WeightType::kF32, 0, 32, 99),
            "matrix of 0 x 32 f32 weights: empty, wanted at least one row and one column");
  EXPECT_NE(failure(WeightType::kF32, kMany, kMany, 99).find("too little memory"), std::string::npos);
}

}  // namespace
}  // namespace spanker
