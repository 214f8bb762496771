#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cli/progress.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// Exit codes of the command line.
enum class ExitCode : int { kFine = 0, kNo = 1, kBadInput = 2, kIo = 3, kInternal = 4 };

ExitCode exit_code_of(ErrorKind kind);

/// What a command says and how it ends. An error is one line; where there is one, warnings follow it.
struct Outcome {
  ExitCode code = ExitCode::kFine;
  std::string out;                    ///< for stdout
  std::string error;                  ///< one line for stderr, without the "spanker: error: "
  std::vector<std::string> warnings;  ///< for stderr, after the error

  static Outcome fine(std::string out) { return {ExitCode::kFine, std::move(out), {}, {}}; }
  static Outcome failed(const Error& error) { return {exit_code_of(error.kind), {}, to_line(error), {}}; }
};

/// Takes what a command says while it works, for stdout; what it says in the end is in its outcome.
using TextOutput = std::function<void(std::string_view)>;

/// Runs `spanker` with these arguments (without the program's name) and touches nothing but the files they
/// name. Long commands show on `progress` how far they are. Without `text`, all that a command says is in the
/// outcome.
Outcome run_command_line(const std::vector<std::string>& arguments, const Style& style,
                         const ProgressOutput& progress = {}, const TextOutput& text = {});

}  // namespace spanker
