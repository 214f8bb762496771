#include "spanker/cost/collective_cost.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

template <class T>
Ranged<T> fixed(double value) {
  return {T(value), T(value), T(value), "made up"};
}

LinkSpec link_of(double bytes_per_second, double seconds, LinkState state = LinkState::kUp) {
  return {fixed<BytesPerSecond>(bytes_per_second), fixed<Seconds>(seconds), state};
}

/// 500 MB/s each way and 1 us a cable.
Cluster cards_in(Topology topology, std::uint32_t cards) {
  Cluster cluster;
  cluster.card_count = cards;
  cluster.topology = topology;
  cluster.link = link_of(500e6, 1e-6);
  return cluster;
}

std::vector<CardId> first_cards(std::uint32_t count) {
  std::vector<CardId> cards(count);
  std::iota(cards.begin(), cards.end(), CardId{0});
  return cards;
}

Payload bytes_in_f32(std::uint64_t bytes) { return {bytes / 4, TensorType::kF32}; }

Seconds all_reduce(const Cluster& cluster, Algorithm algorithm, Payload payload) {
  const ClusterRates rates(cluster, Bound::kValue);
  return CollectivePricer(rates)
      .collective(Collective::kAllReduce, algorithm, first_cards(cluster.card_count), payload)
      .total();
}

TEST(Payload, TravelsInWholeBlocks) {
  EXPECT_EQ((Payload{100, TensorType::kF32}.units()), 100u);
  EXPECT_EQ((Payload{100, TensorType::kF32}.unit_bytes()), Bytes(4));
  EXPECT_EQ((Payload{64, TensorType::kQ8_0}.units()), 2u);
  EXPECT_EQ((Payload{65, TensorType::kQ8_0}.units()), 3u);
  EXPECT_EQ((Payload{65, TensorType::kQ8_0}.unit_bytes()), Bytes(34));
  EXPECT_EQ((Payload{0, TensorType::kQ8_0}.units()), 0u);
}

// SimGrid 3.32 (model CM02) for 1 MiB over 8 cards, printed to a microsecond; the near-first figure is by
// hand.

double milliseconds(Topology topology, Algorithm algorithm) {
  return all_reduce(cards_in(topology, 8), algorithm, bytes_in_f32(1 << 20)).count() * 1e3;
}

constexpr double kPrinted = 0.0005;

TEST(AllReduceTimes, OnAFullMesh) {
  EXPECT_NEAR(milliseconds(Topology::kFullMesh, Algorithm::kRing), 3.684, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kFullMesh, Algorithm::kRecursiveDoubling), 6.294, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kFullMesh, Algorithm::kHalvingDoublingFarFirst), 3.676, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kFullMesh, Algorithm::kTree), 12.589, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kFullMesh, Algorithm::kDirect), 0.526, kPrinted);
}

TEST(AllReduceTimes, OnAStarWhereEveryTransferTakesTwoCables) {
  EXPECT_NEAR(milliseconds(Topology::kStar, Algorithm::kRing), 3.698, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kStar, Algorithm::kRecursiveDoubling), 6.297, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kStar, Algorithm::kHalvingDoublingFarFirst), 3.682, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kStar, Algorithm::kTree), 12.595, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kStar, Algorithm::kDirect), 3.674, kPrinted);
}

TEST(AllReduceTimes, OnARing) {
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kRing), 3.684, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kRecursiveDoubling), 14.687, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kHalvingDoublingFarFirst), 11.024, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kHalvingDoubling), 6.305, kPrinted);
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kTree), 12.597, kPrinted);
  // 14 rounds of 1 us and 64 KiB each way.
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kRingBidirectional), 1.849, kPrinted);
  // Twice 4 hops, and 1 + 2 + 3 + 4 pieces of 128 KiB over each upward link. Simulated flows do not share a
  // link equally, which makes 6.547 of it.
  EXPECT_NEAR(milliseconds(Topology::kRing, Algorithm::kDirect), 5.25088, 1e-9);
}

