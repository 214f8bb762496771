#include <gtest/gtest.h>

#include <bit>
#include <numeric>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/simulate/schedule_driver_for_test.hpp"
#include "spanker/simulate/script_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

/// Of float elements.
double simulated(const Cluster& cluster, Collective collective, Algorithm algorithm, std::uint64_t elements,
                 Rounds rounds = Rounds::kTogether) {
  const Schedule schedule = make_schedule(collective, algorithm, cluster.card_count, elements);
  ScheduleDriver driver(schedule, cluster.card_count, Bytes(4), rounds);
  const auto end = run_contention(cluster, driver.settings(), driver);
  EXPECT_TRUE(end) << (end ? "" : to_line(end.error()));
  return std::stod(end.value_or("-1"));
}

double priced(const Cluster& cluster, Collective collective, Algorithm algorithm, std::uint64_t elements) {
  const ClusterRates rates(cluster, Bound::kValue);
  std::vector<CardId> cards(cluster.card_count);
  std::iota(cards.begin(), cards.end(), CardId{0});
  return CollectivePricer(rates)
      .collective(collective, algorithm, cards, {elements, TensorType::kF32})
      .total()
      .count();
}

void expect_prices_on(Topology topology) {
  for (const std::uint32_t cards : {2U, 3U, 4U, 5U, 8U, 16U}) {
    const Cluster cluster = cards_in(topology, cards);
    for (const Collective collective :
         {Collective::kAllReduce, Collective::kReduceScatter, Collective::kAllGather, Collective::kBroadcast,
          Collective::kGather}) {
      for (const Algorithm algorithm : algorithms_of(collective)) {
        const std::uint64_t elements = 100'003;  // chunks differ
        SCOPED_TRACE(fmt::format("{} by {} over {}", to_string(collective), to_string(algorithm), cards));
        const double price = priced(cluster, collective, algorithm, elements);
        expect_near(simulated(cluster, collective, algorithm, elements), price);
        // A card that has nothing to do with a round need not wait for it. On a star what it sends early may
        // crowd the cable of one that is behind, so that the whole ends later.
        if (topology == Topology::kFullMesh) {
          EXPECT_LE(simulated(cluster, collective, algorithm, elements, Rounds::kByRank), price * (1 + 1e-6));
        }
        const bool contends = topology == Topology::kStar && algorithm == Algorithm::kRingBidirectional;
        if (std::has_single_bit(cards) && !contends) {
          expect_near(simulated(cluster, collective, algorithm, 1 << 16, Rounds::kByRank),
                      priced(cluster, collective, algorithm, 1 << 16));
        }
      }
    }
  }
}

TEST(UncontendedCollectives, OnAFullMeshTakeWhatTheyArePricedAt) { expect_prices_on(Topology::kFullMesh); }

TEST(UncontendedCollectives, OnAStarTakeWhatTheyArePricedAt) { expect_prices_on(Topology::kStar); }

// 1 MiB over 8 cards, 500 MB/s each way and 1 us a cable, in ms; the figures were measured with SimGrid alone
// before this engine was written, and those without contention follow from the formulas.
struct Reference {
  Topology topology;
  Algorithm algorithm;
  double milliseconds;
};

constexpr std::uint64_t kMebibyteOfFloats = 1 << 18;

constexpr Reference kReferences[] = {
    {Topology::kFullMesh, Algorithm::kRing, 3.684},
    {Topology::kFullMesh, Algorithm::kRecursiveDoubling, 6.294},
    {Topology::kFullMesh, Algorithm::kHalvingDoublingFarFirst, 3.676},
    {Topology::kFullMesh, Algorithm::kTree, 12.589},
    {Topology::kFullMesh, Algorithm::kDirect, 0.526},
    {Topology::kStar, Algorithm::kRing, 3.698},
    {Topology::kStar, Algorithm::kRecursiveDoubling, 6.297},
    {Topology::kStar, Algorithm::kHalvingDoublingFarFirst, 3.682},
    {Topology::kStar, Algorithm::kTree, 12.595},
    {Topology::kStar, Algorithm::kDirect, 3.674},
    {Topology::kRing, Algorithm::kRing, 3.684},
    {Topology::kRing, Algorithm::kRecursiveDoubling, 14.687},
    {Topology::kRing, Algorithm::kHalvingDoublingFarFirst, 11.024},
    {Topology::kRing, Algorithm::kHalvingDoubling, 6.3},
    {Topology::kRing, Algorithm::kTree, 12.597},
};

TEST(ReferenceFigures, AreMet) {
  for (const auto& [topology, algorithm, milliseconds] : kReferences) {
    const Cluster cluster = cards_in(topology, 8);
    for (const Rounds rounds : {Rounds::kTogether, Rounds::kByRank}) {
      SCOPED_TRACE(fmt::format("{} on {}", to_string(algorithm), to_string(topology)));
      const double seconds = simulated(cluster, Collective::kAllReduce, algorithm, kMebibyteOfFloats, rounds);
      EXPECT_NEAR(seconds * 1e3, milliseconds, algorithm == Algorithm::kHalvingDoubling ? 0.05 : 0.0005);
      // The price of synchronous rounds knows who shares a cable.
      expect_near(seconds, priced(cluster, Collective::kAllReduce, algorithm, kMebibyteOfFloats));
    }
  }
}

// Every upward link carries 1 + 2 + 3 + 4 chunks of 128 KiB in each of two phases and is never idle; the last
// to arrive are those that come from four hops away.
TEST(DirectExchangeOnARing, KeepsItsLinksBusy) {
  const Cluster cluster = cards_in(Topology::kRing, 8);
  const double seconds = simulated(cluster, Collective::kAllReduce, Algorithm::kDirect, kMebibyteOfFloats);
  expect_near(seconds, 2 * (4e-6 + 10 * 131072 / 500e6));
  expect_near(priced(cluster, Collective::kAllReduce, Algorithm::kDirect, kMebibyteOfFloats), seconds);
}

TEST(RingAllReduce, Of8KiBTakes42Microseconds) {
  expect_near(simulated(cards_in(Topology::kRing, 8), Collective::kAllReduce, Algorithm::kRing, 2048),
              42.672e-6);
}

}  // namespace
}  // namespace spanker
