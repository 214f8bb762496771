#include "spanker/kernels/matmul.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <optional>

#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

/// A matrix with its stored form, and vectors to multiply with.
struct Case {
  Case(testing::Rng& rng, WeightType type, std::size_t row_count, std::size_t column_count,
       std::size_t vector_count, std::size_t misalignment = 0)
      : rows(row_count),
        columns(column_count),
        vectors(vector_count),
        stored(testing::random_weights(rng, type, rows * columns)),
        memory(PackedMatrix::size_of(type, rows, columns).value + misalignment, std::byte{0xFF}),
        values(testing::random_floats(rng, vectors * columns)) {
    matrix = *PackedMatrix::make(type, rows, columns, std::span(memory).subspan(misalignment));
    const WeightBlock block = weight_block(type);
    matrix.pack(0, {stored.data(), columns / block.elements * block.bytes, rows});
    if (is_quantised(type)) {
      blocks.resize(values.size() / 32);
      quantise(values, blocks);
    }
  }

  /// [vectors][rows], with NaN where nothing was written.
  std::vector<float> product(Isa isa, std::optional<RowRange> range = {}) const {
    std::vector<float> y(vectors * rows, std::numeric_limits<float>::quiet_NaN());
    matmul(matrix, {vectors, values.data(), blocks.data()}, range.value_or(RowRange{0, rows}), y.data(), rows,
           isa);
    return y;
  }

  /// The activation that is really multiplied with.
  double x(std::size_t i) const {
    return blocks.empty() ? values[i]
                          : static_cast<double>(blocks[i / 32].scale) * blocks[i / 32].values[i % 32];
  }

  std::size_t rows;
  std::size_t columns;
  std::size_t vectors;
  std::vector<std::byte> stored;
  std::vector<std::byte> memory;
  std::vector<float> values;
  std::vector<QuantisedBlock> blocks;
  PackedMatrix matrix;
};

void expect_same_bits(const std::vector<float>& got, const std::vector<float>& wanted,
                      const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(wanted[i]))
        << what << ", " << i;
  }
}

/// Every product against naive sums of doubles.
void expect_right(const Case& c, Isa isa, const std::string& what) {
  const auto weights = testing::values_of(c.matrix.type(), c.stored);
  const auto y = c.product(isa);
  // Roundings that a term passes: one for each further term of a float sum (half of the columns, or two for
  // each 32), and two where it is made. Each is at most 2^-24 of a partial sum, which the sum of all
  // magnitudes bounds; for Q4_K those of weight and minimum apart, which are at most 32 times the weight's
  // own largest.
  const std::size_t roundings = is_quantised(c.matrix.type()) ? c.columns / 32 * 2 + 2 : c.columns / 2 + 2;
  for (std::size_t v = 0; v < c.vectors; ++v) {
    for (std::size_t row = 0; row < c.rows; ++row) {
      double wanted = 0;
      double magnitudes = 0;
      for (std::size_t i = 0; i < c.columns; ++i) {
        const double x = c.x(v * c.columns + i);
        const double weight = weights[row * c.columns + i];
        wanted += weight * x;
        magnitudes += std::abs(x) * (c.matrix.type() == WeightType::kQ4_K ? 2 * 63 * 15 : std::abs(weight));
      }
      ASSERT_NEAR(y[v * c.rows + row], wanted, static_cast<double>(roundings) * 0x1p-24 * magnitudes)
          << what << " vector " << v << " row " << row;
    }
  }
}

std::size_t block_multiple(WeightType type, std::size_t i) {
  return is_quantised(type) ? i * weight_block(type).elements : 1 + i * 37;
}

TEST(Matmul, EveryShapeAgainstNaiveSums) {
  testing::Rng rng(8);
  for (const WeightType type : testing::kWeightTypes) {
    for (std::size_t rows = 1; rows <= 40; rows += rows < 18 ? 1 : 7) {
      for (const std::size_t i : {1u, 2u, 3u, 4u}) {
        const Case c(rng, type, rows, block_multiple(type, i), 1 + rows % 3);
        const std::string what =
            std::string(to_string(type)) + " " + std::to_string(rows) + " x " + std::to_string(c.columns);
        const auto wanted = c.product(Isa::kScalar);
        for (const Isa isa : supported_isas()) {
          expect_right(c, isa, what + " with " + std::string(to_string(isa)));
          expect_same_bits(c.product(isa), wanted, what);
        }
      }
    }
  }
}

