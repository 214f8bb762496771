#pragma once

#include <span>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/run/step_clock.hpp"
#include "spanker/steps/step_graph.hpp"

namespace spanker {

/// How much has to be added to the times of each clock so that all of them read like the first, for clocks of
/// processes that did not start together. Known from exchanges: nobody leaves one before all have come from
/// whom it gets something, so each bounds how far two clocks can be apart from one side, or from both. In
/// between the middle is taken; where only one side is bounded, as little as it asks for.
std::vector<Seconds> clock_shifts(const StepGraph& graph, std::span<const StepClock> clocks);

}  // namespace spanker