TEST(AllReduceTimes, EightKibibytesOverTheSails) {
  const Cluster sails = *load_cluster("sails-rev-a");
  // 6 rounds of 1 us and 2 KiB, or 1 KiB each way.
  EXPECT_NEAR(all_reduce(sails, Algorithm::kRing, bytes_in_f32(8192)).count(), 30.576e-6, 1e-15);
  EXPECT_NEAR(all_reduce(sails, Algorithm::kRingBidirectional, bytes_in_f32(8192)).count(), 18.288e-6, 1e-15);
  EXPECT_NEAR(all_reduce(cards_in(Topology::kRing, 8), Algorithm::kRing, bytes_in_f32(8192)).count(),
              42.672e-6, 1e-15);
}

TEST(AllReduceTimes, WaitForTheSlowestLinkOfEachRound) {
  Cluster cluster = cards_in(Topology::kRing, 4);
  cluster.link_overrides[{0, 1}] = link_of(100e6, 2e-6);
  // Every round one chunk of 2 KiB crosses 0->1.
  EXPECT_NEAR(all_reduce(cluster, Algorithm::kRing, bytes_in_f32(8192)).count(), 6 * (2e-6 + 2048 / 100e6),
              1e-15);
  cluster.link_overrides[{0, 1}] = link_of(100e6, 0, LinkState::kUp);
  cluster.link_overrides[{2, 3}] = link_of(500e6, 100e-6);  // fast but far: now the slowest
  EXPECT_NEAR(all_reduce(cluster, Algorithm::kRing, bytes_in_f32(8192)).count(), 6 * (100e-6 + 2048 / 500e6),
              1e-15);
}

TEST(CollectiveCost, TellsLatencyFromBandwidth) {
  const ClusterRates rates(cards_in(Topology::kStar, 4), Bound::kValue);
  const Cost cost = CollectivePricer(rates).collective(Collective::kAllReduce, Algorithm::kRing,
                                                       first_cards(4), bytes_in_f32(8192));
  EXPECT_NEAR(cost.link_latency.count(), 6 * 2 * 1e-6, 1e-15);
  EXPECT_NEAR(cost.link_bandwidth.count(), 6 * 2048 / 500e6, 1e-15);
  EXPECT_EQ(cost.total(), cost.link_latency + cost.link_bandwidth);
}

TEST(CollectiveCost, TransfersOfARoundShareALink) {
  // 0 - 1 - 2 in a line: both parts of a direct gather come in over 1->0.
  const ClusterRates rates(cards_in(Topology::kLine, 3), Bound::kValue);
  const Cost cost = CollectivePricer(rates).collective(Collective::kGather, Algorithm::kDirect,
                                                       first_cards(3), bytes_in_f32(3000 * 4));
  EXPECT_NEAR(cost.link_latency.count(), 2e-6, 1e-15);
  EXPECT_NEAR(cost.link_bandwidth.count(), 2 * 4000 / 500e6, 1e-15);
}

TEST(CollectiveCost, OppositeDirectionsShareNothing) {
  const ClusterRates rates(cards_in(Topology::kLine, 2), Bound::kValue);
  const Cost cost = CollectivePricer(rates).collective(Collective::kAllReduce, Algorithm::kRecursiveDoubling,
                                                       first_cards(2), bytes_in_f32(5000));
  EXPECT_NEAR(cost.total().count(), 1e-6 + 5000 / 500e6, 1e-15);
}

TEST(CollectiveCost, NothingForOneCardOrAnEmptyPayload) {
  const ClusterRates rates(cards_in(Topology::kRing, 4), Bound::kValue);
  CollectivePricer pricer(rates);
  for (const Collective collective : {Collective::kAllReduce, Collective::kReduceScatter,
                                      Collective::kAllGather, Collective::kBroadcast, Collective::kGather}) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      EXPECT_EQ(pricer.collective(collective, algorithm, first_cards(1), bytes_in_f32(4096)).total().count(),
                0.0);
      EXPECT_EQ(pricer.collective(collective, algorithm, first_cards(4), {}).total().count(), 0.0);
    }
    EXPECT_EQ(pricer.cheapest(collective, first_cards(1), bytes_in_f32(4096)).cost.total().count(), 0.0);
    EXPECT_EQ(pricer.cheapest(collective, first_cards(4), {}).cost.total().count(), 0.0);
    EXPECT_EQ(pricer.cheapest(collective, first_cards(4), {}).algorithm, algorithms_of(collective).front());
  }
}

