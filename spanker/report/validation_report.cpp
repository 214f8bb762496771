#include "spanker/report/validation_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/json_values.hpp"
#include "spanker/report/svg_chart.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

// ---- Fits

Json fit_json(const Fit& fit) {
  Json numbers = Json::array();
  for (const FittedNumber& number : fit.numbers) {
    const auto if_modelled = [&](double value) { return number.modelled ? Json(value) : Json(); };
    numbers.push_back({{"key", number.key},
                       {"identified", number.identified},
                       {"before", number.before},
                       {"value", if_modelled(number.value)},
                       {"low", if_modelled(number.low)},
                       {"high", if_modelled(number.high)}});
  }
  return {
      {"runs", fit.runs}, {"observations", fit.observations}, {"scatter", fit.scatter}, {"numbers", numbers}};
}

std::string number_text(std::string_view key, double value) {
  if (key.ends_with("bandwidth")) return format(BytesPerSecond(value));
  if (key.ends_with("latency") || key.ends_with("overhead")) return format(Seconds(value));
  return format(Share(value));
}

std::string fit_table(const Fit& fit, const Style& style) {
  Table table({{"", Align::kLeft},
               {"before", Align::kRight},
               {"value", Align::kRight},
               {"range", Align::kLeft},
               {"", Align::kLeft}});
  for (const FittedNumber& number : fit.numbers) {
    const auto text = [&](double value) { return number_text(number.key, value); };
    if (!number.modelled) {
      table.add({std::string(number.key), "-", "-", "", "not identified: not modelled"});
    } else {
      table.add({std::string(number.key), text(number.before), text(number.value),
                 text(number.low) + " to " + text(number.high),
                 number.identified ? "fitted" : "not identified: as before, within what the runs allow"});
    }
  }
  return table.to_string(style);
}

// ---- Validations

Json compared_json(const Compared& compared) {
  const auto error = compared.error();
  return {{"predicted", compared.predicted},
          {"low", compared.low},
          {"high", compared.high},
          {"measured", compared.measured ? Json(*compared.measured) : Json()},
          {"error", error ? Json(*error) : Json()},
          {"inside", compared.measured ? Json(compared.inside()) : Json()}};
}

Json run_json(const ValidatedRun& run) {
  return {{"cluster", run.run.cluster},
          {"model", run.run.model},
          {"schedule", to_string(run.run.schedule)},
          {"cards", run.run.cards},
          {"fitted", run.fitted},
          {"compute_seconds", compared_json(run.compute)},
          {"transfer_seconds", compared_json(run.transfer)},
          {"seconds_per_token", compared_json(run.total)},
          {"source", run.run.source}};
}

Json summary_json(const PartSummary& summary) {
  return {{"runs", summary.runs},
          {"inside", summary.inside},
          {"median_high_over_low", summary.median_high_over_low},
          {"median_error", summary.median_error},
          {"worst_error", summary.worst_error}};
}

std::vector<std::string> cells(const Compared& compared) {
  const auto ms = [](double seconds) { return fmt::format("{:.4g}", seconds * 1e3); };
  const auto error = compared.error();
  return {compared.measured ? ms(*compared.measured) : "-", ms(compared.predicted),
          fmt::format("{} to {}", ms(compared.low), ms(compared.high)),
          error ? fmt::format("{:+.1f} %", *error * 100) : "-",
          !compared.measured || !error ? "-"
          : compared.inside()          ? "inside"
                                       : "OUTSIDE"};
}

std::string part_table(const Validation& validation, RunPart part, const Style& style) {
  Table table({{std::string(to_string(part)), Align::kLeft},
               {"model", Align::kLeft},
               {"cards", Align::kRight},
               {"", Align::kLeft},
               {"measured", Align::kRight},
               {"predicted", Align::kRight},
               {"band", Align::kRight},
               {"error", Align::kRight},
               {"", Align::kLeft}});
  for (const ValidatedRun& run : validation.runs) {
    if (!run.part(part).measured) continue;
    std::vector<std::string> row = {run.run.cluster, run.run.model, std::to_string(run.run.cards),
                                    run.fitted ? "fitted" : ""};
    for (std::string& cell : cells(run.part(part))) row.push_back(std::move(cell));
    table.add(std::move(row));
  }
  return table.to_string(style);
}

