#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

// Internal to this module: the model, cluster and workload that a command is asked about.
namespace spanker {

struct QuestionFlags {
  std::string model;
  std::string quant;
  std::string cluster = "sails-rev-a";
  std::optional<std::uint32_t> cards;
  std::optional<std::uint64_t> context;
  std::optional<std::uint64_t> prompt;
  std::optional<std::uint64_t> generate;
  std::uint64_t streams = 1;
  std::string objective = "latency";
  std::string strategy = "auto";
  std::string kv_type = "f16";
  std::string link_type = "f32";
  std::string embedding = "cards";
  std::string checkpoint_bytes;
  std::string stream_bytes_per_token;
  std::vector<const CLI::Option*> beside_model;  ///< all of these but MODEL
};

/// Everything that the flags ask, read and checked.
struct Question {
  Problem problem;
  StrategySet strategies;
};

/// MODEL and all flags of QuestionFlags. `flags` must live until the command line is parsed.
void add_question_flags(CLI::App& command, QuestionFlags& flags);

/// The plan of the file that MODEL names; nothing where it names no plan file. A flag beside it, which would
/// ask something else, is an error.
Result<std::optional<PlannedProblem>> plan_file_from(const QuestionFlags& flags);

Result<Question> question_from(const QuestionFlags& flags);

}  // namespace spanker
