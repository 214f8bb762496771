#include "spanker/plan/aim.hpp"

#include <algorithm>

namespace spanker {
namespace {

Aim period_aim(const Problem& problem, std::uint64_t micro_batches) {
  const std::uint64_t streams = problem.workload.streams;
  const MicroBatches batches = MicroBatches::of(streams, micro_batches);
  Aim aim{Aim::Kind::kPeriod, {}, micro_batches, streams};
  aim.passes.push_back({problem.decode(batches.larger), static_cast<double>(batches.larger_count)});
  if (batches.smaller_count > 0) {
    aim.passes.push_back({problem.decode(batches.smaller), static_cast<double>(batches.smaller_count)});
  }
  return aim;
}

}  // namespace

MicroBatches MicroBatches::of(std::uint64_t streams, std::uint64_t micro_batches) {
  const std::uint64_t small = streams / micro_batches;
  const std::uint64_t rest = streams % micro_batches;
  if (rest == 0) return {small, micro_batches, 0, 0};
  return {small + 1, rest, small, micro_batches - rest};
}

double Aim::value(const PieceTotals& totals) const {
  switch (kind) {
    case Kind::kSum:
    case Kind::kSession:
      return totals.seconds;
    case Kind::kOwnPorts:
      return totals.seconds + totals.largest;
    case Kind::kPeriod: {
      double busy = passes[0].weight * totals.largest;
      if (passes.size() > 1) busy += passes[1].weight * totals.largest_of_second;
      // One batch is not followed by another: its own way through all stages is the period.
      const double period = micro_batches == 1 ? totals.seconds : std::max(totals.seconds, busy);
      return period / static_cast<double>(streams);
    }
  }
  return totals.seconds;
}

std::vector<Aim> aims_of(const Problem& problem) {
  const Workload& workload = problem.workload;
  switch (workload.objective) {
    case Objective::kLatency:
      return {{Aim::Kind::kSum, {{problem.decode(), 1}}, 1, 1}};
    case Objective::kFirstToken:
      return {{Aim::Kind::kSum, {{problem.prefill(), 1}}, 1, 1}};
    case Objective::kSession: {
      const auto kind = problem.cluster.host_link.shared ? Aim::Kind::kSession : Aim::Kind::kOwnPorts;
      const auto tokens = static_cast<double>(workload.generate);
      return {{kind, {{problem.decode(), tokens}, {problem.prefill(), 1}}, 1, 1}};
    }
    case Objective::kThroughput:
      break;
  }
  const std::uint64_t most =
      std::min(workload.streams, kMostMicroBatchesPerCard * problem.cluster.card_count);
  std::vector<Aim> aims;
  for (std::uint64_t count = 1; count <= most; ++count) aims.push_back(period_aim(problem, count));
  return aims;
}

}  // namespace spanker
