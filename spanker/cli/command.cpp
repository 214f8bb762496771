#include "spanker/cli/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "spanker/base/text.hpp"
#include "spanker/cli/commands.hpp"

namespace spanker {
namespace {

constexpr const char* kVersion = "spanker 0.1.0";

constexpr const char* kFooter = R"(Start with:
  spanker plan tinyllama-1.1b --cards 4             how to split it over four sails, how fast it will be, and why
  spanker plan llama-3-8b --cluster raspberry-pi-5-gbe
  spanker profile list                              the clusters that are built in
  spanker inspect model.gguf                        what a model file holds
  spanker synth tinyllama-1.1b tiny.gguf            a model file with random weights, to try things with
  spanker run model.gguf --prompt "Once upon"       generate text, on as many cards of this machine as you like
  spanker measure                                   time this machine, so that run can say how fast it should be
  spanker validate runs.json                        how far predictions are from measured runs

Every command takes --json and --help. Exit codes: 0 fine, 1 the answer is no, 2 bad input, 3 a file cannot be
read or written or a card is lost, 4 a fault of spanker itself.)";

Outcome usage_error(std::string_view where, std::string_view message) {
  std::string line = std::string(where) + ": " + std::string(message);
  line.erase(line.find_last_not_of("\n ") + 1);
  return {ExitCode::kBadInput, {}, escape_control(line), {}};
}

/// The subcommand that the arguments got to, for help and for errors.
const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

/// "plan, tile, profile, inspect".
std::string commands_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

}  // namespace

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInfeasible:
      return ExitCode::kNo;
    case ErrorKind::kBadInput:
      return ExitCode::kBadInput;
    case ErrorKind::kIo:
    case ErrorKind::kPeerLost:
      return ExitCode::kIo;
  }
  return ExitCode::kInternal;
}

Outcome run_command_line(const std::vector<std::string>& arguments, const Style& style,
                         const ProgressOutput& progress, const TextOutput& text) {
  CLI::App app(
      "Plans LLM inference over several small cards whose links are slow: how to split a model, how fast it "
      "will\n"
      "be, what limits it and what would help. Offline, from a model file and a cluster description.",
      "spanker");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion, "Print the version");
  app.require_subcommand(1);
  CommandContext context{style, progress, text, std::nullopt};
  add_plan_command(app, context);
  add_tile_command(app, context);
  add_profile_command(app, context);
  add_inspect_command(app, context);
  add_simulate_command(app, context);
  add_synth_command(app, context);
  add_run_command(app, context);
  add_measure_command(app, context);
  add_fit_command(app, context);
  add_validate_command(app, context);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = deepest(app);
    return Outcome::fine(asked.help(asked.get_parent() == nullptr ? "" : path_of(*asked.get_parent())));
  } catch (const CLI::CallForVersion&) {
    return Outcome::fine(std::string(kVersion) + "\n");
  } catch (const CLI::RequiredError& error) {
    // A misspelled command leaves the command missing: say what was misspelled.
    const std::vector<std::string> unknown = deepest(app).remaining();
    if (unknown.empty() || deepest(app).get_subcommands(nullptr).empty()) {
      return usage_error(path_of(deepest(app)), error.what());
    }
    return usage_error(path_of(deepest(app)), "unknown command, wanted one of " + commands_of(deepest(app)) +
                                                  ", got \"" + unknown.front() + "\"");
  } catch (const CLI::ParseError& error) {
    return usage_error(path_of(deepest(app)), error.what());
  }
  return *context.outcome;
}

}  // namespace spanker
