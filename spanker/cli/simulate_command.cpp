#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "spanker/base/format_quantity.hpp"
#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/no_plan.hpp"
#include "spanker/cli/question_flags.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/report/chrome_trace.hpp"
#include "spanker/report/simulation_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker simulate tinyllama-1.1b --cards 4                  the planner's plan, step by step, with contention
  spanker simulate plan.json --compare                       predicted beside simulated by kind of step
  spanker simulate tinyllama-1.1b --streams 8 --strategy pipeline --objective throughput
  spanker simulate tinyllama-1.1b --arrivals poisson:2/s --requests 50 --streams 8
  spanker simulate tinyllama-1.1b --faults faults.toml --replan
  spanker simulate tinyllama-1.1b --trace trace.json         opens in ui.perfetto.dev

A simulation that does not come to its end (stalled, failed) ends with exit code 1.)";

struct Flags {
  QuestionFlags question;
  std::optional<std::uint64_t> tokens;
  std::uint64_t micro_batches = 0;
  std::optional<std::string> faults;
  std::optional<std::string> arrivals;
  std::optional<std::uint64_t> requests;
  std::uint64_t seed = 1;
  double jitter = 0;
  std::optional<std::string> trace;
  bool replan = false;
  bool compare = false;
  bool json = false;
};

/// The plan of a file or the planner's; or why there is none.
Result<std::variant<PlannedProblem, Outcome>> planned_problem(const Flags& flags) {
  auto from_file = plan_file_from(flags.question);
  if (!from_file) return tl::unexpected(from_file.error());
  if (*from_file) return std::move(**from_file);
  auto question = question_from(flags.question);
  if (!question) return tl::unexpected(question.error());
  if (auto plan = search(question->problem, question->strategies)) {
    return PlannedProblem{std::move(question->problem), std::move(*plan)};
  }
  const auto none = answer(question->problem, question->strategies);
  return no_plan(question->problem, std::get<NoPlan>(none), flags.json);
}

Result<Scenario> scenario_from(const Flags& flags, const Problem& problem, const Plan& plan,
                               std::vector<std::string>& warnings) {
  Scenario scenario;
  if (flags.faults) {
    auto faults = load_faults(*flags.faults, problem.cluster);
    if (!faults) return tl::unexpected(faults.error());
    scenario.faults = std::move(*faults);
  }
  if (flags.arrivals) {
    auto requests = load_arrivals(*flags.arrivals, flags.requests, flags.seed, problem.workload);
    if (!requests) return tl::unexpected(requests.error());
    scenario.requests = std::move(*requests);
  }
  if (!(flags.jitter >= 0 && flags.jitter < 1)) {
    return bad_input("--jitter", "out of range", "0 to less than 1", fmt::format("{}", flags.jitter));
  }
  if (flags.micro_batches > problem.workload.streams) {
    return bad_input("--micro-batches", "more than there are streams",
                     fmt::format("0 to {}", problem.workload.streams),
                     fmt::format("{}", flags.micro_batches));
  }
  scenario.jitter = flags.jitter;
  scenario.seed = flags.seed;
  scenario.keep_timeline = flags.trace.has_value();
  scenario.micro_batches = flags.micro_batches;
  if (flags.arrivals) return scenario;

  scenario.tokens = flags.tokens.value_or(affordable_tokens(problem, plan, flags.micro_batches));
  if (scenario.tokens < 1) return bad_input("--tokens", "none to decode", "1 or more", "0");
  if (!flags.tokens && scenario.tokens < problem.workload.generate) {
    warnings.push_back(fmt::format(
        "{} of {} tokens of each stream are simulated, the others would repeat them: --tokens simulates more",
        scenario.tokens, problem.workload.generate));
  }
  return scenario;
}

/// Faults that came after everything was over.
void warn_of_late_faults(const Scenario& scenario, const Simulation& simulation, const Network& network,
                         std::vector<std::string>& warnings) {
  for (const Fault& fault : scenario.faults) {
    if (fault.at <= simulation.makespan) continue;
    warnings.push_back(fmt::format("{}: after the end of the simulation at {}", to_string(fault, network),
                                   format(simulation.makespan)));
  }
}

Result<void> write_trace(const std::string& path, const Problem& problem, const Simulation& simulation) {
  std::vector<TraceInstance> passes;
  for (const SimulatedPass& pass : simulation.passes) {
    passes.push_back({&simulation.graphs[pass.graph], pass.label});
  }
  return write_chrome_trace(path, problem.cluster, passes, simulation.timeline);
}

