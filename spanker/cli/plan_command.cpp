#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "spanker/base/file.hpp"
#include "spanker/cli/commands.hpp"
#include "spanker/cli/no_plan.hpp"
#include "spanker/cli/question_flags.hpp"
#include "spanker/measure/run_work.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/plan/frontier.hpp"
#include "spanker/plan/target.hpp"
#include "spanker/report/engine_report.hpp"
#include "spanker/report/frontier_report.hpp"
#include "spanker/report/plan_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker plan tinyllama-1.1b --cards 4
  spanker plan llama-2-70b --cards 12 --context 4096
  spanker plan model.gguf --cluster my-cluster.toml --json
  spanker plan llama-3-8b --cluster raspberry-pi-5-gbe --streams 8 --objective throughput
  spanker plan tinyllama-1.1b --cards 4 --out plan.json    to be read, edited and given to other commands
  spanker plan plan.json                                   what that plan costs, as it stands
  spanker plan tinyllama-1.1b --target 10                  the smallest number of sails that reaches 10 tokens/s
  spanker plan llama-3-8b --cluster raspberry-pi-5-gbe --cards 8 --streams 8 --frontier --svg frontier.svg
  spanker plan llama-2-7b --cluster raspberry-pi-4b-gbe --cards 8 --schedule root_star --link-dtype q8_0
                                                           what another engine would make of it)";

struct Flags {
  QuestionFlags question;
  std::optional<double> target;
  bool frontier = false;
  std::optional<std::string> schedule;
  std::optional<std::string> svg;
  std::optional<std::string> out;
  bool json = false;
};

/// The report on a plan, which is written first where it is to be.
Outcome report(const Problem& problem, const Answer& answer, const Flags& flags, const Style& style) {
  if (flags.out) {
    if (auto written = write_plan_file(*flags.out, problem, answer.plan); !written) {
      return Outcome::failed(written.error());
    }
  }
  return Outcome::fine(flags.json ? to_json(problem, answer) : to_text(problem, answer, style));
}

Outcome answer_question(const Problem& problem, StrategySet strategies, const Flags& flags,
                        const Style& style) {
  const auto result = answer(problem, strategies);
  if (const auto* none = std::get_if<NoPlan>(&result)) return no_plan(problem, *none, flags.json);
  return report(problem, std::get<Answer>(result), flags, style);
}

/// The question about the smallest cluster that reaches the rate; about the given one where none has a plan.
Outcome run_target(const Question& question, const Flags& flags, const CommandContext& context) {
  const Problem& problem = question.problem;
  const std::uint32_t most = flags.question.cards.value_or(kMaxPlannedCards);
  ProgressBar bar(context.progress);
  const auto found = smallest_cluster_for(
      problem, question.strategies, *flags.target, most,
      [&](std::uint64_t done, std::uint64_t all) { bar.update(done, all, "clusters searched"); });
  if (const auto* smallest = std::get_if<Problem>(&found)) {
    return answer_question(*smallest, question.strategies, flags, context.style);
  }
  const auto* best = std::get_if<OutOfReach>(&found);
  if (best == nullptr) return answer_question(problem, question.strategies, flags, context.style);
  const std::string reason = fmt::format(
      "{} reaches {:.4g} tokens/s at most on up to {} cards, with {} of them: {} takes the most of its time",
      problem.model.name, best->tokens_per_second, most, best->cards_used, best->limiting_term);
  Outcome outcome = Outcome::failed(
      {ErrorKind::kInfeasible, "--target", reason, fmt::format("{:.4g} tokens/s", *flags.target), ""});
  outcome.warnings = problem.cluster.warnings;
  if (flags.json) outcome.out = to_json(problem, *best, reason);
  return outcome;
}

std::vector<FrontierPoint> frontier_with_progress(const Question& question, const ProgressOutput& output) {
  ProgressBar bar(output);
  return frontier_of(question.problem, question.strategies, [&](std::uint64_t done, std::uint64_t total) {
    bar.update(done, total, "clusters searched");
  });
}

