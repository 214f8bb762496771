#include "spanker/report/svg_chart.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/text.hpp"
#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

/// A tag of XML: "<name key="value">", "</name>" or "<name/>".
struct Tag {
  std::string name;
  std::map<std::string, std::string> attributes;
  bool closes = false;
  bool is_whole_element = false;
};

std::string take_name(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) {
    return !(std::isalpha(static_cast<unsigned char>(c)) || c == '-');
  });
  const std::string name(text.begin(), end);
  text.remove_prefix(name.size());
  return name;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

/// Takes the tag that `text` starts with; nothing where it is none of the kind that we write.
std::optional<Tag> take_tag(std::string_view& text) {
  Tag tag;
  if (!take(text, "<")) return std::nullopt;
  tag.closes = take(text, "/");
  tag.name = take_name(text);
  if (tag.name.empty()) return std::nullopt;
  while (take(text, " ")) {
    const std::string key = take_name(text);
    if (key.empty() || !take(text, "=\"")) return std::nullopt;
    const std::size_t end = text.find_first_of("\"<");
    if (end == std::string_view::npos || text[end] == '<') return std::nullopt;
    if (!tag.attributes.emplace(key, text.substr(0, end)).second) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  tag.is_whole_element = take(text, "/");
  if (!take(text, ">")) return std::nullopt;
  return tag;
}

/// "" where `text` is an XML element of the kind that we write: tags that match, quoted attributes, no '<' or
/// lone '&' in text, only characters of XML; else what is wrong.
std::string fault_of_xml(std::string_view text) {
  if (!is_valid_utf8(text)) return "not UTF-8";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return "control character";
  }
  for (const std::string_view outlaw : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    if (text.find(outlaw) != std::string_view::npos) return "noncharacter";
  }
  for (std::size_t at = 0; (at = text.find('&', at)) != std::string_view::npos; ++at) {
    constexpr std::array<std::string_view, 4> kReferences = {"&amp;", "&lt;", "&gt;", "&quot;"};
    if (std::none_of(kReferences.begin(), kReferences.end(),
                     [&](std::string_view reference) { return text.substr(at).starts_with(reference); })) {
      return "lone & before " + std::string(text.substr(at, 20));
    }
  }
  std::vector<std::string> open;
  do {
    const std::string near(text.substr(0, 40));
    const auto tag = take_tag(text);
    if (!tag) return "no tag: " + near;
    if (tag->closes) {
      if (open.empty() || open.back() != tag->name) return "closes what is not open: " + near;
      open.pop_back();
    } else if (!tag->is_whole_element) {
      open.push_back(tag->name);
    }
    if (!open.empty()) text.remove_prefix(std::min(text.find('<'), text.size()));
  } while (!open.empty());
  return text == "\n" ? "" : "more than one element";
}

TEST(FaultOfXml, FindsThem) {
  EXPECT_EQ(fault_of_xml("<a b=\"1\">x&lt;<c/></a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>\n", "<a b=1/>\n", "<a>&</a>\n", "<a>&x;</a>\n", "<a>\x01</a>\n",
                          "<a/><a/>\n", "<a>\xff</a>\n", "<a> < </a>\n", "<a b=\"<\"/>\n"}) {
    EXPECT_NE(fault_of_xml(bad), "") << bad;
  }
}

/// The attributes of the elements of a class.
std::vector<std::map<std::string, std::string>> elements(const std::string& svg,
                                                         const std::string& of_class) {
  std::vector<std::map<std::string, std::string>> found;
  std::string_view rest = svg;
  while (rest.find('<') != std::string_view::npos) {
    rest.remove_prefix(rest.find('<'));
    auto tag = take_tag(rest);
    if (!tag) break;
    if (const auto name = tag->attributes.find("class");
        name != tag->attributes.end() && name->second == of_class)
      found.push_back(std::move(tag->attributes));
  }
  return found;
}

struct Marker {
  double x = 0;
  double y = 0;
};

std::vector<Marker> markers(const std::string& svg) {
  std::vector<Marker> found;
  for (const auto& attributes : elements(svg, "marker")) {
    Marker& marker = found.emplace_back();
    EXPECT_EQ(std::sscanf(attributes.at("transform").c_str(), "translate(%lf %lf)", &marker.x, &marker.y), 2);
  }
  return found;
}

struct Plot {
  double x, y, width, height;
};

Plot plot_of(const std::string& svg) {
  const auto found = elements(svg, "plot");
  EXPECT_EQ(found.size(), 1u);
  if (found.empty()) return {};
  const auto number = [&](const char* key) { return std::strtod(found[0].at(key).c_str(), nullptr); };
  return {number("x"), number("y"), number("width"), number("height")};
}

struct Bar {
  double low = 0;
  double high = 0;
};

