#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/measure/run_filter.hpp"

// Internal to this module: what `fit` and `validate` have in common.
namespace spanker {

/// The profile that a flag names; nothing where it was not given.
Result<std::optional<Cluster>> optional_cluster(const std::optional<std::string>& name);

/// The filter that a flag gives; nothing where it was not given.
Result<std::optional<RunFilter>> optional_filter(const std::optional<std::string>& text, const char* flag);

}  // namespace spanker
