#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "spanker/cli/command.hpp"
#include "spanker/cli/run_flags.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/tokenizer/tokenizer.hpp"

// Internal to this module.
namespace spanker {

/// What is run: the question, the plan, and whether its cluster is more than made up.
struct RunTask {
  Problem problem;
  Plan plan;
  bool is_predicted;
};

/// All that flags and files say of a run.
struct RunSetup {
  ModelFile file;
  std::optional<Tokenizer> tokenizer;  ///< nothing where the file has none, which matters to --prompt alone
  std::vector<std::uint32_t> prompt;
  RunTask task;
};

/// A file with weights, for MODEL.
Result<ModelFile> open_model(const std::string& model);
Result<std::optional<Tokenizer>> tokenizer_of(const ModelFile& file, bool is_needed);

/// How the command ends where that cannot be run. `cards`: how many there are where no flag says so.
tl::expected<RunSetup, Outcome> run_setup(const RunFlags& flags, std::optional<std::uint32_t> cards);

}  // namespace spanker
