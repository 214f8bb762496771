#pragma once

#include <cstddef>
#include <vector>

#include "spanker/comm/paced_clock.hpp"
#include "spanker/comm/paced_transport.hpp"
#include "spanker/cost/cluster_rates.hpp"

namespace spanker {

/// A card that is as slow as a cluster says: its own clock, and what its steps, the host and its links cost
/// it.
struct CardPace {
  PacedClock clock;
  CardRates rates;
  LinkRates host;
  PacedRoutes routes;
};

/// Of cards[rank], at the cluster's stated values, in a run that starts at `start`. `cards` are those of the
/// network by their numbers in the cluster; those of a valid plan have routes to each other. `rates` must
/// outlive it.
CardPace card_pace(const ClusterRates& rates, const std::vector<CardId>& cards, std::size_t rank,
                   PacedClock::Time start);

}  // namespace spanker
