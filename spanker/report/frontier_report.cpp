#include "spanker/report/frontier_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/report/json_values.hpp"
#include "spanker/report/plan_words.hpp"
#include "spanker/report/svg_chart.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;
using Points = std::span<const FrontierPoint>;

Json point_json(const FrontierPoint& point, const Cluster& cluster) {
  const Prediction& prediction = point.prediction;
  return {{"strategy", to_string(point.plan.strategy())},
          {"cards_used", point.plan.cards_used()},
          {"cluster_cards", point.cluster_cards},
          {"seconds_per_token", prediction.decode.total().count()},
          {"tokens_per_second", prediction.tokens_per_second()},
          {"throughput_tokens_per_second", prediction.throughput.tokens_per_second},
          {"streams", prediction.throughput.streams},
          {"micro_batches", prediction.throughput.micro_batches},
          {"time_to_first_token_seconds", prediction.time_to_first_token().count()},
          {"price", point.price ? Json(point.price->value) : Json()},
          {"currency", cluster.currency.empty() ? Json() : Json(cluster.currency)},
          {"watts", point.watts ? Json(point.watts->value) : Json()}};
}

const FrontierPoint& best_by_objective(const Workload& workload, Points points) {
  return *std::ranges::min_element(
      points, {}, [&](const FrontierPoint& point) { return objective_seconds(workload, point.prediction); });
}

std::string streams_together(std::uint64_t streams) { return fmt::format("{} streams", streams); }

/// The points that beat all those of fewer cards. A label tells where the strategy changes.
ChartSeries best_so_far(std::string name, Points points, double (*rate)(const Prediction&)) {
  std::vector<const FrontierPoint*> best;
  for (const FrontierPoint& point : points) {
    if (!best.empty() && rate(point.prediction) <= rate(best.back()->prediction)) continue;
    if (!best.empty() && best.back()->plan.cards_used() == point.plan.cards_used()) best.pop_back();
    best.push_back(&point);
  }
  ChartSeries series{std::move(name), {}, true};
  std::string_view last;
  for (const FrontierPoint* point : best) {
    const std::string_view strategy = spoken(point->plan.strategy());
    series.points.push_back({static_cast<double>(point->plan.cards_used()), rate(point->prediction),
                             std::nullopt, std::string(strategy == last ? "" : strategy)});
    last = strategy;
  }
  return series;
}

}  // namespace

std::string to_json(const Problem& problem, Points points) {
  Json json = {{"schema", "spanker.frontier/1"}};
  json.update(question_json(problem));
  Json& list = json["points"] = Json::array();
  for (const FrontierPoint& point : points) list.push_back(point_json(point, problem.cluster));
  json["warnings"] = warnings_of(problem);
  return as_document(json);
}

std::string to_text(const Problem& problem, Points points, const Style& style) {
  const Workload& workload = problem.workload;
  const bool several_streams = workload.streams > 1;
  const bool priced = std::ranges::any_of(points, [](const auto& point) { return point.price.has_value(); });
  const bool powered = std::ranges::any_of(points, [](const auto& point) { return point.watts.has_value(); });

  std::vector<Table::Column> columns = {{"", Align::kLeft},
                                        {"cards", Align::kRight},
                                        {"strategy", Align::kLeft},
                                        {"tokens/s", Align::kRight},
                                        {"per token", Align::kRight}};
  if (several_streams) {
    columns.push_back({streams_together(workload.streams) + ", tokens/s", Align::kRight});
  }
  columns.push_back({"first token", Align::kRight});
  if (priced) columns.push_back({"price", Align::kRight});
  if (powered) columns.push_back({"power", Align::kRight});

  Table table(columns);
  const FrontierPoint& best = best_by_objective(workload, points);
  for (const FrontierPoint& point : points) {
    const Prediction& prediction = point.prediction;
    std::vector<std::string> cells = {&point == &best ? "*" : "", std::to_string(point.plan.cards_used()),
                                      std::string(spoken(point.plan.strategy())),
                                      fmt::format("{:.4g}", prediction.tokens_per_second()),
                                      format(prediction.decode.total())};
    if (several_streams) cells.push_back(fmt::format("{:.4g}", prediction.throughput.tokens_per_second));
    cells.push_back(format(prediction.time_to_first_token()));
    if (priced) {
      cells.push_back(point.price ? fmt::format("{} {}", format(*point.price), problem.cluster.currency)
                                  : "-");
    }
    if (powered) cells.push_back(point.watts ? format(*point.watts) : "-");
    table.add(std::move(cells));
  }

  std::string text =
      style.bold(fmt::format("{} on up to {} {} of {}: the choices that no other beats",
                             escape_control(problem.model.name), problem.cluster.card_count,
                             problem.cluster.card_count == 1 ? "card" : "cards",
                             escape_control(problem.cluster.name))) +
      "\n\n" + table.to_string(style) +
      fmt::format("\n* the best of these by the objective, {}; decode at context {}, prompt of {}\n",
                  to_string(workload.objective), workload.context, workload.prompt);
  if (const auto warnings = warnings_of(problem); !warnings.empty()) {
    text += "\n" + style.bold("Warnings") + "\n";
    for (const std::string& warning : warnings) text += "  " + style.warning(escape_control(warning)) + "\n";
  }
  return text;
}

std::string to_svg(const Problem& problem, Points points) {
  Chart chart{.title = fmt::format("{} on {}: decode over cards", problem.model.name, problem.cluster.name),
              .x = {"cards used", false},
              .y = {"tokens/s", false},
              .diagonal = "",
              .series = {}};
  chart.series.push_back(best_so_far(
      "one stream", points, [](const Prediction& prediction) { return prediction.tokens_per_second(); }));
  if (problem.workload.streams > 1) {
    chart.series.push_back(
        best_so_far(streams_together(problem.workload.streams) + " together", points,
                    [](const Prediction& prediction) { return prediction.throughput.tokens_per_second; }));
  }
  return to_svg(chart);
}

}  // namespace spanker
