#pragma once

#include <optional>

#include "spanker/cli/command.hpp"

namespace CLI {
class App;
}

// Internal to this module. Each function adds a subcommand with its options, help and examples; when the
// command line names it, `outcome` is set.
namespace spanker {

struct CommandContext {
  Style style;
  ProgressOutput progress;
  TextOutput text;
  std::optional<Outcome> outcome;
};

void add_plan_command(CLI::App& app, CommandContext& context);
void add_tile_command(CLI::App& app, CommandContext& context);
void add_profile_command(CLI::App& app, CommandContext& context);
void add_inspect_command(CLI::App& app, CommandContext& context);
void add_simulate_command(CLI::App& app, CommandContext& context);
void add_synth_command(CLI::App& app, CommandContext& context);
void add_run_command(CLI::App& app, CommandContext& context);
void add_measure_command(CLI::App& app, CommandContext& context);
void add_fit_command(CLI::App& app, CommandContext& context);
void add_validate_command(CLI::App& app, CommandContext& context);

}  // namespace spanker
