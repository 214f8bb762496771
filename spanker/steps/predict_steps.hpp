#pragma once

#include "spanker/cost/cluster_rates.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// The closed form of docs/cost-model.md, step by step: each step starts when those that it waits for have
/// ended; a round starts when the one before has ended on all cards of its exchange, and its sends share the
/// links as they do in CollectivePricer. The makespan is the price of the pass. Steps over routes that are
/// not up never end: their times are infinite.
Timeline predict_steps(const StepGraph& graph, const ClusterRates& rates);

}  // namespace spanker