/// Of the only error bar: where it begins and ends, downwards.
Bar bar_of(const std::string& svg) {
  const auto found = elements(svg, "range");
  EXPECT_EQ(found.size(), 1u);
  Bar bar;
  if (!found.empty()) {
    EXPECT_EQ(std::sscanf(found[0].at("d").c_str(), "M%*f %lfV%lfM", &bar.low, &bar.high), 2);
  }
  return bar;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

/// Draws, and expects a sound document with `shown` markers inside the plot.
std::string drawn(const Chart& chart, std::size_t shown) {
  std::string svg = to_svg(chart);
  EXPECT_EQ(fault_of_xml(svg), "") << svg;
  for (const std::string_view bad : {"nan", "inf", "-0.00\""}) {
    EXPECT_EQ(svg.find(bad), std::string::npos) << bad << " in\n" << svg;
  }
  const Plot plot = plot_of(svg);
  const std::vector<Marker> found = markers(svg);
  EXPECT_EQ(found.size(), shown);
  for (const Marker& marker : found) {
    EXPECT_GE(marker.x, plot.x);
    EXPECT_LE(marker.x, plot.x + plot.width);
    EXPECT_GE(marker.y, plot.y);
    EXPECT_LE(marker.y, plot.y + plot.height);
  }
  return svg;
}

Chart frontier() {
  Chart chart{
      .title = "Speed", .x = {"cards", false}, .y = {"tokens/s", false}, .diagonal = "", .series = {}};
  chart.series.push_back({"latency", {{1, 2, {}, "single"}, {2, 3, {}, ""}, {4, 4, {}, ""}}, true});
  chart.series.push_back({"throughput", {{1, 2, {}, ""}, {4, 8, {}, "pipeline"}}, true});
  return chart;
}

TEST(SvgChart, PutsPointsWhereTheirNumbersAre) {
  const std::string svg = drawn(frontier(), 5);
  const Plot plot = plot_of(svg);
  // The axes reach from 0 to 4 and from 0 to 8.
  const std::vector<Marker> wanted = {{0.25, 0.25}, {0.5, 0.375}, {1, 0.5}, {0.25, 0.25}, {1, 1}};
  const std::vector<Marker> found = markers(svg);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(found[i].x, plot.x + wanted[i].x * plot.width, 0.011) << i;
    EXPECT_NEAR(found[i].y, plot.y + (1 - wanted[i].y) * plot.height, 0.011) << i;
  }
}

TEST(SvgChart, NamesEverything) {
  const std::string svg = drawn(frontier(), 5);
  for (const char* wanted : {">Speed<", ">cards<", ">tokens/s<", ">latency<", ">throughput<", ">single<",
                             ">pipeline<", "<title>Speed</title>",
                             "<title>throughput: pipeline (4, 8)</title>", "<title>latency (2, 3)</title>"}) {
    EXPECT_NE(svg.find(wanted), std::string::npos) << wanted << " in\n" << svg;
  }
}

TEST(SvgChart, HasItsOwnBackgroundAndIsTheSameEachTime) {
  const std::string svg = drawn(frontier(), 5);
  EXPECT_NE(svg.find("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"), std::string::npos);
  EXPECT_EQ(to_svg(frontier()), svg);
}

TEST(SvgChart, StepsGoAcrossAndThenUpInTheOrderOfX) {
  Chart chart = frontier();
  std::reverse(chart.series[0].points.begin(), chart.series[0].points.end());
  chart.series.pop_back();
  const std::string svg = drawn(chart, 3);
  const auto steps = elements(svg, "steps");
  ASSERT_EQ(steps.size(), 1u);
  double x[3] = {};
  double y[3] = {};
  ASSERT_EQ(std::sscanf(steps[0].at("d").c_str(), "M%lf %lfH%lfV%lfH%lfV%lf", &x[0], &y[0], &x[1], &y[1],
                        &x[2], &y[2]),
            6);
  const std::vector<Marker> found = markers(svg);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(x[i], found[2 - i].x) << i;
    EXPECT_EQ(y[i], found[2 - i].y) << i;
  }

  chart.series[0].steps = false;
  EXPECT_TRUE(elements(drawn(chart, 3), "steps").empty());
}

TEST(SvgChart, DegenerateRangesAreDrawn) {
  for (const bool logarithmic : {false, true}) {
    Chart chart;
    chart.x.logarithmic = chart.y.logarithmic = logarithmic;
    drawn(chart, 0);
    chart.series.push_back({"empty", {}, true});
    drawn(chart, 0);
    chart.series.push_back({"one", {{3, 3, {}, "p"}}, true});
    drawn(chart, 1);
    chart.series.push_back({"equal", {{3, 3, {}, "q"}, {3, 3, {}, "r"}}, true});
    drawn(chart, 3);
    chart.series.push_back({"far apart", {{1e-90, 1e90, {}, ""}, {1e90, 1e-90, {}, ""}}, true});
    drawn(chart, 5);
  }
  Chart zeros;
  zeros.series.push_back({"zeros", {{0, 0, {}, ""}, {0, 0, {}, ""}}, true});
  drawn(zeros, 2);
}

