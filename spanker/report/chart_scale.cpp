#include "spanker/report/chart_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace spanker {
namespace {

constexpr double kSmallest = 1e-100;
constexpr double kLargest = 1e100;
constexpr int kMaxIntervals = 8;
/// Rounding that a quotient or a decimal fraction may carry.
constexpr double kRounding = 1e-9;

/// Round numbers in a row: ..., 0.5 at -1, 1 at 0, 2 at 1, 5 at 2, 10 at 3, ...
double round_number(int index) {
  constexpr std::array kMantissas = {1.0, 2.0, 5.0};
  const int digit = ((index % 3) + 3) % 3;
  const int exponent = (index - digit) / 3;
  const double mantissa = kMantissas[static_cast<std::size_t>(digit)];
  // Positive powers of 10 are exact for longer than negative ones.
  return exponent < 0 ? mantissa / std::pow(10.0, -exponent) : mantissa * std::pow(10.0, exponent);
}

/// The index of the largest round number that is at most `value`, which is above zero.
int round_below(double value) {
  int index = 3 * static_cast<int>(std::floor(std::log10(value))) - 1;
  while (round_number(index + 1) <= value * (1 + kRounding)) ++index;
  return index;
}

int round_above(double value) {
  const int below = round_below(value);
  return round_number(below) < value * (1 - kRounding) ? below + 1 : below;
}

int divided_up(int number, int by) { return (number + by - 1) / by; }
int multiple_below(int index, int stride) { return index - ((index % stride) + stride) % stride; }
int multiple_above(int index, int stride) { return -multiple_below(-index, stride); }

}  // namespace

bool ChartScale::holds(double value, bool logarithmic) {
  const double size = std::abs(value);
  const bool in_range = size >= kSmallest && size <= kLargest;
  return logarithmic ? in_range && value > 0 : in_range || value == 0;
}

ChartScale::ChartScale(std::span<const double> values, bool logarithmic) : logarithmic_(logarithmic) {
  if (logarithmic) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    add_logarithmic_ticks(values.empty() ? 1 : *low, values.empty() ? 10 : *high);
    return;
  }
  double low = 0;
  double high = 0;
  bool whole = true;
  for (const double value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    whole = whole && value == std::round(value);
  }
  add_linear_ticks(low, low == high ? 1 : high, whole);
}

void ChartScale::add_linear_ticks(double low, double high, bool whole) {
  const double least = (high - low) / kMaxIntervals;
  const double step = round_number(round_above(whole ? std::max(least, 1.0) : least));
  const auto first = static_cast<int>(std::floor(low / step + kRounding));
  const auto last = static_cast<int>(std::ceil(high / step - kRounding));
  for (int i = first; i <= last; ++i) ticks_.push_back(i * step);
}

void ChartScale::add_logarithmic_ticks(double low, double high) {
  int first = round_below(low);
  int last = round_above(high);
  if (first == last) {
    --first;
    ++last;
  }
  // Every round number, or every so many powers of 10.
  const int decades = divided_up(last - first, 3);
  const int stride = last - first <= kMaxIntervals ? 1 : 3 * divided_up(decades, kMaxIntervals);
  for (int i = multiple_below(first, stride); i <= multiple_above(last, stride); i += stride) {
    ticks_.push_back(round_number(i));
  }
}

double ChartScale::position(double value) const {
  const double low = ticks_.front();
  const double high = ticks_.back();
  if (!(value > low)) return 0;
  if (value >= high) return 1;
  return logarithmic_ ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

std::string tick_label(double tick) {
  const double size = std::abs(tick);
  return size >= 1e6 && size < 1e9 ? fmt::format("{:.0f}", tick) : fmt::format("{:g}", tick);
}

}  // namespace spanker
