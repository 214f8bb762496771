#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "spanker/collective/schedule.hpp"
#include "spanker/cost/chain_round.hpp"
#include "spanker/cost/cluster_rates.hpp"
#include "spanker/cost/round_cost.hpp"

namespace spanker {

/// A vector as it travels: how many elements, in which type. It can be cut between blocks of that type only.
struct Payload {
  std::uint64_t elements = 0;
  TensorType type = TensorType::kF32;

  /// Blocks; the last may be padded.
  std::uint64_t units() const;
  Bytes unit_bytes() const { return Bytes(block_shape(type).bytes); }
};

/// Which algorithm a use of a collective takes, and its price.
struct CollectiveChoice {
  Algorithm algorithm = Algorithm::kDirect;
  Cost cost;
};

inline constexpr std::size_t kMostDirectRanks = 64;

/// Prices transfers and collectives on a cluster's links, and remembers what it priced. Not thread-safe.
///
/// The transfers of a round are flows that start together (RoundPricer). A round lasts as long as its slowest
/// transfer; a collective is the sum of its rounds.
class CollectivePricer {
 public:
  /// `rates` must outlive the pricer.
  explicit CollectivePricer(const ClusterRates& rates);

  /// One vector from one card to another; nothing where they are the same. Infinite link_latency where no
  /// route is up.
  Cost transfer(CardId from, CardId to, Payload payload);

  /// `collective` by `algorithm` among `cards` (rank r is cards[r]); no cost for one card or an empty
  /// payload.
  Cost collective(Collective collective, Algorithm algorithm, std::span<const CardId> cards, Payload payload);

  /// The cheapest algorithm; among equals the first of algorithms_of(collective) that is not a ring. Direct
  /// exchanges between more than kMostDirectRanks cards are not considered where routes have many hops (ring,
  /// line, torus): they crowd the links there, and pricing them takes cubic time.
  CollectiveChoice cheapest(Collective collective, std::span<const CardId> cards, Payload payload);

  /// No all_reduce between `ranks` cards that stand side by side takes less; without pricing any, and 0 but
  /// on uniform rings and lines.
  Seconds least_all_reduce(std::size_t ranks, Payload payload) const;

  /// Cards between which, in that order, every collective costs what it costs between `cards`: moved to where
  /// uniform wiring starts, or `cards` themselves.
  std::vector<CardId> equivalent_cards(std::span<const CardId> cards) const;

 private:
  using Key = std::tuple<Collective, std::uint64_t, TensorType, std::vector<CardId>>;

  /// Gives up after the round that takes it beyond `bound`: the price is then too low, but above it.
  Cost priced(Collective collective, Algorithm algorithm, std::span<const CardId> cards, Payload payload,
              Seconds bound);
  Cost price(const Schedule& schedule, std::span<const CardId> cards, Bytes unit_bytes, Seconds bound);
  bool prices_direct_among(std::size_t ranks) const;
  /// Whether every card of a ring algorithm has cables of its own to its neighbours, so that every round
  /// costs the same.
  bool has_ring_of_its_own(Collective collective, Algorithm algorithm, std::span<const CardId> cards) const;
  /// The price of a ring algorithm there, without its schedule.
  Cost ring_price(Collective collective, Algorithm algorithm, std::size_t ranks, Payload payload) const;
  /// A lower bound of an algorithm's price, where one is known without its schedule; else 0.
  Seconds least_seconds(Collective collective, Algorithm algorithm, std::span<const CardId> cards,
                        Payload payload);
  Seconds least_ring_seconds(Collective collective, Algorithm algorithm, std::span<const CardId> cards,
                             Payload payload);
  bool is_uniform_chain() const;
  bool stand_side_by_side(std::span<const CardId> cards) const;
  Seconds least_all_reduce(Algorithm algorithm, std::size_t ranks, Payload payload) const;
  Cost price_round(std::span<const Transfer> round, std::span<const CardId> cards, Bytes unit_bytes);

  const ClusterRates& rates_;
  std::map<Key, CollectiveChoice> cheapest_;
  RoundPricer rounds_;
  std::optional<ChainRoundPricer> chain_rounds_;  ///< on uniform rings and lines
  std::vector<Flow> flows_;                       ///< scratch of price_round
};

}  // namespace spanker
