#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "spanker/base/file.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/base/parse_quantity.hpp"
#include "spanker/cli/commands.hpp"
#include "spanker/cli/runs_flags.hpp"
#include "spanker/measure/validation.hpp"
#include "spanker/report/validation_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(Predicts every run of a file and compares. Runs of a cluster start from the profile of --cluster where that is its name,
where no built-in profile has its name, or where the file is of one cluster; else from the built-in profile. With --fit
the runs that match are fitted first, cluster by cluster and schedule by schedule; the others are never read by a fit.

Examples:
  spanker validate runs.json
  spanker validate runs.json --cluster mine.toml --max-error 10%
  spanker validate runs.json --fit "cards<=2" --svg runs.svg
  spanker validate runs.json --fit "cards<=2" --max-error 10% --part compute)";

struct Flags {
  std::string runs;
  std::optional<std::string> cluster;
  std::optional<std::string> fit;
  std::optional<std::string> max_error;
  std::string part = "total";
  std::optional<std::string> svg;
  bool json = false;
};

Result<RunPart> part_from_flag(const std::string& text) {
  for (const RunPart part : kRunParts) {
    if (to_string(part) == text) return part;
  }
  return bad_input("--part", "unknown", "compute, transfer or total", text);
}

Outcome report(const Validation& validation, const Flags& flags, RunPart part, std::optional<Share> bound,
               const Style& style) {
  if (flags.svg) {
    if (auto written = write_file_atomically(*flags.svg, to_svg(validation)); !written) {
      return Outcome::failed(written.error());
    }
  }
  Outcome outcome = Outcome::fine(flags.json ? to_json(validation) : to_text(validation, style));
  const double worst = validation.summary(part).worst_error;
  if (bound && worst > bound->value) {
    outcome.code = ExitCode::kNo;
    outcome.error = fmt::format("--max-error: a {} is predicted too far off, wanted at most {}, got {}",
                                flags.part, format(*bound), format(Share(worst)));
  }
  return outcome;
}

Outcome run_validate(const Flags& flags, const Style& style) {
  const auto part = part_from_flag(flags.part);
  if (!part) return Outcome::failed(part.error());
  std::optional<Share> bound;
  if (flags.max_error) {
    const auto share = parse_share(*flags.max_error, "--max-error");
    if (!share) return Outcome::failed(share.error());
    bound = *share;
  }
  const auto filter = optional_filter(flags.fit, "--fit");
  if (!filter) return Outcome::failed(filter.error());
  const auto cluster = optional_cluster(flags.cluster);
  if (!cluster) return Outcome::failed(cluster.error());
  const auto runs = read_measured_runs(flags.runs);
  if (!runs) return Outcome::failed(runs.error());
  const auto validation = validate_runs(located(*runs, flags.runs), *cluster, *filter);
  if (!validation) return Outcome::failed(validation.error());
  if (*filter && !validation->held_out) {
    return Outcome::failed(
        {ErrorKind::kBadInput, "--fit", "no run is left to fit", "a filter that some runs meet", *flags.fit});
  }
  return report(*validation, flags, *part, bound, style);
}

}  // namespace

void add_validate_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("validate", "Compare predictions with measured runs");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  command->add_option("RUNS", flags->runs, "Path to a runs file")->required();
  command->add_option("--cluster", flags->cluster, "Profile to predict with: name or path to a TOML file");
  command->add_option("--fit", flags->fit, "Fit these runs first: \"cards<=2\", \"model=llama-2-7b\"");
  command->add_option("--max-error", flags->max_error,
                      "Exit with 1 where a run that was not fitted is further off: \"10%\"");
  command->add_option("--part", flags->part, "What --max-error bounds: compute, transfer or total")
      ->capture_default_str();
  command->add_option("--svg", flags->svg, "Path of a chart to write");
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_validate(*flags, context.style); });
}

}  // namespace spanker