TEST(Matmul, EveryNumberOfVectorsAtOnceHasTheBitsOfOne) {
  testing::Rng rng(9);
  for (const WeightType type : testing::kWeightTypes) {
    for (std::size_t vectors = 1; vectors <= 19; ++vectors) {
      const Case c(rng, type, 20, 256, vectors);
      for (const Isa isa : supported_isas()) {
        const auto all = c.product(isa);
        for (std::size_t v = 0; v < vectors; ++v) {
          std::vector<float> one(c.rows);
          matmul(c.matrix,
                 {1, c.values.data() + v * 256, c.blocks.empty() ? nullptr : c.blocks.data() + v * 8},
                 {0, c.rows}, one.data(), c.rows, isa);
          expect_same_bits(one,
                           {all.begin() + static_cast<std::ptrdiff_t>(v * c.rows),
                            all.begin() + static_cast<std::ptrdiff_t>((v + 1) * c.rows)},
                           std::string(to_string(type)));
        }
      }
    }
  }
}

TEST(Matmul, AtAnyAddress) {
  testing::Rng rng(10);
  for (const WeightType type : testing::kWeightTypes) {
    for (const std::size_t misalignment : {1u, 2u, 31u, 63u}) {
      const Case c(rng, type, 17, 512, 9, misalignment);
      for (const Isa isa : supported_isas()) expect_right(c, isa, std::string(to_string(type)));
    }
  }
}

TEST(Matmul, ExtremesOfQuantisedValuesDoNotOverflow) {
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ6_K}) {
    for (const int pattern : {0x00, 0x7F, 0x80, 0xFF}) {
      for (const float sign : {-1.0f, 1.0f}) {
        testing::Rng rng(11);
        Case c(rng, type, 16, 256, 1);
        // All but the scales, which random_weights has put where they belong.
        const WeightBlock block = weight_block(type);
        const auto scales = c.stored;
        std::ranges::fill(c.stored, static_cast<std::byte>(pattern));
        const std::size_t first = type == WeightType::kQ6_K ? 208 : 0;
        const std::size_t count = type == WeightType::kQ4_K ? 4 : 2;
        for (std::size_t at = 0; at < c.stored.size(); at += block.bytes) {
          for (std::size_t i = first; i < first + count; ++i) c.stored[at + i] = scales[at + i];
        }
        c.matrix.pack(0, {c.stored.data(), 256 / block.elements * block.bytes, 16});
        for (float& value : c.values) value = sign;
        quantise(c.values, c.blocks);
        for (const Isa isa : supported_isas()) expect_right(c, isa, std::string(to_string(type)));
      }
    }
  }
}

TEST(Matmul, QuantisedActivationsAreNearTheFloats) {
  testing::Rng rng(12);
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ6_K}) {
    const Case c(rng, type, 16, 1024, 2);
    const auto weights = testing::values_of(type, c.stored);
    const auto y = c.product(best_isa());
    for (std::size_t v = 0; v < c.vectors; ++v) {
      for (std::size_t row = 0; row < c.rows; ++row) {
        double wanted = 0;
        double bound = 0;
        for (std::size_t i = 0; i < c.columns; ++i) {
          const double weight = weights[row * c.columns + i];
          wanted += weight * c.values[v * c.columns + i];
          // Half a step of the activation, which is below 1 / 127, and 1 % for all other roundings.
          bound += std::abs(weight) * 0.505 / 127;
        }
        EXPECT_NEAR(y[v * c.rows + row], wanted, bound) << to_string(type);
      }
    }
  }
}