TEST(SvgChart, SaysHowManyPointsItCannotShow) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Chart chart;
  chart.series.push_back({"s", {{0, 1, {}, ""}, {1, kInfinity, {}, ""}}, true});
  EXPECT_NE(drawn(chart, 1).find(">1 point cannot be shown on these axes<"), std::string::npos);
  chart.series[0].points.push_back({std::nan(""), 1, {}, ""});
  EXPECT_NE(drawn(chart, 1).find(">2 points cannot be shown on these axes<"), std::string::npos);
  chart.x.logarithmic = true;
  EXPECT_NE(drawn(chart, 0).find(">3 points cannot be shown on these axes<"), std::string::npos);
  EXPECT_EQ(drawn(frontier(), 5).find("cannot be shown"), std::string::npos);
}

TEST(SvgChart, ErrorBarsAreInsideThePlotAndSpanTheirRange) {
  Chart chart;
  chart.series.push_back({"measured", {{1, 4, std::pair(2.0, 8.0), ""}}, false});
  const std::string svg = drawn(chart, 1);
  const Plot plot = plot_of(svg);
  EXPECT_NEAR(bar_of(svg).low, plot.y + 0.75 * plot.height, 0.011);
  EXPECT_NEAR(bar_of(svg).high, plot.y, 0.011);

  // What has no place on the axis ends at its end; what is no number is not drawn.
  chart.y.logarithmic = true;
  chart.series[0].points[0].y_range = std::pair(0.0, std::numeric_limits<double>::infinity());
  const std::string endless = drawn(chart, 1);
  EXPECT_NEAR(bar_of(endless).low, plot.y + plot.height, 0.011);
  EXPECT_NEAR(bar_of(endless).high, plot.y, 0.011);
  chart.series[0].points[0].y_range = std::pair(std::nan(""), 5.0);
  EXPECT_TRUE(elements(drawn(chart, 1), "range").empty());
}

TEST(SvgChart, ADiagonalGivesBothAxesOneRange) {
  Chart chart;
  chart.diagonal = "predicted = measured";
  chart.series.push_back({"runs", {{2, 8, std::pair(7.0, 40.0), ""}, {3, 3, {}, ""}}, false});
  const std::string svg = drawn(chart, 2);
  EXPECT_NE(svg.find(">predicted = measured<"), std::string::npos);
  const Plot plot = plot_of(svg);
  const std::vector<Marker> found = markers(svg);
  // From 0 to 40 each: the point of x = y lies on the line between the corners.
  EXPECT_NEAR((found[1].x - plot.x) / plot.width, 3.0 / 40, 1e-4);
  EXPECT_NEAR((plot.y + plot.height - found[1].y) / plot.height, 3.0 / 40, 1e-4);
  EXPECT_EQ(count_of(svg, "stroke-dasharray"), 2u) << "the line and its entry in the legend";
  EXPECT_EQ(count_of(to_svg(frontier()), "stroke-dasharray"), 0u);
}

TEST(SvgChart, HostileTextsAreEscaped) {
  const std::string hostile = std::string(testing::kHostile) +
                              "<script>&\"'</text>]]>\xef\xbf\xbe\xef\xbf\xbf" + std::string(1, '\0');
  Chart chart;
  chart.title = chart.x.label = chart.y.label = chart.diagonal = hostile;
  chart.series.push_back({hostile, {{1, 1, {}, hostile}}, true});
  const std::string svg = drawn(chart, 1);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("a\\x1b[31m\\n\\r\\t\\x7f&quot;"), std::string::npos) << svg;
  EXPECT_NE(svg.find("&lt;script&gt;&amp;&quot;"), std::string::npos) << svg;
}

TEST(SvgChart, LongTextsAreCutAtACharacterAndKeptAsATooltip) {
  std::string title;
  for (int i = 0; i < 500; ++i) title += "\xc3\xa9";
  Chart chart = frontier();
  chart.title = chart.series[0].name = chart.x.label = chart.y.label = title;
  chart.series[0].points[0].label = title;
  const std::string svg = drawn(chart, 5);
  EXPECT_NE(svg.find("<title>" + title + "</title>"), std::string::npos);
  EXPECT_EQ(svg.find(">" + title + "</text>"), std::string::npos);
  EXPECT_NE(svg.find("\xc3\xa9\xe2\x80\xa6</text>"), std::string::npos);
}

TEST(SvgChart, LabelsThatWouldOverlapAreTooltipsOnly) {
  Chart chart;
  chart.series.push_back({"s", {}, false});
  for (int i = 0; i < 200; ++i) chart.series[0].points.push_back({1, 1 + i * 1e-6, {}, "here"});
  const std::string svg = drawn(chart, 200);
  EXPECT_EQ(count_of(svg, "<title>s: here"), 200u);
  EXPECT_GE(count_of(svg, "class=\"label\""), 1u);
  EXPECT_LE(count_of(svg, "class=\"label\""), 4u);
}

TEST(SvgChart, ManySeriesGrowTheLegendAndNotThePlotAway) {
  Chart chart = frontier();
  while (chart.series.size() < 40)
    chart.series.push_back({"another series of points", {{1, 1, {}, ""}}, false});
  const Plot plot = plot_of(drawn(chart, 43));
  EXPECT_EQ(plot.height, plot_of(to_svg(frontier())).height);
}

}  // namespace
}  // namespace spanker
