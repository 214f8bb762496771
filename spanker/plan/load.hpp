#pragma once

#include <cstdint>
#include <span>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// Bringing the cards of one stage their weights over the host link.
struct StageLoad {
  Bytes bytes;           ///< that cross the host link
  Seconds seconds{0};    ///< through one port for all cards, without its latency
  bool relayed = false;  ///< parts that several cards hold cross once and are passed on between cards
  Bytes largest;         ///< of one card
};

/// With one port a stage's bytes add up: all that its cards hold, or each byte once and then the copies from
/// its first card to its second, whichever is quicker. With a port for each card nothing is relayed.
StageLoad stage_load(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
                     std::span<const CardId> cards, StageEnds ends, std::span<const std::uint32_t> layers,
                     std::span<const CardShare> shares);

}  // namespace spanker