Outcome run_frontier(const Question& question, const Flags& flags, const CommandContext& context) {
  const Problem& problem = question.problem;
  const auto points = frontier_with_progress(question, context.progress);
  if (points.empty()) {
    // The whole cluster was searched for latency, so this answer is known to be a refusal.
    Problem asked = problem;
    asked.workload.objective = Objective::kLatency;
    return no_plan(problem, std::get<NoPlan>(answer(asked, question.strategies)), flags.json);
  }
  if (flags.svg) {
    if (auto written = write_file_atomically(*flags.svg, to_svg(problem, points)); !written) {
      return Outcome::failed(written.error());
    }
  }
  return Outcome::fine(flags.json ? to_json(problem, points) : to_text(problem, points, context.style));
}

/// The engine's run that the question is about, on all cards.
Outcome run_schedule(const Question& question, const Flags& flags, const Style& style) {
  const Problem& problem = question.problem;
  const auto schedule = parse_engine_schedule(*flags.schedule, "--schedule");
  if (!schedule) return Outcome::failed(schedule.error());
  const RunWork work =
      engine_work(*schedule, problem.model, problem.cluster,
                  {problem.workload.link_type, problem.workload.kv_type, problem.workload.context});
  const auto at = [&](Bound bound) { return run_seconds(work, run_rates(problem.cluster, work, bound)); };
  const EnginePrediction prediction{*schedule,        at(Bound::kValue), at(Bound::kLow),
                                    at(Bound::kHigh), work.root_sent,    work.root_received};
  return Outcome::fine(flags.json ? to_json(problem, prediction) : to_text(problem, prediction, style));
}

Outcome run_plan(const Flags& flags, const CommandContext& context) {
  if (flags.target && (!(*flags.target > 0) || !std::isfinite(*flags.target))) {
    return Outcome::failed(
        bad_input("--target", "out of range", "tokens per second, above 0", fmt::format("{}", *flags.target))
            .value());
  }
  const auto planned = plan_file_from(flags.question);
  if (!planned) return Outcome::failed(planned.error());
  if (*planned) {
    const auto& [problem, plan] = **planned;
    return report(problem, priced(problem, plan), flags, context.style);
  }
  const auto question = question_from(flags.question);
  if (!question) return Outcome::failed(question.error());
  if (flags.schedule) return run_schedule(*question, flags, context.style);
  if (flags.frontier) return run_frontier(*question, flags, context);
  if (flags.target) return run_target(*question, flags, context);
  return answer_question(question->problem, question->strategies, flags, context.style);
}

}  // namespace

void add_plan_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("plan", "Split a model over a cluster, with predicted speed and reasons");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  add_question_flags(*command, flags->question);
  CLI::Option* target = command->add_option(
      "--target", flags->target,
      "Tokens per second to reach: plans for the smallest number of cards that does, up to --cards\n"
      "or 1024");
  CLI::Option* frontier = command->add_flag(
      "--frontier", flags->frontier, "The choices over fewer cards too, without those that others beat");
  frontier->excludes(target);
  CLI::Option* schedule = command->add_option(
      "--schedule", flags->schedule,
      "Instead of a plan, a token of another engine on all cards: root_star_v1, root_star, all_to_all or\n"
      "pipeline");
  schedule->excludes(target)->excludes(frontier)->excludes(command->get_option("--strategy"));
  // Another question than what a plan file answers.
  for (const CLI::Option* option : {target, frontier, schedule})
    flags->question.beside_model.push_back(option);
  command->add_option("--svg", flags->svg, "With --frontier: path of a chart to write")->needs(frontier);
  command
      ->add_option(
          "--out", flags->out,
          "Path of a plan file to write, which commands read in place of MODEL; what is there is replaced")
      ->excludes(frontier)
      ->excludes(schedule);
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_plan(*flags, context); });
}

}  // namespace spanker
