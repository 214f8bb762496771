#include "spanker/cost/collective_cost.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "spanker/cost/ring_in_a_row.hpp"

namespace spanker {
namespace {

Cost unreachable_cost() {
  Cost cost;
  cost.link_latency = Seconds(std::numeric_limits<double>::infinity());
  return cost;
}

bool is_ring(Algorithm algorithm) {
  return algorithm == Algorithm::kRing || algorithm == Algorithm::kRingBidirectional;
}

}  // namespace

std::uint64_t Payload::units() const {
  const std::uint64_t block = block_shape(type).elements;
  return (elements + block - 1) / block;
}

CollectivePricer::CollectivePricer(const ClusterRates& rates) : rates_(rates), rounds_(rates) {
  if (is_uniform_chain()) chain_rounds_.emplace(rates);
}

bool CollectivePricer::is_uniform_chain() const {
  const bool in_a_row = rates_.topology() == Topology::kRing || rates_.topology() == Topology::kLine;
  return in_a_row && rates_.network().is_uniform();
}

Cost CollectivePricer::transfer(CardId from, CardId to, Payload payload) {
  if (from == to || payload.elements == 0) return {};
  const Transfer whole{0, 1, 0, payload.units(), false};
  const CardId cards[] = {from, to};
  return price_round({&whole, 1}, cards, payload.unit_bytes());
}

Cost CollectivePricer::collective(Collective collective, Algorithm algorithm, std::span<const CardId> cards,
                                  Payload payload) {
  return priced(collective, algorithm, cards, payload, Seconds(std::numeric_limits<double>::infinity()));
}

Cost CollectivePricer::priced(Collective collective, Algorithm algorithm, std::span<const CardId> cards,
                              Payload payload, Seconds bound) {
  if (payload.elements > 0 && has_ring_of_its_own(collective, algorithm, cards)) {
    return ring_price(collective, algorithm, cards.size(), payload);
  }
  if (is_ring(algorithm) && collective != Collective::kBroadcast && cards.size() > 1 &&
      stand_side_by_side(cards)) {
    return price_ring_in_a_row(*chain_rounds_, collective, algorithm, cards, payload, bound);
  }
  const auto ranks = static_cast<std::uint32_t>(cards.size());
  const Schedule schedule = make_schedule(collective, algorithm, ranks, payload.units());
  return price(schedule, cards, payload.unit_bytes(), bound);
}

CollectiveChoice CollectivePricer::cheapest(Collective collective, std::span<const CardId> cards,
                                            Payload payload) {
  const auto algorithms = algorithms_of(collective);
  if (cards.size() < 2 || payload.elements == 0) return {algorithms.front(), {}};
  Key key{collective, payload.units(), payload.type, equivalent_cards(cards)};
  if (const auto known = cheapest_.find(key); known != cheapest_.end()) return known->second;

  // The most promising first: its price rules out most of the others. Rings last, whose many rounds take
  // long.
  struct Candidate {
    Algorithm algorithm;
    std::size_t rank;  ///< among equals: in the order of the enumeration, rings last
    Seconds least;
  };
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    const Algorithm algorithm = algorithms[i];
    if (algorithm == Algorithm::kDirect && !prices_direct_among(cards.size())) continue;
    candidates.push_back({algorithm, i + (is_ring(algorithm) ? algorithms.size() : 0),
                          least_seconds(collective, algorithm, cards, payload)});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tuple(is_ring(a.algorithm), a.least, a.rank) <
           std::tuple(is_ring(b.algorithm), b.least, b.rank);
  });
  CollectiveChoice best{algorithms.front(), unreachable_cost()};
  std::size_t best_rank = 2 * algorithms.size();
  for (const Candidate& candidate : candidates) {
    if (candidate.least > best.cost.total()) continue;
    const Cost cost = priced(collective, candidate.algorithm, cards, payload, best.cost.total());
    const bool equal = cost.total() == best.cost.total();
    if (cost.total() < best.cost.total() || (equal && candidate.rank < best_rank)) {
      best = {candidate.algorithm, cost};
      best_rank = candidate.rank;
    }
  }
  cheapest_.emplace(std::move(key), best);
  return best;
}

