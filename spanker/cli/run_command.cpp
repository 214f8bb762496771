#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/launch_ranks.hpp"
#include "spanker/cli/rank_command.hpp"
#include "spanker/cli/run_flags.hpp"
#include "spanker/cli/run_output.hpp"
#include "spanker/cli/run_task.hpp"
#include "spanker/run/generate.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(Cards are threads of this program, or with --ranks processes of their own, each with its part of the model in memory of
its own; they exchange vectors as cards on a network would, by the plan's collectives.

Examples:
  spanker synth tinyllama-1.1b tiny.gguf && spanker run tiny.gguf --prompt "Hello"
  spanker run model.gguf --cards 4 --prompt "Once upon a time" --generate 100
  spanker plan model.gguf --cards 3 --out plan.json && spanker run model.gguf --plan plan.json --prompt "Hello"
  spanker run model.gguf --ranks 4 --hostfile hosts --restart --prompt "Hello"
  mpirun -n 2 spanker run model.gguf --prompt "Hello"
  spanker run model.gguf --cards 4 --cluster sails-rev-a --pace --prompt "Hello"
  spanker run model.gguf --tokens 1,15043 --temperature 0.8 --top-p 0.95 --seed 7 --json)";

Outcome run_in_process(const RunFlags& flags, const CommandContext& context) {
  const auto setup = run_setup(flags, std::nullopt);
  if (!setup) return setup.error();
  const RunTask& task = setup->task;
  const Seconds start = context.progress.now();
  const auto cards = load_cards(setup->file, task.problem, task.plan, flags.threads, available_memory());
  if (!cards) return Outcome::failed(cards.error());
  FinishedRun run;
  run.load = context.progress.now() - start;

  std::string said;
  const TextOutput collect = [&](std::string_view piece) { said += piece; };
  Speaker speaker(setup->tokenizer, setup->prompt, {},
                  flags.json ? TextOutput() : (context.text ? context.text : collect));
  auto generation = [&] {
    const InterruptWatch watch;
    return generate(setup->file, task.problem, task.plan, *cards, setup->prompt, flags.options,
                    setup->tokenizer ? &*setup->tokenizer : nullptr, [&](std::uint32_t token, std::uint64_t) {
                      speaker.say(token);
                      return !watch.interrupted();
                    });
  }();
  if (!generation) return Outcome::failed(generation.error());
  speaker.finish();
  for (const auto& card : *cards) run.threads += card->threads();
  run.prompt_tokens = setup->prompt.size();
  run.tokens = std::move(generation->tokens);
  run.text = speaker.text();
  run.ending = generation->ending;
  run.times = std::move(generation->times);
  Outcome outcome = run_outcome(
      task, run, {flags.json, flags.options.is_paced, flags.model, flags.trace, flags.record}, context.style);
  if (outcome.error.empty()) outcome.out = said + outcome.out;
  return outcome;
}

Outcome run_model(RunFlags& flags, const CommandContext& context) {
  flags.options.native_all_reduce = flags.all_reduce == "native";
  if (flags.options.native_all_reduce && !flags.ranks && !rank_place()) {
    return Outcome::failed(
        {ErrorKind::kBadInput, "--all-reduce", "native is MPI's", "--ranks", "one process"});
  }
  if (flags.ranks) return launch_ranks(flags, context);
  if (const auto place = rank_place()) return run_as_rank(flags, *place, context);
  return run_in_process(flags, context);
}

}  // namespace

void add_run_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("run", "Generate text with a model, split over cards of this machine or of several");
  command->footer(kHelp);
  auto flags = std::make_shared<RunFlags>();
  add_run_flags(*command, *flags);
  command->callback([flags, &context] { context.outcome = run_model(*flags, context); });
}

}  // namespace spanker
