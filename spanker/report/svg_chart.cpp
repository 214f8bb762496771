#include "spanker/report/svg_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <iterator>
#include <string_view>

#include "spanker/base/text.hpp"
#include "spanker/report/chart_scale.hpp"

namespace spanker {
namespace {

// All lengths are in pixels of the document.
constexpr double kWidth = 800;
constexpr double kPlotHeight = 380;
constexpr double kMargin = 16;
constexpr double kFontSize = 13;
constexpr double kSmallFontSize = 11;
constexpr double kTitleFontSize = 16;
constexpr double kLineHeight = 20;
constexpr double kTickGap = 6;
constexpr double kMarkerRadius = 4.5;
constexpr double kCapRadius = 4;
constexpr std::size_t kMaxPointLabel = 24;

constexpr std::string_view kInk = "#222222";
constexpr std::string_view kGrid = "#dddddd";
constexpr std::string_view kFrame = "#888888";

// The palette of Okabe and Ito, which the colour-blind can tell apart.
constexpr std::array<std::string_view, 6> kColours = {"#0072b2", "#d55e00", "#009e73",
                                                      "#cc79a7", "#e69f00", "#56b4e9"};
// Around the origin: circle, square, diamond, triangle.
constexpr std::array<std::string_view, 4> kMarkers = {"M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z",
                                                      "M-4 -4H4V4H-4Z", "M0 -5.5L5.5 0L0 5.5L-5.5 0Z",
                                                      "M0 -5L5 4H-5Z"};

/// `text` as XML character data or an attribute's value; what XML has no way to hold is shown as an escape or
/// as U+FFFD.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : escape_control(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  // U+FFFE and U+FFFF are sound UTF-8, but no characters of XML.
  for (const std::string_view outlaw : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (std::size_t at = 0; (at = out.find(outlaw, at)) != std::string::npos;) {
      out.replace(at, outlaw.size(), "\xef\xbf\xbd");
    }
  }
  return out;
}

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_a_character(c); }));
}

/// Printable, and cut to `most` characters, the last of which then is an ellipsis.
std::string shortened(std::string_view text, std::size_t most) {
  std::string printable = escape_control(text);
  if (character_count(printable) <= most) return printable;
  std::size_t end = 0;
  for (std::size_t characters = 0; end < printable.size(); ++end) {
    if (!continues_a_character(printable[end]) && ++characters == most) break;
  }
  return printable.substr(0, end) + "\xe2\x80\xa6";
}

/// Without the font at hand: a wide estimate for sans-serif letters.
double text_width(std::string_view text, double font_size) {
  return 0.6 * font_size * static_cast<double>(character_count(text));
}

std::string fitted(std::string_view text, double width, double font_size) {
  return shortened(text, static_cast<std::size_t>(width / (0.6 * font_size)));
}

struct Box {
  double left, top, right, bottom;

  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool contains(const Box& other) const {
    return left <= other.left && other.right <= right && top <= other.top && other.bottom <= bottom;
  }
};

struct Position {
  double x, y;
};

struct DrawnPoint {
  const ChartPoint* point;
  Position at;
};

class Drawing {
 public:
  explicit Drawing(const Chart& chart)
      : chart_(chart),
        x_(scale(chart, true)),
        y_(scale(chart, false)),
        plot_{left_margin(y_), 0, kWidth - 2 * kMargin, 0} {}

  std::string to_string() {
    draw_head();
    draw_axes();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(i);
    draw_labels();
    return finished();
  }

 private:
  static bool can_show(const Chart& chart, const ChartPoint& point) {
    return ChartScale::holds(point.x, chart.x.logarithmic) && ChartScale::holds(point.y, chart.y.logarithmic);
  }

  static ChartScale scale(const Chart& chart, bool of_x) {
    const bool logarithmic = of_x ? chart.x.logarithmic : chart.y.logarithmic;
    std::vector<double> values;
    const auto add = [&](double value) {
      if (ChartScale::holds(value, logarithmic)) values.push_back(value);
    };
    for (const ChartSeries& series : chart.series) {
      for (const ChartPoint& point : series.points) {
        if (!can_show(chart, point)) continue;
        if (of_x || !chart.diagonal.empty()) add(point.x);
        if (of_x && chart.diagonal.empty()) continue;
        add(point.y);
        if (point.y_range) {
          add(point.y_range->first);
          add(point.y_range->second);
        }
      }
    }
    return {values, logarithmic};
  }

  static double left_margin(const ChartScale& y) {
    double widest = 0;
    for (const double tick : y.ticks()) widest = std::max(widest, text_width(tick_label(tick), kFontSize));
    return kMargin + kLineHeight + widest + kTickGap;
  }

