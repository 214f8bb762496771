#include <CLI/CLI.hpp>
#include <memory>
#include <variant>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/question_flags.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/report/plan_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker plan tinyllama-1.1b --cards 4
  spanker plan llama-2-70b --cards 12 --context 4096
  spanker plan model.gguf --cluster my-cluster.toml --json
  spanker plan llama-3-8b --cluster raspberry-pi-5-gbe --strategy pipeline --streams 8)";

struct Flags {
  QuestionFlags question;
  bool json = false;
};

Outcome run_plan(const Flags& flags, const Style& style) {
  const auto question = question_from(flags.question);
  if (!question) return Outcome::failed(question.error());
  const Problem& problem = question->problem;
  const auto result = answer(problem, question->strategies);
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

}  // namespace

void add_plan_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("plan", "Split a model over a cluster, with predicted speed and reasons");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  add_question_flags(*command, flags->question);
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_plan(*flags, context.style); });
}

}  // namespace spanker