Outcome outcome_of(const SimulationReport& report, const Flags& flags, const Style& style) {
  Outcome outcome = Outcome::fine(flags.json ? to_json(report) : to_text(report, flags.compare, style));
  const Simulation& simulation = report.simulation;
  if (simulation.outcome == SimulationOutcome::kFinished) return outcome;
  std::string what = fmt::format("{} after {}", to_string(simulation.outcome), format(simulation.makespan));
  if (!simulation.unfinished.empty()) {
    what +=
        fmt::format(": {}: {}", simulation.unfinished.front().what, simulation.unfinished.front().because);
  }
  outcome.code = ExitCode::kNo;
  outcome.error =
      to_line({ErrorKind::kInfeasible, "simulate", what, fmt::format("{} tokens", simulation.tokens_wanted),
               fmt::format("{}", simulation.tokens_decoded)});
  return outcome;
}

Outcome run_simulate(const Flags& flags, const CommandContext& context) {
  const auto planned = planned_problem(flags);
  if (!planned) return Outcome::failed(planned.error());
  if (const auto* none = std::get_if<Outcome>(&*planned)) return *none;
  const auto& [problem, plan] = std::get<PlannedProblem>(*planned);

  std::vector<std::string> warnings = warnings_of(problem);
  const auto scenario = scenario_from(flags, problem, plan, warnings);
  if (!scenario) return Outcome::failed(scenario.error());

  const InterruptWatch watch;
  ProgressBar bar(context.progress);
  const auto progress = [&](const EngineProgress& now) {
    bar.update(static_cast<std::uint64_t>(now.share * 100), 100, "per cent simulated");
    return !watch.interrupted();
  };
  auto simulation = simulate(problem, plan, *scenario, progress);
  if (!simulation) return Outcome::failed(simulation.error());
  std::optional<Replan> again;
  if (flags.replan) {
    auto result = replan(problem, plan, StrategySet(), *scenario, *simulation, progress);
    if (!result) return Outcome::failed(result.error());
    again = std::move(*result);
  }
  if (flags.trace) {
    if (auto written = write_trace(*flags.trace, problem, *simulation); !written) {
      return Outcome::failed(written.error());
    }
  }
  warn_of_late_faults(*scenario, *simulation, Network(problem.cluster), warnings);
  return outcome_of({problem, plan, *scenario, predict(problem, plan), std::move(*simulation),
                     std::move(again), std::move(warnings)},
                    flags, context.style);
}

}  // namespace

void add_simulate_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "simulate", "Run a plan on a simulated cluster: contention, requests that come and go, faults");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  add_question_flags(*command, flags->question);
  const CLI::Validator count = whole_number(UINT64_MAX);
  CLI::Option* tokens =
      command
          ->add_option("--tokens", flags->tokens,
                       "Tokens that each stream decodes (default: as many as --generate, or as two million\n"
                       "steps pay for)")
          ->check(count);
  command
      ->add_option("--micro-batches", flags->micro_batches,
                   "Groups in which streams decode in turn (default: as many as the planner takes)")
      ->check(count);
  CLI::Option* arrivals =
      command
          ->add_option(
              "--arrivals", flags->arrivals,
              "Requests that come one after another: all, every:200ms, poisson:5/s, or a TOML file;\n"
              "--streams of them at most are served at once")
          ->excludes(tokens);
  command
      ->add_option("--requests", flags->requests, "With --arrivals: how many (default: as many as --streams)")
      ->check(count)
      ->needs(arrivals);
  command->add_option("--seed", flags->seed, "Of --arrivals poisson and of --jitter")
      ->check(count)
      ->capture_default_str();
  command->add_option("--jitter", flags->jitter,
                      "Each kernel takes up to this share longer or shorter, at random: 0 to less than 1");
  CLI::Option* faults =
      command->add_option("--faults", flags->faults, "Path of a TOML file: what breaks, and when");
  command->add_flag("--replan", flags->replan, "With --faults: also plan for what they leave")->needs(faults);
  command->add_option("--trace", flags->trace,
                      "Path of a Chrome trace to write: every step on every card and link");
  command->add_flag("--compare", flags->compare, "Predicted beside simulated by kind of step");
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_simulate(*flags, context); });
}

}  // namespace spanker
