#pragma once

#include <vector>

#include "spanker/simulate/contention_engine.hpp"
#include "spanker/simulate/faults.hpp"

// Internal to this module.
namespace spanker {

/// The faults as the engine takes them: one direction at a time, speeds as parts of the cluster's stated
/// ones.
std::vector<TimedChange> engine_changes(const Cluster& cluster, const std::vector<Fault>& faults);

}  // namespace spanker
