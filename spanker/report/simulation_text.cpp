#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/plan_words.hpp"
#include "spanker/report/simulation_report.hpp"

namespace spanker {
namespace {

constexpr std::size_t kBarWidth = 24;
/// Differences below that are rounding.
constexpr double kSame = 1e-6;
constexpr double kWorthTelling = 1e-3;
constexpr std::size_t kMostRows = 16;

std::string rate(double tokens_per_second) { return fmt::format("{:.4g} tokens/s", tokens_per_second); }

/// "+3.2 %", "the same".
std::string against(double simulated, double predicted) {
  const double difference = predicted > 0 ? simulated / predicted - 1 : 0;
  if (std::abs(difference) <= kSame) return "as predicted";
  return fmt::format("{:+.2f} % against {:.4g} predicted", difference * 100, predicted);
}

std::string against(Seconds simulated, Seconds predicted) {
  const double difference = predicted.count() > 0 ? simulated / predicted - 1 : 0;
  if (std::abs(difference) <= kSame) return "as predicted";
  return fmt::format("{:+.2f} % against {} predicted", difference * 100, format(predicted));
}

std::string heading(const SimulationReport& report, const Style& style) {
  const Simulation& simulation = report.simulation;
  const std::uint32_t cards = report.plan.cards_used();
  std::string text =
      style.bold(fmt::format("{} on {}: {}{}", escape_control(report.problem.model.name),
                             escape_control(report.problem.cluster.name), spoken(report.plan.strategy()),
                             cards > 1 ? fmt::format(" over {} cards", cards) : ""));
  text += fmt::format("\n{} of {} tokens in {}; {} of {} steps\n", simulation.tokens_decoded,
                      simulation.tokens_wanted, format(simulation.makespan), simulation.steps_done,
                      simulation.steps_total);
  return text;
}

std::string outcome(const SimulationReport& report, const Style& style) {
  const Simulation& simulation = report.simulation;
  std::string text = style.bold(fmt::format("Outcome: {}", to_string(simulation.outcome))) + "\n";
  for (const UnfinishedStep& each : simulation.unfinished) {
    text += fmt::format("  {}: {}\n", each.what, each.because);
  }
  if (simulation.sends_repeated > 0) {
    text += fmt::format("  {} sends were interrupted and began anew\n", simulation.sends_repeated);
  }
  if (simulation.collapsed > 0) {
    text += fmt::format("  {} collectives were taken as one step of their closed-form time\n",
                        simulation.collapsed);
  }
  return text;
}

std::string speed(const SimulationReport& report, const Style& style) {
  const Simulation& simulation = report.simulation;
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  const bool one_by_one = !report.scenario.requests.empty();
  table.add({"decode", rate(simulation.tokens_per_second),
             one_by_one
                 ? "of all requests, from the first token on"
                 : against(simulation.tokens_per_second, report.prediction.throughput.tokens_per_second)});
  const auto spread = [](const std::vector<Seconds>& values) {
    return fmt::format("95 % within {}, 99 % within {}", format(percentile(values, 0.95)),
                       format(percentile(values, 0.99)));
  };
  if (!simulation.token_seconds.empty()) {
    table.add({"token", format(percentile(simulation.token_seconds, 0.5)), spread(simulation.token_seconds)});
  }
  if (simulation.first_tokens.size() == 1) {
    table.add({"first token", format(simulation.first_tokens.front()),
               against(simulation.first_tokens.front(), report.prediction.time_to_first_token())});
  } else if (!simulation.first_tokens.empty()) {
    table.add(
        {"first token", format(percentile(simulation.first_tokens, 0.5)), spread(simulation.first_tokens)});
  }
  return style.bold("Speed") + "\n" + table.to_string(style);
}

/// The busiest few, and how many more there are.
std::string busy(const SimulationReport& report, const Style& style) {
  const Simulation& simulation = report.simulation;
  struct Row {
    std::string name;
    double share;
    Seconds delay;
  };
  std::vector<Row> rows;
  for (std::size_t card = 0; card < simulation.card_busy.size(); ++card) {
    rows.push_back({fmt::format("card {}", card), simulation.card_busy[card], Seconds(0)});
  }
  const auto links_begin = static_cast<std::ptrdiff_t>(rows.size());
  for (const LinkUse& use : simulation.links) {
    rows.push_back({"link " + use.name, use.carrying / simulation.makespan, use.delay});
  }
  Table table({{"", Align::kLeft}, {"busy", Align::kRight}, {"", Align::kLeft}, {"delayed", Align::kLeft}});
  const auto add = [&](auto begin, auto end) {
    std::stable_sort(begin, end, [](const Row& a, const Row& b) {
      return std::pair(a.share, a.delay) > std::pair(b.share, b.delay);
    });
    for (auto row = begin; row != end && row - begin < static_cast<std::ptrdiff_t>(kMostRows / 2); ++row) {
      table.add({row->name, fmt::format("{:.1f} %", row->share * 100),
                 bar(std::min(row->share, 1.0), kBarWidth),
                 row->delay.count() > 0 ? format(row->delay) : ""});
    }
  };
  add(rows.begin(), rows.begin() + links_begin);
  add(rows.begin() + links_begin, rows.end());
  std::string text = style.bold("Busy share of the whole time") + "\n" + table.to_string(style);
  const std::size_t shown = std::min<std::size_t>(simulation.card_busy.size(), kMostRows / 2) +
                            std::min<std::size_t>(simulation.links.size(), kMostRows / 2);
  if (rows.size() > shown) text += fmt::format("  ... and {} that are less busy\n", rows.size() - shown);
  return text;
}

/// Where simulation and closed form part, and over which link.
std::string differences(const SimulationReport& report, const Style& style) {
  const Simulation& simulation = report.simulation;
  std::string text;
  for (const KindComparison& each : simulation.kinds) {
    const Seconds difference = each.simulated - each.predicted;
    if (std::abs(difference.count()) <= kWorthTelling * std::max(each.predicted, each.simulated).count())
      continue;
    text += fmt::format("  {}: {} instead of {} per pass of {}\n", each.kind, format(each.simulated),
                        format(each.predicted), simulation.compared_batch);
  }
  if (text.empty()) return text;
  const auto worst = std::ranges::max_element(simulation.links, {}, &LinkUse::delay);
  if (worst != simulation.links.end() && worst->delay.count() > 0) {
    text += fmt::format("  most was lost on link {}: sends over it took {} longer than alone, all together\n",
                        worst->name, format(worst->delay));
  }
  return "\n" + style.bold("Where the simulation differs from the closed form") + "\n" + text;
}

std::string comparison(const SimulationReport& report, const Style& style) {
  Table table({{"kind of step", Align::kLeft},
               {"per pass", Align::kRight},
               {"predicted", Align::kRight},
               {"simulated", Align::kRight},
               {"difference", Align::kRight}});
  Seconds predicted{0};
  Seconds simulated{0};
  const auto row = [&](const std::string& kind, const std::string& times, Seconds a, Seconds b) {
    const double difference = a.count() > 0 ? b / a - 1 : 0;
    table.add({kind, times, format(a), format(b),
               std::abs(difference) <= kSame ? "0" : fmt::format("{:+.2f} %", difference * 100)});
  };
  for (const KindComparison& each : report.simulation.kinds) {
    if (each.predicted.count() == 0 && each.simulated.count() == 0) continue;
    row(each.kind, fmt::format("{}", each.times), each.predicted, each.simulated);
    predicted += each.predicted;
    simulated += each.simulated;
  }
  row("sum", "", predicted, simulated);
  return "\n" +
         style.bold(fmt::format("A pass of {}: predicted and simulated", report.simulation.compared_batch)) +
         "\n" + table.to_string(style);
}

std::string replanned(const SimulationReport& report, const Style& style) {
  if (!report.replan) return "";
  const Replan& replan = *report.replan;
  std::string text = "\n" + style.bold("Planned again on what is left") + "\n";
  if (!replan.plan) return text + "  nothing fits what is left\n";
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  table.add({"before", rate(replan.tokens_per_second_before), ""});
  const std::uint32_t cards = replan.plan->cards_used();
  table.add({"after", rate(replan.tokens_per_second_after),
             fmt::format("{}{}", spoken(replan.plan->strategy()),
                         cards > 1 ? fmt::format(" over {} cards", cards) : "")});
  table.add({"load", format(replan.load), "of the new plan's weights"});
  table.add({"tokens affected", fmt::format("{}", replan.tokens_affected), "of those wanted"});
  return text + table.to_string(style);
}

}  // namespace

Seconds percentile(std::vector<Seconds> values, double share) {
  if (values.empty()) return Seconds(0);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

std::string to_text(const SimulationReport& report, bool compare, const Style& style) {
  std::string text = heading(report, style) + "\n" + outcome(report, style) + "\n" + speed(report, style) +
                     "\n" + busy(report, style) + differences(report, style);
  if (compare && !report.simulation.kinds.empty()) text += comparison(report, style);
  text += replanned(report, style);
  if (!report.warnings.empty()) {
    text += "\n" + style.bold("Warnings") + "\n";
    for (const std::string& warning : report.warnings) {
      text += "  " + style.warning(escape_control(warning)) + "\n";
    }
  }
  return text;
}

}  // namespace spanker
