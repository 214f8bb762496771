#include "spanker/comm/reduce_op.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace spanker {
namespace {

std::vector<float> combined(ReduceOp op, std::vector<float> own, const std::vector<float>& others,
                            bool others_first = false) {
  combine(op, own, others, others_first);
  return own;
}

TEST(Combine, EachElementWithTheOther) {
  const std::vector<float> own = {1, -2, 3};
  const std::vector<float> others = {10, -20, -30};
  EXPECT_EQ(combined(ReduceOp::kSum, own, others), (std::vector<float>{11, -22, -27}));
  EXPECT_EQ(combined(ReduceOp::kAvg, own, others), (std::vector<float>{11, -22, -27}));
  EXPECT_EQ(combined(ReduceOp::kMax, own, others), (std::vector<float>{10, -2, 3}));
  EXPECT_EQ(combined(ReduceOp::kMin, own, others), (std::vector<float>{1, -20, -30}));
}

TEST(Combine, GivesNaNWhereEitherIs) {
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kAvg}) {
    for (const bool others_first : {false, true}) {
      const auto result = combined(op, {NAN, 1, 2}, {3, NAN, 4}, others_first);
      EXPECT_TRUE(std::isnan(result[0])) << to_string(op);
      EXPECT_TRUE(std::isnan(result[1])) << to_string(op);
      EXPECT_FALSE(std::isnan(result[2])) << to_string(op);
    }
  }
}

// One side has 0 and gets -0, the other the reverse; with the same one first both keep the same.
TEST(Combine, BothSidesOfAnExchangeGetTheSameZero) {
  for (const ReduceOp op : {ReduceOp::kMax, ReduceOp::kMin}) {
    const auto lower = combined(op, {0.0f, -0.0f}, {-0.0f, 0.0f}, false);
    const auto higher = combined(op, {-0.0f, 0.0f}, {0.0f, -0.0f}, true);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(std::signbit(lower[static_cast<std::size_t>(i)]),
                std::signbit(higher[static_cast<std::size_t>(i)]));
    }
  }
}

TEST(ToString, NamesOperations) {
  EXPECT_EQ(to_string(ReduceOp::kSum), "sum");
  EXPECT_EQ(to_string(ReduceOp::kMax), "max");
  EXPECT_EQ(to_string(ReduceOp::kMin), "min");
  EXPECT_EQ(to_string(ReduceOp::kAvg), "avg");
}

}  // namespace
}  // namespace spanker
