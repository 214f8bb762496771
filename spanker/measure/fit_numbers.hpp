#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "spanker/cluster/cluster.hpp"
#include "spanker/measure/least_squares.hpp"
#include "spanker/measure/run_work.hpp"

// Internal to this module: the numbers of a profile that runs can tell.
namespace spanker {

/// Half of the width that holds 90 % of a normal distribution, in deviations.
inline constexpr double kDeviationsOf90 = 1.645;

/// What the runs of a fit are like, for numbers whose prior depends on it.
struct RunScale {
  double shortest_seconds = 0;  ///< of the computing of any run
  double most_steps = 1;
};

/// How one number is stored, read, bounded and handed to predictions.
struct ProfileNumber {
  std::string_view key;
  bool logarithmic = false;  ///< is fitted by its logarithm
  bool is_share = false;
  /// In base units; nothing where the cluster says nothing of it.
  std::optional<Ranged<double>> (*get)(const Cluster&);
  void (*set)(Cluster&, const Ranged<double>&);
  /// `before`: the base's value of the same number.
  void (*apply)(RunRates&, double value, double before);
  /// The least uncertainty before any runs, upwards and downwards: by what factor where logarithmic.
  double (*least_spread)(const RunScale&);
  double most = 0;  ///< bound of its value
};

/// In the order in which runs are asked for them: what comes first explains what it can.
std::span<const ProfileNumber> profile_numbers();

/// The unknown of a number, with a prior around what the cluster says of it.
Unknown unknown_of(const ProfileNumber& number, const Cluster& base, const RunScale& scale);

}  // namespace spanker