bool CollectivePricer::prices_direct_among(std::size_t ranks) const {
  const bool short_routes = rates_.topology() == Topology::kFullMesh || rates_.topology() == Topology::kStar;
  return short_routes || ranks <= kMostDirectRanks;
}

bool CollectivePricer::has_ring_of_its_own(Collective collective, Algorithm algorithm,
                                           std::span<const CardId> cards) const {
  if (!is_ring(algorithm) || cards.size() < 3 || !rates_.network().is_uniform()) return false;
  // One way round, a broadcast never goes from the last card back to the first.
  if (collective == Collective::kBroadcast && algorithm == Algorithm::kRing && stand_side_by_side(cards)) {
    return true;
  }
  switch (rates_.topology()) {
    case Topology::kFullMesh:
      return true;
    case Topology::kStar:
      return algorithm == Algorithm::kRing;  // both ways round share a card's one cable
    case Topology::kRing:
      return cards.size() == rates_.card_count() && std::ranges::is_sorted(cards);
    case Topology::kLine:
    case Topology::kTorus:
      break;
  }
  return false;
}

Cost CollectivePricer::ring_price(Collective collective, Algorithm algorithm, std::size_t ranks,
                                  Payload payload) const {
  const LinkRates link = rates_.link(0);
  const double hops = rates_.topology() == Topology::kStar ? 2 : 1;
  const std::uint64_t lanes = algorithm == Algorithm::kRingBidirectional ? 2 : 1;
  const auto round = [&](std::uint64_t units) {
    Cost cost;
    if (units == 0) return cost;  // no such round
    const std::uint64_t largest = (units + lanes - 1) / lanes;
    cost.link_latency = hops * link.latency;
    cost.link_bandwidth = payload.unit_bytes() * largest / link.bandwidth;
    return cost;
  };
  const auto count = static_cast<std::uint32_t>(ranks);
  if (collective != Collective::kBroadcast) {
    // Every chunk is under way in every round, the largest too.
    const double phases = collective == Collective::kAllReduce ? 2 : 1;
    return round(chunk_of(0, count, payload.units()).units) * (phases * static_cast<double>(ranks - 1));
  }
  // Piece i leaves the root in round i and passes ranks - 1 hops; earlier pieces are not smaller.
  Cost cost;
  for (std::uint32_t i = 0; i < 2 * (count - 1); ++i) {
    const std::uint32_t first_piece = i + 1 > count - 1 ? i + 1 - (count - 1) : 0;
    cost += round(chunk_of(first_piece, count, payload.units()).units);
  }
  return cost;
}

Seconds CollectivePricer::least_seconds(Collective collective, Algorithm algorithm,
                                        std::span<const CardId> cards, Payload payload) {
  if (is_ring(algorithm)) return least_ring_seconds(collective, algorithm, cards, payload);
  if (collective != Collective::kAllReduce || !stand_side_by_side(cards)) return Seconds(0);
  return least_all_reduce(algorithm, cards.size(), payload);
}

/// Rings that send in every round: their rounds, each at the latency of the slowest neighbour (in a
/// broadcast, of the quickest).
Seconds CollectivePricer::least_ring_seconds(Collective collective, Algorithm algorithm,
                                             std::span<const CardId> cards, Payload payload) {
  if (payload.units() < 2 * cards.size()) return Seconds(0);
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
  const auto passes = static_cast<double>(cards.size() - 1);
  if (collective != Collective::kBroadcast) return (phases_twice ? 2.0 : 1.0) * passes * slowest;
  if (algorithm == Algorithm::kRing) return 2 * passes * quickest;
  // The other way round the root's first hop is to the last card, as long as it has pieces to send.
  const Payload least{block_shape(payload.type).elements, payload.type};
  const Seconds back = transfer(cards.front(), cards.back(), least).link_latency;
  return passes * std::max(quickest, back) + passes * quickest;
}

