#pragma once

#include <cstdint>

#include "spanker/base/quantity.hpp"
#include "spanker/cluster/cluster.hpp"

namespace spanker {

/// Cards of this machine for as long as it has not been measured: equal ones, each of which may take all of
/// `memory`, every two joined by a link. Their speeds are made up, such that a plan spreads over all of them;
/// a prediction for it means nothing.
Cluster unmeasured_machine(std::uint32_t cards, Bytes memory);

}  // namespace spanker