std::string summary_text(const Validation& validation, const Style& style) {
  Table table({{validation.held_out ? "runs that were not fitted" : "all runs", Align::kLeft},
               {"runs", Align::kRight},
               {"inside", Align::kRight},
               {"median high/low", Align::kRight},
               {"median error", Align::kRight},
               {"worst error", Align::kRight}});
  const auto add = [&](std::string_view what, const PartSummary& summary) {
    if (summary.runs == 0) return;
    table.add({std::string(what), std::to_string(summary.runs), std::to_string(summary.inside),
               fmt::format("{:.2f}", summary.median_high_over_low),
               fmt::format("{:.1f} %", summary.median_error * 100),
               fmt::format("{:.1f} %", summary.worst_error * 100)});
  };
  for (const RunPart part : kRunParts) add(to_string(part), validation.summary(part));
  add("together", validation.summary(kRunParts));
  return table.to_string(style);
}

}  // namespace

std::string to_json(const Fit& fit, const std::string& path) {
  Json json = {{"schema", "spanker.fit/1"}, {"profile", path}, {"cluster", fit.cluster.name}};
  json.update(fit_json(fit));
  return as_document(json);
}

std::string to_text(const Fit& fit, const std::string& path, const Style& style) {
  std::string text = style.bold(fmt::format("{}, fitted to {} {}", escape_control(fit.cluster.name), fit.runs,
                                            fit.runs == 1 ? "run" : "runs")) +
                     "\n\n" + fit_table(fit, style);
  if (fit.scatter > 0) {
    text += fmt::format("\nThe runs lie {:.2g} times as far from the fit as such measurements scatter.\n",
                        fit.scatter);
  } else {
    text +=
        "\nNo more measured times than fitted numbers: ranges are from the base profile and the noise of "
        "such runs.\n";
  }
  return text + "\nWritten to " + escape_control(path) + "\n";
}

std::string to_json(const Validation& validation) {
  Json json = {{"schema", "spanker.validate/1"}};
  Json& runs = json["runs"] = Json::array();
  for (const ValidatedRun& run : validation.runs) runs.push_back(run_json(run));
  Json& clusters = json["clusters"] = Json::array();
  for (const ValidatedCluster& cluster : validation.clusters) {
    clusters.push_back({{"cluster", cluster.name},
                        {"schedule", to_string(cluster.schedule)},
                        {"profile", cluster.cluster.name},
                        {"fit", cluster.fit ? fit_json(*cluster.fit) : Json()}});
  }
  json["held_out"] = validation.held_out;
  Json& summary = json["summary"] = Json::object();
  for (const RunPart part : kRunParts) {
    summary[std::string(to_string(part))] = summary_json(validation.summary(part));
  }
  summary["together"] = summary_json(validation.summary(kRunParts));
  return as_document(json);
}

std::string to_text(const Validation& validation, const Style& style) {
  std::string text = style.bold("Milliseconds per token, measured and predicted") + "\n";
  for (const RunPart part : kRunParts) text += "\n" + part_table(validation, part, style);
  return text + "\n" + summary_text(validation, style);
}

std::string to_svg(const Validation& validation) {
  Chart chart{.title = "Seconds per token, predicted against measured",
              .x = {"measured, s", true},
              .y = {"predicted, s", true},
              .diagonal = "predicted = measured",
              .series = {}};
  for (const bool fitted : {true, false}) {
    ChartSeries series{fitted ? "fitted" : validation.held_out ? "not fitted" : "runs", {}, false};
    for (const ValidatedRun& run : validation.runs) {
      if (run.fitted != fitted) continue;
      series.points.push_back({*run.total.measured, run.total.predicted,
                               std::pair(run.total.low, run.total.high),
                               fmt::format("{}, {}, {} {}", run.run.cluster, run.run.model, run.run.cards,
                                           run.run.cards == 1 ? "card" : "cards")});
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  return to_svg(chart);
}

}  // namespace spanker
