#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/measure/measured_runs.hpp"

namespace spanker {

/// A run and where it stands, for errors: "runs.json: runs[3]".
struct LocatedRun {
  MeasuredRun run;
  std::string where;
};

/// One number of a profile after a fit, in its base unit (bytes per second, seconds, or a share of 1).
struct FittedNumber {
  std::string_view key;     ///< in the profile: "card.memory_bandwidth"
  bool modelled = false;    ///< the profile says something of it
  bool identified = false;  ///< the runs tell it better than what was known before
  double before = 0;        ///< the base's value; 0 where it says nothing
  double value = 0;
  double low = 0;
  double high = 0;
};

/// A profile that was fitted to runs.
struct Fit {
  Cluster cluster;
  std::vector<FittedNumber> numbers;  ///< every number that runs can tell, in a fixed order
  std::size_t runs = 0;
  std::size_t observations = 0;  ///< measured times that were used
  /// How far runs lie from the fit, in units of the noise that such measurements have: about 1 where the
  /// model holds.
  double scatter = 0;
};

/// `base` with the numbers that the runs tell: card.memory_bandwidth, card.serial_share, card.token_overhead,
/// card.step_overhead, card.wait_share, link.latency and switch.contention. At least one run; all are taken
/// to be of that cluster. Fails as run_work does.
///
/// Robust least squares on the logarithms of measured over predicted compute and transfer seconds (of all
/// seconds where a run does not tell them apart), with what the base says of a number as prior: its value,
/// and its range as the 5th to 95th percentile, which is never taken as tighter than what differs between
/// boards and engines of a kind (docs/calibration.md). A number is identified where the runs alone, apart
/// from what identified numbers before it explain, tell it better than the prior. Then its value is the
/// fit's, and low and high are its 90 % profile likelihood interval, widened by the scatter of the runs. One
/// that is not keeps the base's value, and of the base's range what the runs allow.
/// The same runs in the same order give the same profile, bit by bit.
Result<Fit> fit_cluster(const Cluster& base, std::span<const LocatedRun> runs);

}  // namespace spanker