TEST(Transfer, IsCutThroughOverSeveralHops) {
  Cluster cluster = cards_in(Topology::kLine, 5);
  cluster.link_overrides[{2, 3}] = link_of(50e6, 7e-6);
  const ClusterRates rates(cluster, Bound::kValue);
  CollectivePricer pricer(rates);
  const auto seconds = [&](CardId from, CardId to) {
    return pricer.transfer(from, to, bytes_in_f32(8000)).total().count();
  };
  EXPECT_NEAR(seconds(0, 1), 1e-6 + 8000 / 500e6, 1e-15);
  EXPECT_NEAR(seconds(0, 2), 2e-6 + 8000 / 500e6, 1e-15);
  EXPECT_NEAR(seconds(0, 4), 10e-6 + 8000 / 50e6, 1e-15);  // the slowest link sets the pace
  EXPECT_NEAR(seconds(4, 0), 4e-6 + 8000 / 500e6, 1e-15);  // the other direction is as fast as ever
  EXPECT_EQ(seconds(3, 3), 0.0);
  EXPECT_EQ(pricer.transfer(0, 4, {}).total().count(), 0.0);
}

TEST(Transfer, PaysForPaddedBlocks) {
  const ClusterRates rates(cards_in(Topology::kFullMesh, 2), Bound::kValue);
  EXPECT_NEAR(CollectivePricer(rates).transfer(0, 1, {33, TensorType::kQ8_0}).link_bandwidth.count(),
              68 / 500e6, 1e-18);
}

TEST(Transfer, TakesADetourAroundALinkThatIsDown) {
  Cluster cluster = cards_in(Topology::kRing, 4);
  cluster.link_overrides[{0, 1}] = link_of(500e6, 1e-6, LinkState::kDown);
  const ClusterRates rates(cluster, Bound::kValue);
  CollectivePricer pricer(rates);
  EXPECT_NEAR(pricer.transfer(0, 1, bytes_in_f32(8000)).total().count(), 3e-6 + 8000 / 500e6, 1e-15);
  EXPECT_NEAR(pricer.transfer(1, 0, bytes_in_f32(8000)).total().count(), 1e-6 + 8000 / 500e6, 1e-15);
}

TEST(Transfer, IsInfiniteWhereNoRouteIsUp) {
  for (const LinkState state : {LinkState::kDown, LinkState::kTraining, LinkState::kError}) {
    Cluster cluster = cards_in(Topology::kLine, 3);
    cluster.link_overrides[{1, 2}] = link_of(500e6, 1e-6, state);
    const ClusterRates rates(cluster, Bound::kValue);
    CollectivePricer pricer(rates);
    const Cost cut_off = pricer.transfer(0, 2, bytes_in_f32(4));
    EXPECT_TRUE(std::isinf(cut_off.link_latency.count()));
    EXPECT_TRUE(std::isinf(cut_off.total().count()));
    EXPECT_TRUE(std::isfinite(pricer.transfer(2, 0, bytes_in_f32(4)).total().count()));
    for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
      const Cost cost =
          pricer.collective(Collective::kAllReduce, algorithm, first_cards(3), bytes_in_f32(4096));
      EXPECT_TRUE(std::isinf(cost.total().count())) << to_string(algorithm);
    }
    EXPECT_TRUE(std::isinf(
        pricer.cheapest(Collective::kAllReduce, first_cards(3), bytes_in_f32(4096)).cost.total().count()));
    // What it priced before leaves no trace.
    EXPECT_NEAR(pricer.cheapest(Collective::kAllReduce, first_cards(2), bytes_in_f32(4)).cost.total().count(),
                1e-6 + 4 / 500e6, 1e-15);
  }
}

TEST(Cheapest, ShortMessagesGoByFewRoundsAndLongOnesBothWaysRound) {
  const ClusterRates rates(cards_in(Topology::kRing, 8), Bound::kValue);
  CollectivePricer pricer(rates);
  const auto algorithm = [&](std::uint64_t bytes) {
    return pricer.cheapest(Collective::kAllReduce, first_cards(8), bytes_in_f32(bytes)).algorithm;
  };
  // 1 + 2 + 4 hops of latency in three rounds, against 4 + 4 in two and 14 times 1.
  EXPECT_EQ(algorithm(4), Algorithm::kRecursiveDoubling);
  EXPECT_EQ(algorithm(1 << 20), Algorithm::kRingBidirectional);
}

