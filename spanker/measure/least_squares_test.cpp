#include "spanker/measure/least_squares.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace spanker {
namespace {

/// Residuals of a line through points with noise of 1.
Residuals line(std::vector<std::pair<double, double>> points) {
  return [points = std::move(points)](std::span<const double> x) {
    std::vector<double> residuals;
    for (const auto& [at, measured] : points) residuals.push_back(x[0] + x[1] * at - measured);
    return residuals;
  };
}

constexpr Unknown kWide{0, 1e6, 1e6, -1e6, 1e6};

TEST(LeastSquares, FindsALine) {
  const LeastSquares problem({kWide, kWide}, line({{0, 1}, {1, 3}, {2, 5}}));
  const auto x = problem.minimise({0, 0}, {true, true});
  EXPECT_NEAR(x[0], 1, 1e-6);
  EXPECT_NEAR(x[1], 2, 1e-6);
}

TEST(LeastSquares, HoldsWhatIsNotFreeAndWhatIsAtItsBound) {
  const LeastSquares problem({kWide, {0, 1e6, 1e6, 0, 1.5}}, line({{0, 1}, {1, 3}, {2, 5}}));
  EXPECT_NEAR(problem.minimise({7, 0}, {false, true})[0], 7, 0);
  EXPECT_EQ(problem.minimise({0, 0}, {true, true})[1], 1.5);
}

TEST(LeastSquares, OneWildPointDecidesNothing) {
  const LeastSquares problem({kWide, kWide}, line({{0, 1}, {1, 3}, {2, 5}, {3, 7}, {4, 9}, {5, 1000}}));
  const auto x = problem.minimise({0, 0}, {true, true});
  EXPECT_NEAR(x[1], 2, 2);
}

TEST(LeastSquares, PriorSettlesWhatTheDataLeaveOpen) {
  // Only the sum is measured.
  const Residuals sum = [](std::span<const double> x) { return std::vector{1e3 * (x[0] + x[1] - 10)}; };
  const LeastSquares problem({{2, 1, 1, -100, 100}, {2, 2, 2, -100, 100}}, sum);
  const auto x = problem.minimise({0, 0}, {true, true});
  EXPECT_NEAR(x[0] + x[1], 10, 1e-3);
  EXPECT_NEAR(x[1] - 2, 4 * (x[0] - 2), 1e-2) << "moves by variances";
  const std::size_t order[] = {0, 1};
  const auto information = problem.information(x, order);
  EXPECT_GT(information[0], 1);
  EXPECT_LT(information[1], 1e-6) << "the first takes it all";
}

// One measurement of noise 1 and a prior of deviation s: the interval of rise z^2 is +- z / sqrt(1 + 1/s^2).
TEST(LeastSquares, IntervalIsThatOfANormalDistribution) {
  const Residuals one = [](std::span<const double> x) { return std::vector{x[0] - 5}; };
  const LeastSquares problem({{5, 2, 2, -100, 100}}, one);
  const auto [low, high] = problem.interval(0, {5}, {true}, 1.645 * 1.645);
  const double half = 1.645 / std::sqrt(1 + 0.25);
  EXPECT_NEAR(low, 5 - half, 1e-4);
  EXPECT_NEAR(high, 5 + half, 1e-4);
}

TEST(LeastSquares, IntervalCountsWhatOthersCanTakeOn) {
  const Residuals sum = [](std::span<const double> x) { return std::vector{1e3 * (x[0] + x[1] - 4)}; };
  const LeastSquares problem({{2, 1, 1, 0, 100}, {2, 1, 1, 0, 100}}, sum);
  const auto alone = problem.interval(0, {2, 2}, {true, false}, 1);
  const auto together = problem.interval(0, {2, 2}, {true, true}, 1);
  EXPECT_NEAR(alone.second - alone.first, 2e-3, 1e-4);
  EXPECT_NEAR(together.second - together.first, std::sqrt(2.0), 1e-2);
}

}  // namespace
}  // namespace spanker