TEST(Matmul, WhatIsNotFiniteShows) {
  testing::Rng rng(13);
  for (const WeightType type : testing::kWeightTypes) {
    Case c(rng, type, 16, 256, 1);
    c.values[100] = std::numeric_limits<float>::quiet_NaN();
    if (is_quantised(type)) quantise(c.values, c.blocks);
    for (const Isa isa : supported_isas()) {
      for (const float y : c.product(isa)) EXPECT_TRUE(std::isnan(y)) << to_string(type);
    }
  }
}

TEST(Matmul, DealsManyRowsInWholePanels) {
  for (const std::size_t rows : {1000u, 2048u, 5632u, 32001u}) {
    std::size_t next = 0;
    for (std::size_t part = 0; part < 2; ++part) {
      const RowRange range = part_of_rows(rows, part, 2);
      EXPECT_EQ(range.begin, next);
      EXPECT_EQ(range.begin % (rows < 1024 ? 16 : 64), 0u);
      next = range.end;
    }
    EXPECT_EQ(next, rows);
  }
}

TEST(Matmul, DealsRowsToThreads) {
  for (std::size_t rows = 0; rows < 100; ++rows) {
    for (std::size_t parts = 1; parts < 9; ++parts) {
      std::size_t next = 0;
      std::size_t least = rows;
      std::size_t most = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const RowRange range = part_of_rows(rows, part, parts);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.begin % 16 == 0 || range.begin == rows);
        next = range.end;
        least = std::min(least, range.end - range.begin);
        most = std::max(most, range.end - range.begin);
      }
      EXPECT_EQ(next, rows);
      EXPECT_LE(most - least, 16 + 15u);  // one group, and one that is not full
    }
  }
}

RC_GTEST_PROP(MatmulProperty, RowsAreTheSameHoweverTheyAreDealt, ()) {
  const auto type = *rc::gen::elementOf(
      std::vector<WeightType>(std::begin(testing::kWeightTypes), std::end(testing::kWeightTypes)));
  const auto rows = *rc::gen::inRange<std::size_t>(1, 80);
  // One chunk of columns or several, the last one whole or not.
  const auto blocks = *rc::gen::element<std::size_t>(1, 3, 9, 31, 33, 70);
  const auto vectors = *rc::gen::inRange<std::size_t>(1, 12);
  const auto isa = *rc::gen::elementOf(std::vector<Isa>(supported_isas().begin(), supported_isas().end()));
  testing::Rng rng(*rc::gen::arbitrary<unsigned>());
  const Case c(rng, type, rows, block_multiple(type, blocks), vectors);
  const auto whole = c.product(isa);

  // One matrix, its rows dealt to threads.
  const auto first = *rc::gen::inRange<std::size_t>(0, rows);
  const auto last = *rc::gen::inRange<std::size_t>(first, rows + 1);
  const auto part = c.product(isa, RowRange{first, last});
  // Rows dealt to cards: the part packed by itself.
  const WeightBlock block = weight_block(type);
  const std::size_t row_bytes = c.columns / block.elements * block.bytes;
  const std::size_t shard_rows = rows - first;
  std::vector<std::byte> memory(PackedMatrix::size_of(type, shard_rows, c.columns).value);
  const auto shard = *PackedMatrix::make(type, shard_rows, c.columns, memory);
  shard.pack(0, {c.stored.data() + first * row_bytes, row_bytes, shard_rows});
  std::vector<float> of_shard(vectors * shard_rows);
  matmul(shard, {vectors, c.values.data(), c.blocks.data()}, {0, shard_rows}, of_shard.data(), shard_rows,
         isa);

  for (std::size_t v = 0; v < vectors; ++v) {
    for (std::size_t row = 0; row < rows; ++row) {
      const float wanted = whole[v * rows + row];
      if (row >= first && row < last) {
        RC_ASSERT(std::bit_cast<std::uint32_t>(part[v * rows + row]) == std::bit_cast<std::uint32_t>(wanted));
      } else {
        RC_ASSERT(std::isnan(part[v * rows + row]));
      }
      if (row >= first) {
        RC_ASSERT(std::bit_cast<std::uint32_t>(of_shard[v * shard_rows + row - first]) ==
                  std::bit_cast<std::uint32_t>(wanted));
      }
    }
  }
}

}  // namespace
}  // namespace spanker