TEST(Cheapest, AnswersEachQuestionForItself) {
  const ClusterRates rates(cards_in(Topology::kLine, 6), Bound::kValue);
  CollectivePricer asked_often(rates);
  const std::vector<std::vector<CardId>> groups = {{0, 1, 2}, {3, 4, 5}, {0, 2, 4}, {2, 1, 0}, {0, 1}};
  for (const Collective collective : {Collective::kAllReduce, Collective::kBroadcast, Collective::kGather}) {
    for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kQ8_0}) {
      for (const std::uint64_t elements : {3200u, 3232u, 3264u, 3200u}) {
        for (const auto& cards : groups) {
          CollectivePricer fresh(rates);
          const auto first = fresh.cheapest(collective, cards, {elements, type});
          const auto again = asked_often.cheapest(collective, cards, {elements, type});
          EXPECT_EQ(again.algorithm, first.algorithm);
          EXPECT_DOUBLE_EQ(again.cost.total().count(), first.cost.total().count());
        }
      }
    }
  }
}

TEST(EquivalentCards, StartWhereUniformWiringDoes) {
  using Cards = std::vector<CardId>;
  const auto equivalent = [](const Cluster& cluster, const Cards& cards) {
    const ClusterRates rates(cluster, Bound::kValue);
    return CollectivePricer(rates).equivalent_cards(cards);
  };
  EXPECT_EQ(equivalent(cards_in(Topology::kRing, 8), {6, 7, 0, 2}), (Cards{0, 1, 2, 4}));
  EXPECT_EQ(equivalent(cards_in(Topology::kLine, 8), {3, 4, 7}), (Cards{0, 1, 4}));
  EXPECT_EQ(equivalent(cards_in(Topology::kStar, 8), {5, 3, 7}), (Cards{0, 1, 2}));
  EXPECT_EQ(equivalent(cards_in(Topology::kFullMesh, 8), {5, 3, 7}), (Cards{0, 1, 2}));
  Cluster unequal = cards_in(Topology::kRing, 8);
  unequal.link_overrides[{0, 1}] = link_of(1e6, 1e-6);
  EXPECT_EQ(equivalent(unequal, {6, 7, 0, 2}), (Cards{6, 7, 0, 2}));
}

// What follows draws from rapidcheck.

Cluster random_cluster(bool uniform) {
  Cluster cluster = cards_in(*rc::gen::element(Topology::kRing, Topology::kLine, Topology::kFullMesh,
                                               Topology::kStar, Topology::kTorus),
                             *rc::gen::inRange<std::uint32_t>(2, 13));
  if (cluster.topology == Topology::kTorus) {
    std::vector<std::uint32_t> columns;
    for (std::uint32_t n = 1; n <= cluster.card_count; ++n) {
      if (cluster.card_count % n == 0) columns.push_back(n);
    }
    cluster.torus_columns = *rc::gen::elementOf(columns);
  }
  const auto random_link = [] {
    return link_of(*rc::gen::element(1e6, 125e6, 500e6, 12e9), *rc::gen::element(0.0, 1e-7, 1e-6, 1e-4));
  };
  cluster.link = random_link();
  if (uniform) return cluster;
  const Network network(cluster);
  for (const LinkId id : *rc::gen::container<std::vector<LinkId>>(
           rc::gen::inRange<LinkId>(0, static_cast<LinkId>(network.link_count())))) {
    LinkSpec& link = cluster.link_overrides[network.ends(id)];
    link = random_link();
    if (*rc::gen::inRange(0, 8) == 0) link.state = LinkState::kDown;
  }
  return cluster;
}

