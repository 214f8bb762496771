#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/run/token_chooser.hpp"

namespace spanker {

/// What ranks have to know to run a plan together, so that they need no flags: the first has it from its
/// command line or from whoever started it, the others from the first.
struct RunJob {
  std::string plan;                      ///< the text of a plan file; its workload is this run's
  bool is_predicted = false;             ///< whether the plan's cluster is more than made up
  std::vector<std::uint32_t> prompt;     ///< what was asked
  std::vector<std::uint32_t> generated;  ///< what was generated before, which this run continues
  GenerateOptions options;
  std::string model;  ///< its path, as the first rank knows it
  std::optional<std::string> trace;
  std::optional<std::string> record;
  bool json = false;
};

std::string to_json(const RunJob& job);
/// Fails with kBadInput at `where`.
Result<RunJob> run_job_from(std::string_view text, std::string_view where);

}  // namespace spanker