bool CollectivePricer::stand_side_by_side(std::span<const CardId> cards) const {
  return is_uniform_chain() && std::ranges::is_sorted(cards) &&
         cards.back() - cards.front() + 1 == cards.size();
}

Seconds CollectivePricer::least_all_reduce(std::size_t ranks, Payload payload) const {
  if (ranks < 2 || !is_uniform_chain()) return Seconds(0);
  Seconds least(std::numeric_limits<double>::infinity());
  for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
    if (algorithm == Algorithm::kDirect && !prices_direct_among(ranks)) continue;
    least = std::min(least, least_all_reduce(algorithm, ranks, payload));
  }
  return least;
}

/// By the distances of partners and by what must leave the half of a block of cards by its two rims.
Seconds CollectivePricer::least_all_reduce(Algorithm algorithm, std::size_t ranks, Payload payload) const {
  const LinkRates link = rates_.link(0);
  const auto cards = static_cast<double>(ranks);
  const auto core = static_cast<double>(std::bit_floor(ranks));
  const auto bytes = static_cast<double>(payload.units() * payload.unit_bytes().value);
  const auto ring = rates_.topology() == Topology::kRing ? static_cast<double>(rates_.card_count())
                                                         : std::numeric_limits<double>::infinity();
  // Partners `distance` apart in the core are up to twice as far in all ranks; a ring also leads the other
  // way.
  const auto latency = [&](double distance) {
    return std::min(distance, ring - std::min(2 * distance, cards - 1)) * link.latency.count();
  };
  const auto round = [&](double distance, double message) {
    return latency(distance) + std::max(message, distance * message / 2) / link.bandwidth.value;
  };
  double seconds = 0;
  switch (algorithm) {
    case Algorithm::kRing:
    case Algorithm::kRingBidirectional: {
      // Rounding down: chunks may be empty where there are fewer units than ranks.
      const double units = static_cast<double>(payload.units());
      seconds = units < 2 * cards ? 0 : 2 * (cards - 1) * link.latency.count();
      break;
    }
    case Algorithm::kRecursiveDoubling:
      for (double distance = 1; distance < core; distance *= 2) seconds += round(distance, bytes);
      break;
    case Algorithm::kHalvingDoubling:
    case Algorithm::kHalvingDoublingFarFirst:
      if (static_cast<double>(payload.units()) < core) break;
      for (double distance = 1; distance < core; distance *= 2) {
        const bool near_first = algorithm == Algorithm::kHalvingDoubling;
        // Chunks differ by a unit at most: the least is half of what the division gives or more.
        const double message = (near_first ? bytes / (2 * distance) : bytes * distance / core) / 2;
        seconds += 2 * round(distance, message);
      }
      break;
    case Algorithm::kTree:
      for (double distance = 1; distance < core; distance *= 2) {
        seconds += 2 * (latency(distance) + bytes / link.bandwidth.value);
      }
      break;
    case Algorithm::kDirect: {
      // In both phases every card of one half sends a chunk to every card of the other, out by two rims.
      const auto half = static_cast<double>(ranks / 2);
      const double chunk = static_cast<double>(payload.units() / ranks * payload.unit_bytes().value);
      const double farthest = std::min(cards - 1, std::floor(ring / 2)) * link.latency.count();
      seconds = 2 * (farthest + half * (cards - half) * chunk / 2 / link.bandwidth.value);
      break;
    }
  }
  return Seconds(seconds * (1 - 1e-12));
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
  flows_.clear();
  for (const Transfer& transfer : round) {
    flows_.push_back({cards[transfer.from], cards[transfer.to], unit_bytes * transfer.units});
  }
  if (chain_rounds_) return chain_rounds_->slowest(flows_);
  Cost slowest;
  for (const Cost& cost : rounds_.costs(flows_)) {
    if (cost.total() > slowest.total()) slowest = cost;
  }
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
