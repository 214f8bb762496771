#pragma once

#include <string>
#include <vector>

#include "spanker/cluster/cluster.hpp"

namespace spanker {

/// What a user of this cluster's numbers should know: memory slower than four links, no compute, values that
/// have neither a range nor a source.
std::vector<std::string> profile_warnings(const Cluster& cluster);

}  // namespace spanker
