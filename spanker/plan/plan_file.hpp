#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// A question and a plan for it that can be carried out (validate): what a plan file holds.
struct PlannedProblem {
  Problem problem;
  Plan plan;
};

inline constexpr std::size_t kMaxPlanFileBytes = std::size_t{1} << 24;

/// A plan file, schema "spanker.plan_file/1" (docs/plan-files.md): JSON that a person can read and edit, and
/// that holds everything from which problem and plan can be made again. What follows from that is not in it.
std::string plan_file_text(const Problem& problem, const Plan& plan);

/// The problem and the plan of a file, numbers bit by bit, with the warnings that the cluster's profile would
/// get; algorithms of groups that have no use for any are kDirect. Strict: fails with kBadInput naming `file`
/// and the key, where it is not JSON or of another schema, where keys are unknown, missing or of a wrong
/// type, where model, cluster, workload (Problem::make) or plan (validate) cannot be; with kInfeasible where
/// only memory is missing.
Result<PlannedProblem> parse_plan_file(std::string_view text, std::string_view file);

/// Writes the file as AtomicFileWriter does: kIo where that fails; kBadInput where the text is longer than
/// kMaxPlanFileBytes, so that what was written can be read.
Result<void> write_plan_file(const std::string& path, const Problem& problem, const Plan& plan);

/// As parse_plan_file; kIo where the file cannot be read, kBadInput where it is longer than
/// kMaxPlanFileBytes.
Result<PlannedProblem> read_plan_file(const std::string& path);

/// Whether there is a file at `path` that calls itself one of this program: JSON with a `schema` that starts
/// with "spanker.". So a plan file of another version, or a report, is told from a model's config.json too.
bool is_plan_file(const std::string& path);

}  // namespace spanker