  template <class... Args>
  void draw(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(body_), format, std::forward<Args>(args)...);
    body_ += '\n';
  }

  Position at(double x, double y) const {
    return {plot_.left + x_.position(x) * (plot_.right - plot_.left),
            plot_.bottom - y_.position(y) * (plot_.bottom - plot_.top)};
  }

  /// Title and legend; the plot begins under them.
  void draw_head() {
    double y = kMargin + kTitleFontSize;
    draw(R"(<text x="{:.2f}" y="{:.2f}" font-size="{}" font-weight="bold">{}</text>)", kMargin, y,
         kTitleFontSize, xml(fitted(chart_.title, kWidth - 2 * kMargin, kTitleFontSize)));
    y += 1.5 * kLineHeight;
    double x = plot_.left;
    const auto entry = [&](std::string_view name, std::string_view symbol) {
      constexpr double kSymbolWidth = 24;
      const std::string text = fitted(name, plot_.right - plot_.left - kSymbolWidth, kFontSize);
      const double width = kSymbolWidth + text_width(text, kFontSize);
      if (x > plot_.left && x + width > plot_.right) {
        x = plot_.left;
        y += kLineHeight;
      }
      draw(R"svg(<g transform="translate({:.2f} {:.2f})">{}<text x="{}" y="4.5">{}</text></g>)svg", x, y,
           symbol, kSymbolWidth, xml(text));
      x += width + kMargin;
    };
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      std::string symbol;
      if (chart_.series[i].steps) {
        symbol = fmt::format(R"(<path d="M0 0H18" stroke="{}" stroke-width="1.5"/>)", colour(i));
      }
      symbol +=
          fmt::format(R"svg(<path transform="translate(9 0)" d="{}" fill="{}"/>)svg", marker(i), colour(i));
      entry(chart_.series[i].name, symbol);
    }
    if (!chart_.diagonal.empty()) {
      entry(chart_.diagonal,
            fmt::format(R"(<path d="M0 0H18" stroke="{}" stroke-dasharray="5 4"/>)", kFrame));
    }
    plot_.top = y + kLineHeight;
    plot_.bottom = plot_.top + kPlotHeight;
  }

  void draw_axes() {
    for (const double tick : x_.ticks()) {
      const double x = at(tick, 0).x;
      draw(R"(<path d="M{:.2f} {:.2f}V{:.2f}" stroke="{}"/>)", x, plot_.top, plot_.bottom, kGrid);
      draw(R"(<text x="{:.2f}" y="{:.2f}" text-anchor="middle">{}</text>)", x,
           plot_.bottom + kTickGap + kFontSize, tick_label(tick));
    }
    for (const double tick : y_.ticks()) {
      const double y = at(0, tick).y;
      draw(R"(<path d="M{:.2f} {:.2f}H{:.2f}" stroke="{}"/>)", plot_.left, y, plot_.right, kGrid);
      draw(R"(<text x="{:.2f}" y="{:.2f}" text-anchor="end">{}</text>)", plot_.left - kTickGap, y + 4.5,
           tick_label(tick));
    }
    draw(
        R"(<rect class="plot" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" fill="none" stroke="{}"/>)",
        plot_.left, plot_.top, plot_.right - plot_.left, plot_.bottom - plot_.top, kFrame);
    if (!chart_.diagonal.empty()) {
      draw(R"(<path d="M{:.2f} {:.2f}L{:.2f} {:.2f}" stroke="{}" stroke-dasharray="5 4"/>)", plot_.left,
           plot_.bottom, plot_.right, plot_.top, kFrame);
    }
    const double middle_x = (plot_.left + plot_.right) / 2;
    const double middle_y = (plot_.top + plot_.bottom) / 2;
    draw(R"(<text x="{:.2f}" y="{:.2f}" text-anchor="middle">{}</text>)", middle_x,
         plot_.bottom + kTickGap + kFontSize + kLineHeight,
         xml(fitted(chart_.x.label, plot_.right - plot_.left, kFontSize)));
    draw(R"svg(<text transform="translate({:.2f} {:.2f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
         kMargin + kFontSize, middle_y, xml(fitted(chart_.y.label, kPlotHeight, kFontSize)));
  }

  void draw_series(std::size_t index) {
    const ChartSeries& series = chart_.series[index];
    std::vector<DrawnPoint> points;
    for (const ChartPoint& point : series.points) {
      if (can_show(chart_, point)) points.push_back({&point, at(point.x, point.y)});
    }
    left_out_ += series.points.size() - points.size();
    draw(R"(<g fill="{0}" stroke="{0}">)", colour(index));
    if (series.steps && points.size() > 1) draw_steps(points);
    for (const DrawnPoint& drawn : points) draw_point(series, drawn, marker(index));
    draw("</g>");
    drawn_.insert(drawn_.end(), points.begin(), points.end());
  }

  void draw_steps(std::vector<DrawnPoint> points) {
    std::stable_sort(points.begin(), points.end(),
                     [](const DrawnPoint& a, const DrawnPoint& b) { return a.point->x < b.point->x; });
    Position from = points.front().at;
    std::string path = fmt::format("M{:.2f} {:.2f}", from.x, from.y);
    for (std::size_t i = 1; i < points.size(); ++i) {
      const Position to = points[i].at;
      path += fmt::format("H{:.2f}V{:.2f}", to.x, to.y);
      taken_.push_back({from.x, from.y - 1, to.x, from.y + 1});
      taken_.push_back({to.x - 1, std::min(from.y, to.y), to.x + 1, std::max(from.y, to.y)});
      from = to;
    }
    draw(R"(<path class="steps" d="{}" fill="none" stroke-width="1.5" stroke-opacity="0.6"/>)", path);
  }

  void draw_point(const ChartSeries& series, const DrawnPoint& drawn, std::string_view shape) {
    const auto& [x, y] = drawn.at;
    const ChartPoint& point = *drawn.point;
    taken_.push_back({x - kMarkerRadius, y - kMarkerRadius, x + kMarkerRadius, y + kMarkerRadius});
    draw("<g><title>{}{}{} ({:.4g}, {:.4g})</title>", xml(series.name), point.label.empty() ? "" : ": ",
         xml(point.label), point.x, point.y);
    if (point.y_range && !std::isnan(point.y_range->first) && !std::isnan(point.y_range->second)) {
      const double low = at(point.x, point.y_range->first).y;
      const double high = at(point.x, point.y_range->second).y;
      draw(R"(<path class="range" d="M{0:.2f} {2:.2f}V{3:.2f}M{1:.2f} {2:.2f}h{4}M{1:.2f} {3:.2f}h{4}"/>)", x,
           x - kCapRadius, low, high, 2 * kCapRadius);
      taken_.push_back({x - kCapRadius, high - 1, x + kCapRadius, low + 1});
    }
    draw(R"svg(<path class="marker" transform="translate({:.2f} {:.2f})" d="{}" fill-opacity="0.6"/></g>)svg",
         x, y, shape);
  }

  /// Labels where they hide nothing: over, right of, left of or under their point, or at its corners. Others
  /// stay tooltips.
  void draw_labels() {
    constexpr std::array<std::pair<int, int>, 8> kSides = {
        {{0, -1}, {1, 0}, {-1, 0}, {0, 1}, {1, -1}, {-1, -1}, {1, 1}, {-1, 1}}};
    constexpr double kGap = kMarkerRadius + 3;
    constexpr double kHalfLine = kSmallFontSize / 2;
    constexpr double kApart = 2;
    // The best point often is in the upper right corner: where there is no room inside the plot, a label may
    // jut out over the frame.
    const Box wider{plot_.left, plot_.top - kLineHeight / 2, kWidth - kMargin / 2, plot_.bottom};
    draw(R"(<g font-size="{}">)", kSmallFontSize);
    for (const DrawnPoint& drawn : drawn_) {
      if (drawn.point->label.empty()) continue;
      const std::string text = shortened(drawn.point->label, kMaxPointLabel);
      const double half_width = text_width(text, kSmallFontSize) / 2;
      const auto place = [&](const Box& room) {
        for (const auto& side : kSides) {
          const double x = drawn.at.x + side.first * (kGap + half_width);
          const double y = drawn.at.y + side.second * (kGap + kHalfLine);
          const Box box{x - half_width - kApart, y - kHalfLine, x + half_width + kApart, y + kHalfLine};
          if (!room.contains(box) || hides_something(box)) continue;
          taken_.push_back(box);
          draw(R"(<text class="label" x="{:.2f}" y="{:.2f}" text-anchor="middle">{}</text>)", x, y + 4,
               xml(text));
          return true;
        }
        return false;
      };
      if (!place(plot_)) place(wider);
    }
    draw("</g>");
  }

  bool hides_something(const Box& box) const {
    return std::any_of(taken_.begin(), taken_.end(), [&](const Box& other) { return other.overlaps(box); });
  }

  std::string finished() {
    double height = plot_.bottom + kTickGap + kFontSize + kLineHeight + kMargin;
    if (left_out_ > 0) {
      draw(R"(<text x="{:.2f}" y="{:.2f}" font-size="{}">{}</text>)", plot_.left, height, kSmallFontSize,
           left_out_ == 1 ? std::string("1 point cannot be shown on these axes")
                          : fmt::format("{} points cannot be shown on these axes", left_out_));
      height += kMargin;
    }
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1:.0f}\" viewBox=\"0 0 {0} "
        "{1:.0f}\" "
        "role=\"img\" font-family=\"sans-serif\" font-size=\"{2}\" fill=\"{3}\">\n<title>{4}</title>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{5}</svg>\n",
        kWidth, height, kFontSize, kInk, xml(chart_.title), body_);
  }

  static std::string_view colour(std::size_t series) { return kColours[series % kColours.size()]; }
  static std::string_view marker(std::size_t series) { return kMarkers[series % kMarkers.size()]; }

  const Chart& chart_;
  ChartScale x_;
  ChartScale y_;
  Box plot_;  ///< top and bottom are known once the head is drawn
  std::vector<DrawnPoint> drawn_;
  std::vector<Box> taken_;  ///< where a label would hide something
  std::size_t left_out_ = 0;
  std::string body_;
};

}  // namespace

std::string to_svg(const Chart& chart) {
  assert(chart.diagonal.empty() || chart.x.logarithmic == chart.y.logarithmic);
  return Drawing(chart).to_string();
}

}  // namespace spanker
