#include "spanker/report/chart_scale.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace spanker {
namespace {

std::vector<std::string> labels(const std::vector<double>& values, bool logarithmic) {
  std::vector<std::string> result;
  const ChartScale scale(values, logarithmic);
  for (const double tick : scale.ticks()) result.push_back(tick_label(tick));
  return result;
}

using Labels = std::vector<std::string>;

TEST(ChartScale, LinearTicksAreRoundAndStartAtZero) {
  EXPECT_EQ(labels({1, 2, 3, 4}, false), (Labels{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(labels({64}, false), (Labels{"0", "10", "20", "30", "40", "50", "60", "70"}));
  EXPECT_EQ(labels({80.5}, false), (Labels{"0", "20", "40", "60", "80", "100"}));
  EXPECT_EQ(labels({0.7, 0.3}, false), (Labels{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"}));
  EXPECT_EQ(labels({1000, 1001}, false), (Labels{"0", "200", "400", "600", "800", "1000", "1200"}));
  EXPECT_EQ(labels({-3, 4}, false), (Labels{"-3", "-2", "-1", "0", "1", "2", "3", "4"}));
  EXPECT_EQ(labels({-0.15}, false),
            (Labels{"-0.16", "-0.14", "-0.12", "-0.1", "-0.08", "-0.06", "-0.04", "-0.02", "0"}));
}

TEST(ChartScale, WholeValuesHaveWholeTicks) {
  EXPECT_EQ(labels({1}, false), (Labels{"0", "1"}));
  EXPECT_EQ(labels({1, 2}, false), (Labels{"0", "1", "2"}));
  EXPECT_EQ(labels({1, 1.5}, false), (Labels{"0", "0.2", "0.4", "0.6", "0.8", "1", "1.2", "1.4", "1.6"}));
}

TEST(ChartScale, LogarithmicTicksAreRoundNumbersOrPowersOfTen) {
  EXPECT_EQ(labels({3}, true), (Labels{"2", "5"}));
  EXPECT_EQ(labels({2}, true), (Labels{"1", "2", "5"}));
  EXPECT_EQ(labels({0.15, 12}, true), (Labels{"0.1", "0.2", "0.5", "1", "2", "5", "10", "20"}));
  EXPECT_EQ(labels({0.02, 3000}, true), (Labels{"0.01", "0.1", "1", "10", "100", "1000", "10000"}));
  EXPECT_EQ(labels({1, 1e24}, true),
            (Labels{"1", "1000", "1000000", "1e+09", "1e+12", "1e+15", "1e+18", "1e+21", "1e+24"}));
}

TEST(ChartScale, HasARangeWhateverTheValues) {
  EXPECT_EQ(labels({}, false), (Labels{"0", "1"}));
  EXPECT_EQ(labels({0, 0}, false), (Labels{"0", "1"}));
  EXPECT_EQ(labels({}, true), (Labels{"1", "2", "5", "10"}));
}

TEST(ChartScale, HoldsWhatHasAPlaceOnIt) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const bool logarithmic : {false, true}) {
    for (const double value : {1e-100, 1.0, 1e100})
      EXPECT_TRUE(ChartScale::holds(value, logarithmic)) << value;
    for (const double value : {kInfinity, -kInfinity, std::nan(""), 1e101, 1e-101, 5e-324}) {
      EXPECT_FALSE(ChartScale::holds(value, logarithmic)) << value;
    }
    for (const double value : {0.0, -1.0}) EXPECT_EQ(ChartScale::holds(value, logarithmic), !logarithmic);
  }
}

TEST(ChartScale, PositionIsLinearOrLogarithmic) {
  const ChartScale linear(std::vector{-3.0, 5.0}, false);
  EXPECT_DOUBLE_EQ(linear.position(-3), 0);
  EXPECT_DOUBLE_EQ(linear.position(1), 0.5);
  EXPECT_DOUBLE_EQ(linear.position(5), 1);
  const ChartScale logarithmic(std::vector{1.0, 1e6}, true);
  EXPECT_DOUBLE_EQ(logarithmic.position(1), 0);
  EXPECT_DOUBLE_EQ(logarithmic.position(1000), 0.5);
  EXPECT_DOUBLE_EQ(logarithmic.position(1e6), 1);
}

TEST(ChartScale, WhatLiesBeyondAnEndIsAtThatEnd) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const bool logarithmic : {false, true}) {
    const ChartScale scale(std::vector{2.0, 5.0}, logarithmic);
    for (const double value : {-kInfinity, -1.0}) EXPECT_EQ(scale.position(value), 0) << value;
    for (const double value : {5.1, kInfinity}) EXPECT_EQ(scale.position(value), 1) << value;
  }
}

TEST(TickLabel, IsShort) {
  EXPECT_EQ(tick_label(0.0002), "0.0002");
  EXPECT_EQ(tick_label(3 * 0.1), "0.3");
  EXPECT_EQ(tick_label(150000), "150000");
  EXPECT_EQ(tick_label(-2000000), "-2000000");
  EXPECT_EQ(tick_label(1e9), "1e+09");
}

/// Whether the first of nine decimal digits is one of `firsts` and the others are 0.
bool is_round(double number, std::string_view firsts) {
  const std::string text = fmt::format("{:.8e}", std::abs(number));
  return firsts.find(text[0]) != std::string_view::npos && text.substr(1, 9) == ".00000000";
}

double any_size() { return *rc::gen::inRange(1, 100'000) * std::pow(10.0, *rc::gen::inRange(-60, 60)); }

RC_GTEST_PROP(ChartScaleProperty, LinearTicksAreRoundMultiplesAroundAllValues, ()) {
  std::vector<double> values(*rc::gen::inRange<std::size_t>(1, 5));
  for (double& value : values) value = *rc::gen::arbitrary<bool>() ? any_size() : -any_size();
  const std::vector<double> ticks = ChartScale(values, false).ticks();
  RC_ASSERT(ticks.size() >= 2u && ticks.size() <= 10u);
  const double step = ticks[1] - ticks[0];
  RC_ASSERT(is_round(step, "125"));
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const double multiple = ticks[i] / step;
    RC_ASSERT(std::abs(multiple - std::round(multiple)) < 1e-6);
  }
  for (const double value : values) {
    RC_ASSERT(ticks.front() <= value + 1e-6 * step && value - 1e-6 * step <= ticks.back());
  }
  RC_ASSERT(ticks.front() <= 0 && ticks.back() >= 0);
}

RC_GTEST_PROP(ChartScaleProperty, LogarithmicTicksAreRoundAroundAllValues, ()) {
  std::vector<double> values(*rc::gen::inRange<std::size_t>(1, 5));
  for (double& value : values) value = any_size();
  const std::vector<double> ticks = ChartScale(values, true).ticks();
  RC_ASSERT(ticks.size() >= 2u && ticks.size() <= 10u);
  RC_ASSERT(std::is_sorted(ticks.begin(), ticks.end(), std::less_equal<>()));
  for (const double tick : ticks) RC_ASSERT(is_round(tick, "125"));
  for (const double value : values) {
    RC_ASSERT(ticks.front() <= value * (1 + 1e-6) && value * (1 - 1e-6) <= ticks.back());
  }
}

}  // namespace
}  // namespace spanker
