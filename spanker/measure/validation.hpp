#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/measure/fit.hpp"
#include "spanker/measure/run_filter.hpp"

namespace spanker {

/// The parts of a token's time that are compared.
enum class RunPart { kCompute, kTransfer, kTotal };
inline constexpr std::array kRunParts = {RunPart::kCompute, RunPart::kTransfer, RunPart::kTotal};
std::string_view to_string(RunPart part);  ///< "compute", "transfer", "total"

/// A predicted time with its band, in seconds, and what was measured.
struct Compared {
  double predicted = 0;
  double low = 0;   ///< every range at its optimistic end
  double high = 0;  ///< every range at its pessimistic end
  std::optional<double> measured;

  bool inside() const { return measured && low <= *measured && *measured <= high; }
  /// predicted / measured - 1; nothing where nothing, or no time at all, was measured.
  std::optional<double> error() const {
    if (!measured || *measured == 0) return std::nullopt;
    return predicted / *measured - 1;
  }
};

struct ValidatedRun {
  MeasuredRun run;
  bool fitted = false;  ///< took part in the fit of its cluster
  Compared compute;
  Compared transfer;  ///< nothing measured on a single card, which has nobody to wait for
  Compared total;

  const Compared& part(RunPart part) const;
};

/// The profile that the runs of one cluster and schedule were predicted with.
struct ValidatedCluster {
  std::string name;
  EngineSchedule schedule = EngineSchedule::kPlan;
  Cluster cluster;
  std::optional<Fit> fit;  ///< where a fit was asked for and some of its runs match
};

/// How well parts were predicted, over runs where they were measured.
struct PartSummary {
  std::size_t runs = 0;  ///< of each part, added up
  std::size_t inside = 0;
  double median_high_over_low = 0;
  double median_error = 0;  ///< of the sizes of errors
  double worst_error = 0;   ///< the largest size
};

struct Validation {
  std::vector<ValidatedRun> runs;  ///< in the file's order
  std::vector<ValidatedCluster> clusters;
  bool held_out = false;  ///< some runs took part in fits, so summaries are of the others

  /// Of the runs that took part in no fit (of all where there was no fit): one part, or several together.
  PartSummary summary(std::span<const RunPart> parts) const;
  PartSummary summary(RunPart part) const { return summary({&part, 1}); }
};

/// The profile that runs of a cluster of that name start from: `given` where that is its name, or where it is
/// no built-in profile, or where all runs are of one cluster; else the built-in one. Fails with kBadInput
/// where there is none.
Result<Cluster> base_profile(const std::string& name, bool only_one, const std::optional<Cluster>& given,
                             std::string_view where);

/// The runs of `file` one by one, with where they stand.
std::vector<LocatedRun> located(const MeasuredRuns& runs, std::string_view file);

/// Predicts every run from its cluster's base_profile. With `fit`, the runs of a cluster and schedule that it
/// matches are fitted first, and no other run of it is read before the profile is made. Fails as base_profile
/// and run_work do.
Result<Validation> validate_runs(std::span<const LocatedRun> runs, const std::optional<Cluster>& given,
                                 const std::optional<RunFilter>& fit);

}  // namespace spanker
