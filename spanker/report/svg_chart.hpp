#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spanker {

struct ChartPoint {
  double x = 0;
  double y = 0;
  std::optional<std::pair<double, double>> y_range;  ///< low and high, drawn as an error bar
  std::string label;                                 ///< written beside the point where there is room
};

struct ChartSeries {
  std::string name;
  std::vector<ChartPoint> points;  ///< in any order
  bool steps = false;              ///< joined by a staircase: a point's y holds until the next x
};

struct ChartAxis {
  std::string label;
  bool logarithmic = false;
};

/// Points over two axes. Made for a handful of series and up to some hundred points.
struct Chart {
  std::string title;
  ChartAxis x;
  ChartAxis y;
  /// Name of the line y = x, for what should be equal; empty: none. Both axes then have one range, and must
  /// be of one kind.
  std::string diagonal;
  std::vector<ChartSeries> series;
};

/// The chart as an SVG document, ended by a newline. The same chart gives the same bytes everywhere. Needs
/// nothing from where it is shown: its background is white, its text is escaped, series differ in shape as
/// well as in colour. A point's label, series and numbers are its tooltip. A point that cannot be shown (not
/// finite, or not above zero on a logarithmic axis) is left out, and a line under the chart says so.
std::string to_svg(const Chart& chart);

}  // namespace spanker
