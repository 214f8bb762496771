#pragma once

#include "spanker/base/quantity.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/cost/cluster_rates.hpp"

namespace spanker {

/// By what a serial share that was seen with layers of `seen` bytes differs with layers of `layer` bytes.
/// What every card spends in full on a layer may be a fixed time, a share of seen / layer, or grow as the
/// layer does, a share that stays. The value lies between the two, its square root; the bounds are the two.
double serial_scale(Bytes seen, Bytes layer, Bound bound);

/// The cluster as it is for layers of so many bytes: every serial share that was seen with others is scaled,
/// to 100 % at most, and then is that of all.
Cluster for_layers_of(Bytes layer, Cluster cluster);

}  // namespace spanker
