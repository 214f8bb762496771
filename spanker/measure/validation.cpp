#include "spanker/measure/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "spanker/cluster/profile.hpp"
#include "spanker/measure/run_work.hpp"

namespace spanker {
namespace {

std::optional<double> count(const std::optional<Seconds>& seconds) {
  if (!seconds) return std::nullopt;
  return seconds->count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// A run by a profile, with its band.
Result<ValidatedRun> predicted(const LocatedRun& located, const Cluster& cluster, bool fitted) {
  const MeasuredRun& run = located.run;
  const auto work = run_work(run, cluster, located.where);
  if (!work) return tl::unexpected(work.error());
  const auto at = [&](Bound bound) { return run_seconds(*work, run_rates(cluster, *work, bound)); };
  const RunSeconds value = at(Bound::kValue);
  const RunSeconds quick = at(Bound::kHigh);
  const RunSeconds slow = at(Bound::kLow);
  return ValidatedRun{run,
                      fitted,
                      {value.compute, quick.compute, slow.compute, count(run.compute_seconds)},
                      {value.transfer, quick.transfer, slow.transfer,
                       run.cards > 1 ? count(run.transfer_seconds) : std::nullopt},
                      {value.total(), quick.total(), slow.total(), run.seconds_per_token.count()}};
}

/// The runs of one cluster and schedule.
using Group = std::vector<const LocatedRun*>;

std::vector<Group> groups_of(std::span<const LocatedRun> runs) {
  std::vector<Group> groups;
  for (const LocatedRun& located : runs) {
    const auto alike = [&](const Group& group) {
      return group.front()->run.cluster == located.run.cluster &&
             group.front()->run.schedule == located.run.schedule;
    };
    auto group = std::ranges::find_if(groups, alike);
    if (group == groups.end()) group = groups.insert(groups.end(), Group());
    group->push_back(&located);
  }
  return groups;
}

}  // namespace

std::string_view to_string(RunPart part) {
  switch (part) {
    case RunPart::kCompute:
      return "compute";
    case RunPart::kTransfer:
      return "transfer";
    case RunPart::kTotal:
      return "total";
  }
  return {};
}

const Compared& ValidatedRun::part(RunPart part) const {
  switch (part) {
    case RunPart::kCompute:
      return compute;
    case RunPart::kTransfer:
      return transfer;
    case RunPart::kTotal:
      break;
  }
  return total;
}

PartSummary Validation::summary(std::span<const RunPart> parts) const {
  PartSummary summary;
  std::vector<double> widths;
  std::vector<double> errors;
  for (const ValidatedRun& run : runs) {
    if (held_out && run.fitted) continue;
    for (const RunPart part : parts) {
      const Compared& compared = run.part(part);
      const auto error = compared.error();
      if (!error) continue;
      ++summary.runs;
      if (compared.inside()) ++summary.inside;
      widths.push_back(compared.high / compared.low);
      errors.push_back(std::abs(*error));
    }
  }
  summary.median_high_over_low = median(widths);
  summary.median_error = median(errors);
  if (!errors.empty()) summary.worst_error = std::ranges::max(errors);
  return summary;
}

Result<Cluster> base_profile(const std::string& name, bool only_one, const std::optional<Cluster>& given,
                             std::string_view where) {
  if (given && (only_one || given->name == name)) return *given;
  const auto profiles = builtin_profiles();
  const bool is_builtin = std::ranges::find(profiles, name, &BuiltinProfile::name) != profiles.end();
  if (is_builtin) return load_cluster(name);
  if (given) return *given;
  return bad_input(fmt::format("{}.cluster", where), "no built-in profile of that name",
                   "--cluster with a profile for it", name);
}

std::vector<LocatedRun> located(const MeasuredRuns& runs, std::string_view file) {
  std::vector<LocatedRun> all;
  for (std::size_t i = 0; i < runs.runs.size(); ++i) {
    all.push_back({runs.runs[i], fmt::format("{}: runs[{}]", file, i)});
  }
  return all;
}

Result<Validation> validate_runs(std::span<const LocatedRun> runs, const std::optional<Cluster>& given,
                                 const std::optional<RunFilter>& fit) {
  std::set<std::string_view> names;
  for (const LocatedRun& located : runs) names.insert(located.run.cluster);
  Validation validation;
  validation.runs.resize(runs.size());
  for (const Group& group : groups_of(runs)) {
    const LocatedRun& first = *group.front();
    auto base = base_profile(first.run.cluster, names.size() == 1, given, first.where);
    if (!base) return tl::unexpected(base.error());
    ValidatedCluster cluster{first.run.cluster, first.run.schedule, std::move(*base), std::nullopt};
    std::vector<LocatedRun> matching;
    for (const LocatedRun* located : group) {
      if (fit && fit->matches(located->run)) matching.push_back(*located);
    }
    if (!matching.empty()) {
      auto fitted = fit_cluster(cluster.cluster, matching);
      if (!fitted) return tl::unexpected(fitted.error());
      cluster.cluster = fitted->cluster;
      cluster.fit = std::move(*fitted);
      validation.held_out = true;
    }
    for (const LocatedRun* located : group) {
      auto run = predicted(*located, cluster.cluster, fit && fit->matches(located->run));
      if (!run) return tl::unexpected(run.error());
      validation.runs[static_cast<std::size_t>(located - runs.data())] = std::move(*run);
    }
    validation.clusters.push_back(std::move(cluster));
  }
  return validation;
}

}  // namespace spanker
