#include "spanker/kernels/vectors.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

void expect_same(const std::vector<float>& got, const std::vector<float>& wanted) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(wanted[i])) << i;
  }
}

TEST(RmsNorm, EverySizeAgainstDoubles) {
  testing::Rng rng(18);
  for (std::size_t size = 1; size <= 70; ++size) {
    const auto x = testing::random_floats(rng, 3 * size);
    const auto weight = testing::random_floats(rng, size);
    std::vector<float> scalar(x.size());
    rms_norm(x, weight, 1e-5f, scalar, Isa::kScalar);
    for (const Isa isa : supported_isas()) {
      std::vector<float> out(x.size());
      rms_norm(x, weight, 1e-5f, out, isa);
      expect_same(out, scalar);
      for (std::size_t vector = 0; vector < 3; ++vector) {
        double squares = 0;
        for (std::size_t i = 0; i < size; ++i) squares += std::pow(x[vector * size + i], 2);
        const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + 1e-5f);
        for (std::size_t i = 0; i < size; ++i) {
          const double wanted = x[vector * size + i] * scale * weight[i];
          // At most 5 + 4 roundings of the sum, halved by the root, and 6 after it.
          EXPECT_NEAR(out[vector * size + i], wanted, std::abs(wanted) * 12 * 0x1p-24) << size;
        }
      }
      std::vector<float> in_place = x;
      rms_norm(in_place, weight, 1e-5f, in_place, isa);
      expect_same(in_place, scalar);
    }
  }
}

TEST(Swiglu, AgainstDoubles) {
  testing::Rng rng(19);
  std::vector<float> gate;
  for (int i = -1000; i <= 1000; ++i) gate.push_back(static_cast<float>(i) * 0.0871f);  // -87.1 to 87.1
  const auto up = testing::random_floats(rng, gate.size());
  std::vector<float> scalar(gate.size());
  swiglu(gate, up, scalar, Isa::kScalar);
  for (const Isa isa : supported_isas()) {
    std::vector<float> out(gate.size());
    swiglu(gate, up, out, isa);
    expect_same(out, scalar);
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double wanted = gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * up[i];
      EXPECT_NEAR(out[i], wanted, std::abs(wanted) * 1e-6) << gate[i];
    }
  }
}

TEST(Swiglu, FarOutAndNotFinite) {
  for (const Isa isa : supported_isas()) {
    const std::vector<float> gate = {-1e30f, -100, 100, 1e30f, kInfinity, kNan, 0};
    const std::vector<float> up(gate.size(), 1);
    std::vector<float> out(gate.size());
    swiglu(gate, up, out, isa);
    EXPECT_LE(std::abs(out[1]), 1e-36);
    EXPECT_EQ(out[2], 100);
    EXPECT_EQ(out[3], 1e30f);
    EXPECT_EQ(out[4], kInfinity);
    EXPECT_TRUE(std::isnan(out[5]));
    EXPECT_EQ(out[6], 0);
  }
}

TEST(AddTo, EverySize) {
  testing::Rng rng(20);
  for (std::size_t size = 1; size <= 50; ++size) {
    const auto x = testing::random_floats(rng, size);
    const auto y = testing::random_floats(rng, size);
    for (const Isa isa : supported_isas()) {
      std::vector<float> sum = y;
      add_to(sum, x, isa);
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(sum[i], y[i] + x[i]);
    }
  }
}

TEST(Softmax, EverySizeAgainstDoubles) {
  testing::Rng rng(21);
  for (std::size_t size = 1; size <= 70; ++size) {
    auto x = testing::random_floats(rng, size);
    for (float& value : x) value *= 20;
    double sum = 0;
    for (const float value : x) sum += std::exp(static_cast<double>(value));
    auto scalar = x;
    softmax(scalar, Isa::kScalar);
    for (const Isa isa : supported_isas()) {
      auto out = x;
      softmax(out, isa);
      expect_same(out, scalar);
      for (std::size_t i = 0; i < size; ++i) {
        const double wanted = std::exp(static_cast<double>(x[i])) / sum;
        // 40 below the greatest, a difference is rounded by 2^-19; the rest is exp and the sum.
        EXPECT_NEAR(out[i], wanted, wanted * 3e-6) << size;
      }
    }
  }
}

TEST(Softmax, GreatDifferencesAndNan) {
  for (const Isa isa : supported_isas()) {
    std::vector<float> x = {1000, -1000, 1000, -kInfinity};
    softmax(x, isa);
    EXPECT_EQ(x[0], 0.5f);
    EXPECT_EQ(x[2], 0.5f);
    EXPECT_LE(x[1], 1e-37f);
    EXPECT_LE(x[3], 1e-37f);
    std::vector<float> bad(20, 1.0f);
    bad[7] = kNan;
    softmax(bad, isa);
    for (const float value : bad) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Argmax, TheFirstOfTheGreatest) {
  EXPECT_EQ(argmax(std::vector<float>{3}), 0u);
  EXPECT_EQ(argmax(std::vector<float>{1, 3, 2, 3}), 1u);
  EXPECT_EQ(argmax(std::vector<float>{-5, -1, -1}), 1u);
  EXPECT_EQ(argmax(std::vector<float>{kNan, -kInfinity, kNan, -7, kNan}), 3u);
  EXPECT_EQ(argmax(std::vector<float>{kNan, kNan}), 0u);
}

}  // namespace
}  // namespace spanker
