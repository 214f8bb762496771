#include "spanker/cost/ring_in_a_row.hpp"

#include <array>
#include <optional>
#include <vector>

namespace spanker {
namespace {

/// The flows of one round of a ring algorithm: each rank passes a chunk, `shift` places back from its own, to
/// its neighbour, or half of it to each. The last flow of each lane goes between the two ends.
void append_ring_lane(std::span<const CardId> cards, Payload payload, std::uint32_t shift, bool upward,
                      std::uint32_t lanes, std::vector<Flow>& flows) {
  const auto ranks = static_cast<std::uint32_t>(cards.size());
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    const std::uint32_t next = (rank + (upward ? 1 : ranks - 1)) % ranks;
    const std::uint32_t chunk = (rank + (upward ? ranks - shift : shift)) % ranks;
    const std::uint64_t whole = chunk_of(chunk, ranks, payload.units()).units;
    const std::uint64_t units = chunk_of(upward ? 0 : 1, lanes, whole).units;
    if (units > 0) flows.push_back({cards[rank], cards[next], payload.unit_bytes() * units});
  }
}

}  // namespace

Cost price_ring_in_a_row(ChainRoundPricer& rounds, Collective collective, Algorithm algorithm,
                         std::span<const CardId> cards, Payload payload, Seconds bound) {
  const auto ranks = static_cast<std::uint32_t>(cards.size());
  const std::uint32_t lanes = algorithm == Algorithm::kRingBidirectional ? 2 : 1;
  const std::uint64_t smaller = payload.units() / ranks;
  std::array<std::optional<Cost>, 4> known;
  const auto round = [&](std::uint32_t shift) -> const Cost& {
    const bool larger_up = chunk_of((2 * ranks - 1 - shift) % ranks, ranks, payload.units()).units > smaller;
    const bool larger_down = chunk_of(shift % ranks, ranks, payload.units()).units > smaller;
    std::optional<Cost>& cost = known[(larger_up ? 2u : 0u) + (larger_down ? 1u : 0u)];
    if (!cost) {
      std::vector<Flow> flows;
      append_ring_lane(cards, payload, shift, true, lanes, flows);
      if (lanes == 2) append_ring_lane(cards, payload, shift, false, lanes, flows);
      cost = rounds.slowest(flows);
    }
    return *cost;
  };
  Cost cost;
  // While adding up every rank starts with the chunk before its own, while telling with its own.
  for (const bool reduce : {true, false}) {
    if (collective == (reduce ? Collective::kAllGather : Collective::kReduceScatter)) continue;
    for (std::uint32_t i = 0; i + 1 < ranks && cost.total() <= bound; ++i)
      cost += round(i + (reduce ? 1 : 0));
  }
  return cost;
}

}  // namespace spanker