/// Some cards, in any order.
std::vector<CardId> random_cards(const Cluster& cluster) {
  std::vector<CardId> cards = first_cards(cluster.card_count);
  for (std::size_t i = cards.size() - 1; i > 0; --i)
    std::swap(cards[i], cards[*rc::gen::inRange<std::size_t>(0, i + 1)]);
  cards.resize(*rc::gen::inRange<std::size_t>(1, cards.size() + 1));
  return cards;
}

Collective random_collective() {
  return *rc::gen::element(Collective::kAllReduce, Collective::kReduceScatter, Collective::kAllGather,
                           Collective::kBroadcast, Collective::kGather);
}

Payload random_payload() {
  return {*rc::gen::element<std::uint64_t>(1, 31, 2048, 100'001) * *rc::gen::inRange<std::uint64_t>(0, 50),
          *rc::gen::element(TensorType::kF32, TensorType::kF16, TensorType::kQ8_0)};
}

/// The same price from maps of cables: each round waits for the slowest of its transfers.
double naive_seconds(const Cluster& cluster, const Schedule& schedule, const std::vector<CardId>& cards,
                     double unit_bytes) {
  const Network network(cluster);
  double total = 0;
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    std::map<LinkId, double> carried;
    const auto route_of = [&](const Transfer& transfer) {
      std::vector<LinkId> route;
      if (!network.append_route(cards[transfer.from], cards[transfer.to], route)) route.clear();
      return route;
    };
    for (const Transfer& transfer : schedule.round(i)) {
      for (const LinkId id : route_of(transfer))
        carried[id] += static_cast<double>(transfer.units) * unit_bytes;
    }
    double slowest = 0;
    for (const Transfer& transfer : schedule.round(i)) {
      const std::vector<LinkId> route = route_of(transfer);
      if (route.empty()) return std::numeric_limits<double>::infinity();
      double latency = 0;
      double carrying = 0;
      for (const LinkId id : route) {
        latency += network.link(id).latency.value.count();
        carrying = std::max(carrying, carried[id] / network.link(id).bandwidth.value.value);
      }
      slowest = std::max(slowest, latency + carrying);
    }
    total += slowest;
  }
  return total;
}

bool nearly_equal(double a, double b) { return a == b || std::abs(a - b) <= 1e-12 * std::max(a, b); }

RC_GTEST_PROP(Cheapest, IsTheLeastOfAllAlgorithms, ()) {
  const Cluster cluster = random_cluster(*rc::gen::arbitrary<bool>());
  const ClusterRates rates(cluster, Bound::kValue);
  CollectivePricer pricer(rates);
  for (int question = 0; question < 6; ++question) {  // of one pricer, which remembers
    const std::vector<CardId> cards = random_cards(cluster);
    const Collective collective = random_collective();
    const Payload payload = random_payload();
    const CollectiveChoice choice = pricer.cheapest(collective, cards, payload);

    double least = std::numeric_limits<double>::infinity();
    for (const Algorithm algorithm : algorithms_of(collective)) {
      const Schedule schedule =
          make_schedule(collective, algorithm, static_cast<std::uint32_t>(cards.size()), payload.units());
      const double naive = naive_seconds(cluster, schedule, cards, block_shape(payload.type).bytes);
      const double priced = pricer.collective(collective, algorithm, cards, payload).total().count();
      RC_ASSERT(nearly_equal(priced, naive));
      if (algorithm == choice.algorithm) RC_ASSERT(nearly_equal(choice.cost.total().count(), naive));
      least = std::min(least, naive);
    }
    RC_ASSERT(nearly_equal(choice.cost.total().count(), least));
    RC_ASSERT(nearly_equal(pricer.cheapest(collective, cards, payload).cost.total().count(), least));
  }
}

