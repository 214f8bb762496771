#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <variant>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/question_flags.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/plan/target.hpp"
#include "spanker/report/plan_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker plan tinyllama-1.1b --cards 4
  spanker plan llama-2-70b --cards 12 --context 4096
  spanker plan model.gguf --cluster my-cluster.toml --json
  spanker plan llama-3-8b --cluster raspberry-pi-5-gbe --streams 8 --objective throughput
  spanker plan tinyllama-1.1b --target 10                  the smallest number of sails that reaches 10 tokens/s)";

struct Flags {
  QuestionFlags question;
  std::optional<double> target;
  bool json = false;
};

Outcome answer_question(const Problem& problem, StrategySet strategies, const Flags& flags,
                        const Style& style) {
  const auto result = answer(problem, strategies);
  if (const auto* found = std::get_if<Answer>(&result)) {
    return Outcome::fine(flags.json ? to_json(problem, *found) : to_text(problem, *found, style));
  }
  const NoPlan& none = std::get<NoPlan>(result);
  Error error{ErrorKind::kInfeasible, "plan", none.reason, "", ""};
  if (none.smallest_cards) error.wanted = std::to_string(*none.smallest_cards) + " cards or more";
  Outcome outcome = Outcome::failed(error);
  outcome.warnings = none.warnings;
  if (flags.json) outcome.out = to_json(problem, none);
  return outcome;
}

/// The question about the smallest cluster that reaches the rate; about the largest where none has a plan.
Outcome run_target(const Question& question, const Flags& flags, const Style& style) {
  const Problem& problem = question.problem;
  const std::uint32_t most = flags.question.cards.value_or(kMaxPlannedCards);
  const auto found = smallest_cluster_for(problem, question.strategies, *flags.target, most);
  if (const auto* smallest = std::get_if<Problem>(&found)) {
    return answer_question(*smallest, question.strategies, flags, style);
  }
  const auto* best = std::get_if<OutOfReach>(&found);
  if (best == nullptr) return answer_question(problem, question.strategies, flags, style);
  const std::string reason = fmt::format(
      "{} reaches {:.4g} tokens/s at most on up to {} cards, with {} of them: {} takes the most of its time",
      problem.model.name, best->tokens_per_second, most, best->cards_used, best->limiting_term);
  Outcome outcome = Outcome::failed(
      {ErrorKind::kInfeasible, "--target", reason, fmt::format("{:.4g} tokens/s", *flags.target), ""});
  outcome.warnings = problem.cluster.warnings;
  if (flags.json) outcome.out = to_json(problem, *best, reason);
  return outcome;
}

Outcome run_plan(const Flags& flags, const Style& style) {
  const auto question = question_from(flags.question);
  if (!question) return Outcome::failed(question.error());
  if (!flags.target) return answer_question(question->problem, question->strategies, flags, style);
  if (!(*flags.target > 0) || !std::isfinite(*flags.target)) {
    return Outcome::failed(
        bad_input("--target", "out of range", "tokens per second, above 0", fmt::format("{}", *flags.target))
            .value());
  }
  return run_target(*question, flags, style);
}

}  // namespace

void add_plan_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("plan", "Split a model over a cluster, with predicted speed and reasons");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  add_question_flags(*command, flags->question);
  command->add_option(
      "--target", flags->target,
      "Tokens per second to reach: plans for the smallest number of cards that does, up to --cards\n"
      "or 1024");
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_plan(*flags, context.style); });
}

}  // namespace spanker
