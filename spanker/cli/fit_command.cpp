#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/runs_flags.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/measure/fit.hpp"
#include "spanker/measure/validation.hpp"
#include "spanker/report/validation_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(Fits a profile to measured runs: effective memory bandwidth, serial share, fixed costs, latency of a message, waiting
and the contention of a shared switch, each with a range. One run scales the bandwidth, two card counts tell the
serial share. What the runs cannot tell stays as the base profile says.

Examples:
  spanker fit runs.json --cluster raspberry-pi-5-gbe --out mine.toml
  spanker fit runs.json --cluster localhost --cards "<=2" --out mine.toml
  spanker fit runs.json --cluster my.toml --where "model=llama-2-7b" --out mine.toml
  spanker plan llama-3-8b --cluster mine.toml)";

struct Flags {
  std::string runs;
  std::string cluster;
  std::string out;
  std::optional<std::string> cards;
  std::optional<std::string> where;
  bool json = false;
};

/// The runs of the base's cluster that the filters leave. Where no run names that cluster all runs do, if
/// they are of one.
Result<std::vector<LocatedRun>> chosen_runs(const std::vector<LocatedRun>& all, const Cluster& base,
                                            const Flags& flags, std::span<const RunFilter> filters) {
  std::set<std::string> names;
  for (const LocatedRun& located : all) names.insert(located.run.cluster);
  if (!names.contains(base.name) && names.size() > 1) {
    return bad_input("--cluster", fmt::format("no run of {} is of that cluster", flags.runs),
                     fmt::format("one of {}, or a file of one cluster", fmt::join(names, ", ")), base.name);
  }
  std::vector<LocatedRun> chosen;
  for (const LocatedRun& located : all) {
    const bool of_base = names.size() == 1 || located.run.cluster == base.name;
    if (of_base &&
        std::ranges::all_of(filters, [&](const auto& filter) { return filter.matches(located.run); })) {
      chosen.push_back(located);
    }
  }
  if (chosen.empty()) return bad_input(flags.runs, "no run is left to fit", "a filter that some runs meet");
  const auto other = std::ranges::find_if(
      chosen, [&](const LocatedRun& located) { return located.run.schedule != chosen.front().run.schedule; });
  if (other != chosen.end()) {
    return bad_input(
        other->where + ".schedule", "runs of several engines in one fit",
        fmt::format("{} as before it, or --where \"schedule=...\"", to_string(chosen.front().run.schedule)),
        std::string(to_string(other->run.schedule)));
  }
  return chosen;
}

Outcome run_fit(const Flags& flags, const Style& style) {
  std::vector<RunFilter> filters;
  if (flags.cards) {
    auto filter = RunFilter::parse("cards" + *flags.cards, "--cards");
    if (!filter) return Outcome::failed(filter.error());
    filters.push_back(std::move(*filter));
  }
  const auto where = optional_filter(flags.where, "--where");
  if (!where) return Outcome::failed(where.error());
  if (*where) filters.push_back(**where);
  const auto base = load_cluster(flags.cluster);
  if (!base) return Outcome::failed(base.error());
  const auto runs = read_measured_runs(flags.runs);
  if (!runs) return Outcome::failed(runs.error());
  const auto chosen = chosen_runs(located(*runs, flags.runs), *base, flags, filters);
  if (!chosen) return Outcome::failed(chosen.error());
  const auto fit = fit_cluster(*base, *chosen);
  if (!fit) return Outcome::failed(fit.error());
  if (auto written = write_profile(flags.out, fit->cluster); !written)
    return Outcome::failed(written.error());
  return Outcome::fine(flags.json ? to_json(*fit, flags.out) : to_text(*fit, flags.out, style));
}

}  // namespace

void add_fit_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("fit", "Fit a cluster profile to measured runs");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  command->add_option("RUNS", flags->runs, "Path to a runs file")->required();
  command->add_option("--cluster", flags->cluster, "Profile to start from: name or path to a TOML file")
      ->required();
  command->add_option("--out", flags->out, "Path of the profile to write; what is there is replaced")
      ->required();
  command->add_option("--cards", flags->cards, "Only runs on so many cards: \"<=2\", \"=4\"");
  command->add_option("--where", flags->where,
                      "Only runs that meet conditions: \"cards<=2,model=llama-2-7b\"");
  command->add_flag("--json", flags->json, "One JSON object instead of a table");
  command->callback([flags, &context] { context.outcome = run_fit(*flags, context.style); });
}

}  // namespace spanker
