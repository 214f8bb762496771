#include "spanker/kernels/rope.hpp"

#include <gtest/gtest.h>

#include <complex>
#include <limits>
#include <numbers>

#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

Rope made(const RopeShape& shape, std::span<const float> factors = {}) {
  const auto rope = Rope::make(shape, factors);
  EXPECT_TRUE(rope) << to_line(rope.error());
  return *rope;
}

std::vector<float> turned(const Rope& rope, std::vector<float> heads, std::size_t head_size,
                          std::size_t position) {
  const auto angles = rope.angles(position, 1);
  rope.rotate(heads, head_size, angles.data());
  return heads;
}

TEST(Rope, TurnsPairsAsComplexNumbers) {
  testing::Rng rng(22);
  constexpr std::size_t kHeadSize = 12;
  constexpr std::size_t kDimensions = 8;
  const std::vector<float> factors = {1, 2, 4, 8};
  const auto x = testing::random_floats(rng, 3 * kHeadSize);
  for (const RopePairing pairing : {RopePairing::kAdjacent, RopePairing::kHalves}) {
    const Rope rope = made({kDimensions, pairing, 500.0, 2.0}, factors);
    for (const std::size_t position : {0u, 1u, 7u, 4000u}) {
      const auto y = turned(rope, x, kHeadSize, position);
      for (std::size_t head = 0; head < 3; ++head) {
        for (std::size_t i = 0; i < kDimensions / 2; ++i) {
          const std::size_t first = head * kHeadSize + (pairing == RopePairing::kAdjacent ? 2 * i : i);
          const std::size_t second = first + (pairing == RopePairing::kAdjacent ? 1 : kDimensions / 2);
          const double angle = static_cast<double>(position) / 2 / factors[i] /
                               std::pow(500.0, 2.0 * static_cast<double>(i) / kDimensions);
          const auto wanted = std::complex<double>(x[first], x[second]) * std::polar(1.0, angle);
          // Cosine, sine, two products and their sum are rounded, all of magnitude at most sqrt(2).
          EXPECT_NEAR(y[first], wanted.real(), 6 * 0x1p-24);
          EXPECT_NEAR(y[second], wanted.imag(), 6 * 0x1p-24);
        }
        for (std::size_t i = kDimensions; i < kHeadSize; ++i) {
          EXPECT_EQ(y[head * kHeadSize + i], x[head * kHeadSize + i]);
        }
      }
    }
  }
}

TEST(Rope, AQuarterTurnByHand) {
  const Rope adjacent = made({2, RopePairing::kAdjacent, 10000, 2 / std::numbers::pi});
  const auto y = turned(adjacent, {1, 0, 0, 1}, 2, 1);  // two heads, each turned by pi / 2
  EXPECT_NEAR(y[0], 0, 1e-7);
  EXPECT_NEAR(y[1], 1, 1e-7);
  EXPECT_NEAR(y[2], -1, 1e-7);
  EXPECT_NEAR(y[3], 0, 1e-7);
}

TEST(Rope, AnglesOfManyPositionsAreThoseOfEach) {
  const Rope rope = made({64, RopePairing::kHalves});
  const auto many = rope.angles(5, 3);
  ASSERT_EQ(many.size(), 3 * rope.dimensions());
  for (std::size_t t = 0; t < 3; ++t) {
    const auto one = rope.angles(5 + t, 1);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), many.begin() + static_cast<std::ptrdiff_t>(t * 64)));
  }
}

std::string failure(const RopeShape& shape, std::vector<float> factors = {}) {
  const auto rope = Rope::make(shape, factors);
  return rope ? "made" : to_line(rope.error());
}

TEST(Rope, RefusesWhatCannotBe) {
  EXPECT_EQ(failure({7, RopePairing::kHalves}),
            "rotary embedding: dimensions are not pairs, wanted an even number above 0, got 7");
  EXPECT_EQ(failure({0, RopePairing::kHalves}),
            "rotary embedding: dimensions are not pairs, wanted an even number above 0, got 0");
  EXPECT_EQ(failure({4, RopePairing::kHalves}, {1, 2, 3}),
            "rotary embedding: frequency factors are for another head size, wanted 2 factors, got 3");
  EXPECT_NE(failure({4, RopePairing::kHalves}, {1, 0}).find("frequency factor 1 is wrong"),
            std::string::npos);
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_NE(failure({4, RopePairing::kHalves, bad}).find("wanted positive numbers"), std::string::npos);
    EXPECT_NE(failure({4, RopePairing::kHalves, 1, bad}).find("wanted positive numbers"), std::string::npos);
  }
}

}  // namespace
}  // namespace spanker
