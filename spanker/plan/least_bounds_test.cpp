#include "spanker/plan/least_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/random_problem_for_test.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

using testing::Dice;
using testing::fixed;
using testing::problem_count;
using testing::small_problem;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Deals that are listed, each by what it reaches.
class ListedDeals : public DealSpace {
 public:
  ListedDeals(std::vector<double> weights, std::vector<Bounds> deals)
      : weights_(std::move(weights)), deals_(std::move(deals)) {}

  std::size_t axes() const override { return weights_.size(); }
  double cost(std::size_t axis, double value) const override { return weights_[axis] * value; }
  std::optional<Bounds> reached(const Bounds& bounds) const override {
    if (++asked_ > 100'000) throw std::runtime_error("the search does not end");
    for (const Bounds& deal : deals_) {
      if (std::ranges::equal(deal, bounds, std::less_equal())) return deal;
    }
    return std::nullopt;
  }
  double next(std::size_t axis, double value) const override {
    double next = kInfinite;
    for (const Bounds& deal : deals_) {
      if (deal[axis] > value) next = std::min(next, deal[axis]);
    }
    return next;
  }
  double most(std::size_t axis) const override {
    double most = 0;
    for (const Bounds& deal : deals_) most = std::max(most, deal[axis]);
    return most;
  }

  double least_price() const {
    double least = kInfinite;
    for (const Bounds& deal : deals_) least = std::min(least, price(deal));
    return least;
  }
  double price(const Bounds& bounds) const {
    double sum = 0;
    for (std::size_t axis = 0; axis < bounds.size(); ++axis) sum += cost(axis, bounds[axis]);
    return sum;
  }

 private:
  std::vector<double> weights_;
  std::vector<Bounds> deals_;
  mutable std::size_t asked_ = 0;
};

double ulps_above(double value, std::uint64_t count) {
  for (; count > 0; --count) value = std::nextafter(value, kInfinite);
  return value;
}

/// Values that are few and far apart, or neighbours of such.
ListedDeals random_deals(Dice& dice) {
  const std::size_t axes = dice.from(1, 4);
  std::vector<double> weights;
  for (std::size_t axis = 0; axis < axes; ++axis) weights.push_back(dice.real(0.1, 10));
  std::vector<Bounds> deals(dice.from(1, 12));
  for (Bounds& deal : deals) {
    for (std::size_t axis = 0; axis < axes; ++axis) {
      deal.push_back(ulps_above(0.1 * static_cast<double>(dice.from(1, 9)), dice.from(0, 3)));
    }
  }
  return {std::move(weights), std::move(deals)};
}

TEST(LeastBounds, AreThoseOfTheCheapestDeal) {
  for (std::uint32_t seed = 0; seed < problem_count(4000); ++seed) {
    Dice dice(seed);
    const ListedDeals deals = random_deals(dice);
    const auto least = least_bounds(deals);
    ASSERT_TRUE(least) << seed;
    EXPECT_NEAR(deals.price(least->bounds) / deals.least_price(), 1, 1e-12) << seed;
    for (std::size_t axis = 0; axis < deals.axes(); ++axis) {
      EXPECT_EQ(least->least[axis], deals.next(axis, 0)) << seed;
    }
  }
}

TEST(LeastBounds, AreNoneWithoutDeals) { EXPECT_FALSE(least_bounds(ListedDeals({1, 1}, {}))); }

TEST(LeastBounds, AreFoundWhereSharesOfTwoCardsDifferInTheLastBit) {
  // The second card does 32 columns while the first does 64, but for rounding.
  double bandwidth = 0.5e9 * (1 - 1e-15);
  for (; bandwidth < 0.5e9 * (1 + 1e-15); bandwidth = ulps_above(bandwidth, 1)) {
    Problem problem = small_problem(2);
    problem.cluster.link.latency = fixed(Seconds(0));
    problem.cluster.link.bandwidth = fixed(BytesPerSecond(1e15));
    CardSpec& slower = problem.cluster.card_overrides[1] = problem.cluster.card;
    slower.memory_bandwidth = fixed(BytesPerSecond(bandwidth));
    const auto plan = search(problem);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->stages.size(), 1u);
    EXPECT_EQ(plan->stages[0].shares.ffn_columns, (std::vector<std::uint64_t>{64, 32})) << bandwidth;
  }
}

}  // namespace
}  // namespace spanker
