#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/cluster/profile.hpp"
#include "spanker/measure/fit.hpp"
#include "spanker/measure/run_work.hpp"

/// What tests of fits share.
namespace spanker::testing {

/// A star of boards with every number that a fit can tell.
inline Cluster boards() {
  const auto cluster = parse_profile(R"(schema = "spanker.cluster/1"
name = "boards"
cards = 2
topology = "star"
[card]
memory_bandwidth = "5 GB/s"
memory_capacity = "8 GiB"
serial_share = { value = "15 %", low = "5 %", high = "30 %" }
wait_share = { value = "5 %", low = "0 %", high = "30 %" }
[link]
bandwidth = "117 MB/s"
latency = { value = "0.1 ms", low = "0.03 ms", high = "0.3 ms" }
[host_link]
bandwidth = "117 MB/s"
latency = "0.2 ms"
[switch]
contention = { value = "10 %", low = "0 %", high = "50 %" }
)",
                                     "boards");
  EXPECT_TRUE(cluster) << to_line(cluster.error());
  return cluster.value_or(Cluster{});
}

inline MeasuredRun run_on(std::uint32_t cards, const std::string& model = "llama-2-7b",
                          EngineSchedule schedule = EngineSchedule::kRootStar) {
  MeasuredRun run;
  run.cluster = "boards";
  run.model = model;
  run.quant = TensorType::kQ4_0;
  run.schedule = schedule;
  run.wire = TensorType::kQ8_0;
  run.cards = cards;
  run.samples = 16;
  return run;
}

/// The run as a cluster of such numbers would have it, times multiplied by the factors.
inline LocatedRun synthetic(MeasuredRun run, const Cluster& truth, double compute_factor = 1,
                            double transfer_factor = 1) {
  const auto work = run_work(run, truth, "synthetic");
  EXPECT_TRUE(work) << to_line(work.error());
  const RunSeconds seconds = run_seconds(*work, run_rates(truth, *work, Bound::kValue));
  run.compute_seconds = Seconds(seconds.compute * compute_factor);
  run.transfer_seconds = Seconds(seconds.transfer * transfer_factor);
  run.seconds_per_token = *run.compute_seconds + *run.transfer_seconds + Seconds(seconds.other);
  return {run, "synthetic"};
}

inline const FittedNumber& number(const Fit& fit, std::string_view key) {
  for (const FittedNumber& number : fit.numbers) {
    if (number.key == key) return number;
  }
  ADD_FAILURE() << key;
  return fit.numbers.front();
}

}  // namespace spanker::testing
