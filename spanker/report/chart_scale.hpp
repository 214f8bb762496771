#pragma once

#include <span>
#include <string>
#include <vector>

// Internal to this module: the axes of a chart.
namespace spanker {

/// A range of numbers that ends at round ticks, linear or logarithmic, and where a number lies in it.
class ChartScale {
 public:
  /// Whether a scale of this kind can hold `value`: 0 or of a size between 1e-100 and 1e100, above zero where
  /// logarithmic.
  static bool holds(double value, bool logarithmic);

  /// A scale around all of `values`, each of which it must be able to hold; around something where there are
  /// none. A linear one includes 0, so that lengths compare as the numbers do, and has whole ticks where all
  /// values are whole.
  ChartScale(std::span<const double> values, bool logarithmic);

  /// Two to ten, ascending; the first and the last are the ends. Linear: multiples of 1, 2 or 5 times a power
  /// of 10. Logarithmic: all of these numbers, or over a long range powers of 10.
  const std::vector<double>& ticks() const { return ticks_; }

  /// 0 at the first tick, 1 at the last. What lies beyond an end, or is no number to a logarithmic scale, is
  /// at that end.
  double position(double value) const;

 private:
  void add_linear_ticks(double low, double high, bool whole);
  void add_logarithmic_ticks(double low, double high);

  bool logarithmic_;
  std::vector<double> ticks_;
};

/// "0.2", "1500", "2000000", "1e+09".
std::string tick_label(double tick);

}  // namespace spanker
