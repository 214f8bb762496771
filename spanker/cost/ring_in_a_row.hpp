#pragma once

#include <span>

#include "spanker/cost/collective_cost.hpp"

// Internal to this module.
namespace spanker {

/// Prices a ring algorithm of any collective but a broadcast among two or more cards that stand side by side
/// in a uniform ring or line, in time that grows with the cards and not with their square: in every round all
/// chunks are under way, of at most two sizes, so a round's price depends only on the sizes that go between
/// the two ends. To the bit what its rounds add up to. Gives up after the round that takes it beyond `bound`.
Cost price_ring_in_a_row(ChainRoundPricer& rounds, Collective collective, Algorithm algorithm,
                         std::span<const CardId> cards, Payload payload, Seconds bound);

}  // namespace spanker
