#pragma once

#include <span>

#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// The card that lacks most memory when `cards` hold all layers together, each part as quick to decode as it
/// goes.
CardMemory tightest_card(const Problem& problem, std::span<const CardId> cards);

}  // namespace spanker
