#include "spanker/cost/collective_cost.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace spanker {
namespace {

Cost unreachable_cost() {
  Cost cost;
  cost.link_latency = Seconds(std::numeric_limits<double>::infinity());
  return cost;
}

/// Algorithms of few rounds first: their price bounds the ones whose many rounds take long to price.
std::vector<Algorithm> quickest_to_price_first(std::span<const Algorithm> algorithms) {
  std::vector<Algorithm> ordered(algorithms.begin(), algorithms.end());
  std::stable_partition(ordered.begin(), ordered.end(), [](Algorithm algorithm) {
    return algorithm != Algorithm::kRing && algorithm != Algorithm::kRingBidirectional;
  });
  return ordered;
}

}  // namespace

std::uint64_t Payload::units() const {
  const std::uint64_t block = block_shape(type).elements;
  return (elements + block - 1) / block;
}

CollectivePricer::CollectivePricer(const ClusterRates& rates)
    : rates_(rates), link_bytes_(rates.network().link_count(), 0) {}

Cost CollectivePricer::transfer(CardId from, CardId to, Payload payload) {
  if (from == to || payload.elements == 0) return {};
  const Transfer whole{0, 1, 0, payload.units(), false};
  const CardId cards[] = {from, to};
  return price_round({&whole, 1}, cards, payload.unit_bytes());
}

Cost CollectivePricer::collective(Collective collective, Algorithm algorithm, std::span<const CardId> cards,
                                  Payload payload) {
  const auto ranks = static_cast<std::uint32_t>(cards.size());
  const Schedule schedule = make_schedule(collective, algorithm, ranks, payload.units());
  return price(schedule, cards, payload.unit_bytes(), Seconds(std::numeric_limits<double>::infinity()));
}

CollectiveChoice CollectivePricer::cheapest(Collective collective, std::span<const CardId> cards,
                                            Payload payload) {
  const auto algorithms = algorithms_of(collective);
  if (cards.size() < 2 || payload.elements == 0) return {algorithms.front(), {}};
  Key key{collective, payload.units(), payload.type, equivalent_cards(cards)};
  if (const auto known = cheapest_.find(key); known != cheapest_.end()) return known->second;

  CollectiveChoice best{algorithms.front(), unreachable_cost()};
  for (const Algorithm algorithm : quickest_to_price_first(algorithms)) {
    if (algorithm == Algorithm::kDirect && !prices_direct_among(cards.size())) continue;
    if (least_ring_seconds(collective, algorithm, cards, payload) > best.cost.total()) continue;
    const auto ranks = static_cast<std::uint32_t>(cards.size());
    const Schedule schedule = make_schedule(collective, algorithm, ranks, payload.units());
    const Cost cost = price(schedule, cards, payload.unit_bytes(), best.cost.total());
    if (cost.total() < best.cost.total()) best = {algorithm, cost};
  }
  cheapest_.emplace(std::move(key), best);
  return best;
}

bool CollectivePricer::prices_direct_among(std::size_t ranks) const {
  const bool short_routes = rates_.topology() == Topology::kFullMesh || rates_.topology() == Topology::kStar;
  return short_routes || ranks <= kMostDirectRanks;
}

Seconds CollectivePricer::least_ring_seconds(Collective collective, Algorithm algorithm,
                                             std::span<const CardId> cards, Payload payload) {
  const bool is_ring = algorithm == Algorithm::kRing || algorithm == Algorithm::kRingBidirectional;
  if (!is_ring || payload.units() < 2 * cards.size()) return Seconds(0);
  Seconds quickest(std::numeric_limits<double>::infinity());
  Seconds slowest{0};
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const Payload least{block_shape(payload.type).elements, payload.type};
    const Seconds hop = transfer(cards[i], cards[(i + 1) % cards.size()], least).link_latency;
    quickest = std::min(quickest, hop);
    slowest = std::max(slowest, hop);
  }
  // A broadcast passes its pieces along a line; else every rank sends to its neighbour in every round.
  const bool phases_twice = collective == Collective::kAllReduce || collective == Collective::kBroadcast;
  const double rounds = (phases_twice ? 2.0 : 1.0) * static_cast<double>(cards.size() - 1);
  return rounds * (collective == Collective::kBroadcast ? quickest : slowest);
}

Cost CollectivePricer::price(const Schedule& schedule, std::span<const CardId> cards, Bytes unit_bytes,
                             Seconds bound) {
  Cost cost;
  for (std::size_t i = 0; i < schedule.round_count() && cost.total() <= bound; ++i) {
    cost += price_round(schedule.round(i), cards, unit_bytes);
  }
  return cost;
}

Cost CollectivePricer::price_round(std::span<const Transfer> round, std::span<const CardId> cards,
                                   Bytes unit_bytes) {
  routes_.clear();
  route_ends_.clear();
  bool all_reachable = true;
  for (const Transfer& transfer : round) {
    all_reachable &= rates_.network().append_route(cards[transfer.from], cards[transfer.to], routes_);
    route_ends_.push_back(routes_.size());
  }
  if (!all_reachable) return unreachable_cost();

  std::size_t hop = 0;
  for (std::size_t i = 0; i < round.size(); ++i) {
    for (; hop < route_ends_[i]; ++hop) link_bytes_[routes_[hop]] += round[i].units * unit_bytes.value;
  }

  Cost slowest;
  hop = 0;
  for (std::size_t i = 0; i < round.size(); ++i) {
    Cost cost;
    for (; hop < route_ends_[i]; ++hop) {
      const LinkRates link = rates_.link(routes_[hop]);
      cost.link_latency += link.latency;
      cost.link_bandwidth = std::max(cost.link_bandwidth, Bytes(link_bytes_[routes_[hop]]) / link.bandwidth);
    }
    if (cost.total() > slowest.total()) slowest = cost;
  }
  for (const LinkId id : routes_) link_bytes_[id] = 0;
  return slowest;
}

std::vector<CardId> CollectivePricer::equivalent_cards(std::span<const CardId> cards) const {
  std::vector<CardId> key(cards.begin(), cards.end());
  if (!rates_.network().is_uniform()) return key;
  const CardId first = key.front();
  switch (rates_.topology()) {
    case Topology::kFullMesh:
    case Topology::kStar:
      std::iota(key.begin(), key.end(), CardId{0});
      break;
    case Topology::kRing:
      for (CardId& card : key) card = (card + rates_.card_count() - first) % rates_.card_count();
      break;
    case Topology::kLine:
      if (std::ranges::min(key) == first) {
        for (CardId& card : key) card -= first;
      }
      break;
    case Topology::kTorus:
      break;
  }
  return key;
}

}  // namespace spanker