/// Runs of cards have bounds and prices of their own.
TEST(Cheapest, IsTheLeastOnRunsOfRingsAndLines) {
  for (const Topology topology : {Topology::kRing, Topology::kLine, Topology::kStar, Topology::kFullMesh}) {
    for (const std::uint32_t count : {3u, 7u, 16u, 33u, 48u}) {
      const Cluster cluster = cards_in(topology, count);
      const ClusterRates rates(cluster, Bound::kValue);
      CollectivePricer pricer(rates);
      for (const std::uint32_t ranks : {2u, 3u, 6u, 8u, 13u, 16u, 24u, 32u, 33u, 47u, 48u}) {
        if (ranks > count) continue;
        for (const std::uint64_t elements : {1u, 5u, 100u, 2048u, 50'000u, 3'000'000u}) {
          const Payload payload{elements, TensorType::kF32};
          const std::vector<CardId> cards = first_cards(ranks);
          for (const Collective collective : {Collective::kAllReduce, Collective::kBroadcast}) {
            double least = std::numeric_limits<double>::infinity();
            for (const Algorithm algorithm : algorithms_of(collective)) {
              const Schedule schedule = make_schedule(collective, algorithm, ranks, payload.units());
              const double naive = naive_seconds(cluster, schedule, cards, 4);
              least = std::min(least, naive);
              const double priced = pricer.collective(collective, algorithm, cards, payload).total().count();
              ASSERT_TRUE(nearly_equal(priced, naive)) << to_string(algorithm) << " over " << ranks;
            }
            const double cheapest = pricer.cheapest(collective, cards, payload).cost.total().count();
            ASSERT_TRUE(nearly_equal(cheapest, least))
                << to_string(topology) << " " << count << ", " << ranks << " ranks, " << elements;
            if (collective == Collective::kAllReduce) {
              ASSERT_LE(pricer.least_all_reduce(ranks, payload).count(), least);
            }
          }
        }
      }
    }
  }
}

RC_GTEST_PROP(EquivalentCards, CostTheSame, ()) {
  const Cluster cluster = random_cluster(true);
  const ClusterRates rates(cluster, Bound::kValue);
  CollectivePricer pricer(rates);
  const std::vector<CardId> cards = random_cards(cluster);
  const std::vector<CardId> moved = pricer.equivalent_cards(cards);
  const Payload payload = random_payload();
  RC_ASSERT(moved.size() == cards.size());
  for (const Collective collective : {Collective::kAllReduce, Collective::kReduceScatter,
                                      Collective::kAllGather, Collective::kBroadcast, Collective::kGather}) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      const Cost here = pricer.collective(collective, algorithm, cards, payload);
      const Cost there = pricer.collective(collective, algorithm, moved, payload);
      RC_ASSERT(here.link_latency == there.link_latency);
      RC_ASSERT(here.link_bandwidth == there.link_bandwidth);
    }
  }
}

RC_GTEST_PROP(CollectiveCost, OfRingsInARowIsThatOfTheirRoundsToTheBit, ()) {
  const auto count = *rc::gen::inRange<std::uint32_t>(3, 24);
  const auto topology = *rc::gen::element(Topology::kRing, Topology::kLine);
  const ClusterRates rates(cards_in(topology, count), Bound::kValue);
  // Not a whole ring, whose price is a formula of its own.
  const auto ranks = *rc::gen::inRange<std::uint32_t>(2, topology == Topology::kRing ? count : count + 1);
  std::vector<CardId> cards = first_cards(ranks);
  const auto first = *rc::gen::inRange<CardId>(0, count - ranks + 1);
  for (CardId& card : cards) card += first;
  const auto collective =
      *rc::gen::element(Collective::kAllReduce, Collective::kReduceScatter, Collective::kAllGather);
  const auto algorithm = *rc::gen::element(Algorithm::kRing, Algorithm::kRingBidirectional);
  const Payload payload{*rc::gen::inRange<std::uint64_t>(1, 5000), TensorType::kF32};

  RoundPricer by_routes(rates);
  Cost expected;
  const Schedule schedule = make_schedule(collective, algorithm, ranks, payload.units());
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    std::vector<Flow> flows;
    for (const Transfer& transfer : schedule.round(i)) {
      flows.push_back({cards[transfer.from], cards[transfer.to], payload.unit_bytes() * transfer.units});
    }
    Cost slowest;
    for (const Cost& cost : by_routes.costs(flows)) {
      if (cost.total() > slowest.total()) slowest = cost;
    }
    expected += slowest;
  }
  const Cost found = CollectivePricer(rates).collective(collective, algorithm, cards, payload);
  RC_ASSERT(found.link_latency == expected.link_latency);
  RC_ASSERT(found.link_bandwidth == expected.link_bandwidth);
}

}  // namespace
}  // namespace spanker
