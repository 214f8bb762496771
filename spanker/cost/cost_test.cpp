#include "spanker/cost/cost.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/cost/cluster_rates.hpp"

namespace spanker {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// 1 GB/s, 10 Gop/s, 3 us a step.
CardRates card() {
  return {BytesPerSecond(1e9), OpsPerSecond(1e10), Seconds(3e-6), Seconds(7e-6), Bytes(1u << 30)};
}

Operator matmul(std::uint64_t bytes, std::uint64_t ops) {
  return {OperatorKind::kGateUp, Bytes(bytes), Ops(ops)};
}

/// Every part another number; each is a power of two, so that sums are exact.
Cost distinct_parts() { return {Seconds(1), Seconds(2), Seconds(4), Seconds(8), Seconds(16), Seconds(32)}; }

TEST(OperatorCost, BoundByMemory) {
  const Cost cost = operator_cost(matmul(2'000'000, 10'000'000), card());
  EXPECT_DOUBLE_EQ(cost.memory.count(), 2e-3);
  EXPECT_EQ(cost.compute.count(), 0.0);
  EXPECT_DOUBLE_EQ(cost.overhead.count(), 3e-6);
  EXPECT_DOUBLE_EQ(cost.total().count(), 2.003e-3);
}

TEST(OperatorCost, BoundByCompute) {
  const Cost cost = operator_cost(matmul(2'000'000, 50'000'000), card());
  EXPECT_EQ(cost.memory.count(), 0.0);
  EXPECT_DOUBLE_EQ(cost.compute.count(), 5e-3);
  EXPECT_DOUBLE_EQ(cost.total().count(), 5.003e-3);
}

TEST(OperatorCost, WithoutComputeOnlyMemoryCounts) {
  CardRates no_compute = card();
  no_compute.compute = OpsPerSecond(kInfinity);
  const Cost cost = operator_cost(matmul(2'000'000, std::uint64_t{1} << 60), no_compute);
  EXPECT_DOUBLE_EQ(cost.memory.count(), 2e-3);
  EXPECT_EQ(cost.compute.count(), 0.0);
  const Cost arithmetic_only = operator_cost(matmul(0, 1), no_compute);
  EXPECT_DOUBLE_EQ(arithmetic_only.total().count(), 3e-6);
}

TEST(OperatorCost, OfNothingIsNothingNotEvenAStep) {
  EXPECT_EQ(operator_cost(matmul(0, 0), card()).total().count(), 0.0);
  EXPECT_GT(operator_cost(matmul(1, 0), card()).overhead.count(), 0.0);
  EXPECT_GT(operator_cost(matmul(0, 1), card()).overhead.count(), 0.0);
}

TEST(OperatorCost, OperatorsRunOneAfterAnother) {
  // The larger term of each, not of their sum: 2 ms of memory and then 5 ms of compute.
  const std::vector<Operator> operators = {matmul(2'000'000, 0), matmul(0, 0), matmul(0, 50'000'000)};
  const Cost cost = operators_cost(operators, card());
  EXPECT_DOUBLE_EQ(cost.memory.count(), 2e-3);
  EXPECT_DOUBLE_EQ(cost.compute.count(), 5e-3);
  EXPECT_DOUBLE_EQ(cost.overhead.count(), 6e-6);
  EXPECT_EQ(operators_cost({}, card()).total().count(), 0.0);
}

TEST(Cost, PartsAddUp) {
  EXPECT_EQ(distinct_parts().total().count(), 63.0);
  const Cost sum = distinct_parts() + distinct_parts();
  const Cost product = distinct_parts() * 3;
  for (const CostTerm& term : cost_terms()) {
    EXPECT_EQ(sum.*term.seconds, distinct_parts().*term.seconds * 2.0) << term.name;
    EXPECT_EQ(product.*term.seconds, distinct_parts().*term.seconds * 3.0) << term.name;
  }
  Cost grown = distinct_parts();
  grown += Cost{};
  EXPECT_EQ(grown.total().count(), 63.0);
}

TEST(CostTerms, AreAllPartsOfACostInTheOrderOfTheReports) {
  std::vector<std::string_view> names;
  std::set<double> parts;
  const Cost cost = distinct_parts();
  for (const CostTerm& term : cost_terms()) {
    names.push_back(term.name);
    parts.insert((cost.*term.seconds).count());
  }
  EXPECT_EQ(names, (std::vector<std::string_view>{"memory", "compute", "link_bandwidth", "link_latency",
                                                  "host_link", "overhead"}));
  EXPECT_EQ(parts, (std::set<double>{1, 2, 4, 8, 16, 32}));
  EXPECT_EQ(sizeof(Cost), cost_terms().size() * sizeof(Seconds));
}

TEST(CostTerms, EachNameBelongsToItsPart) {
  Cost cost;
  const std::map<std::string_view, Seconds*> parts = {{"memory", &cost.memory},
                                                      {"compute", &cost.compute},
                                                      {"link_bandwidth", &cost.link_bandwidth},
                                                      {"link_latency", &cost.link_latency},
                                                      {"host_link", &cost.host_link},
                                                      {"overhead", &cost.overhead}};
  for (const CostTerm& term : cost_terms())
    EXPECT_EQ(&(cost.*term.seconds), parts.at(term.name)) << term.name;
}

TEST(LargestTerm, NamesEachPartWhereItIsTheLargest) {
  for (const CostTerm& term : cost_terms()) {
    Cost cost = distinct_parts();
    cost.*term.seconds = Seconds(64);
    EXPECT_EQ(largest_term(cost), term.name);
  }
  EXPECT_EQ(largest_term(distinct_parts()), "overhead");
}

template <class T>
Ranged<T> ranged(double low, double value, double high) {
  return {T(value), T(low), T(high), "made up"};
}

/// Every number with a range of its own.
Cluster ranged_cluster() {
  Cluster cluster;
  cluster.card_count = 3;
  cluster.topology = Topology::kRing;
  cluster.card.memory_bandwidth = ranged<BytesPerSecond>(1e9, 2e9, 3e9);
  cluster.card.memory_capacity = {Bytes(200), Bytes(100), Bytes(300), ""};
  cluster.card.compute = ranged<OpsPerSecond>(4e9, 5e9, 6e9);
  cluster.card.step_overhead = ranged<Seconds>(1e-6, 2e-6, 3e-6);
  cluster.card.token_overhead = ranged<Seconds>(4e-6, 5e-6, 6e-6);
  cluster.link.bandwidth = ranged<BytesPerSecond>(1e8, 2e8, 3e8);
  cluster.link.latency = ranged<Seconds>(7e-6, 8e-6, 9e-6);
  cluster.host_link.bandwidth = ranged<BytesPerSecond>(1e7, 2e7, 3e7);
  cluster.host_link.latency = ranged<Seconds>(1e-5, 2e-5, 3e-5);
  return cluster;
}

struct WantedRates {
  Bound bound;
  double memory_bandwidth, compute, step_overhead, token_overhead;
  double link_bandwidth, link_latency, host_bandwidth, host_latency;
};

constexpr WantedRates kWanted[] = {
    {Bound::kLow, 1e9, 4e9, 3e-6, 6e-6, 1e8, 9e-6, 1e7, 3e-5},
    {Bound::kValue, 2e9, 5e9, 2e-6, 5e-6, 2e8, 8e-6, 2e7, 2e-5},
    {Bound::kHigh, 3e9, 6e9, 1e-6, 4e-6, 3e8, 7e-6, 3e7, 1e-5},
};

TEST(ClusterRates, TakesThePessimisticEndsTheValuesOrTheOptimisticEnds) {
  for (const WantedRates& wanted : kWanted) {
    const ClusterRates rates(ranged_cluster(), wanted.bound);
    for (CardId id = 0; id < 3; ++id) {
      EXPECT_EQ(rates.card(id).memory_bandwidth.value, wanted.memory_bandwidth);
      EXPECT_EQ(rates.card(id).compute.value, wanted.compute);
      EXPECT_EQ(rates.card(id).step_overhead.count(), wanted.step_overhead);
      EXPECT_EQ(rates.card(id).token_overhead.count(), wanted.token_overhead);
      EXPECT_EQ(rates.card(id).memory_capacity, Bytes(200));  // never ranged
    }
    for (LinkId id = 0; id < rates.network().link_count(); ++id) {
      EXPECT_EQ(rates.link(id).bandwidth.value, wanted.link_bandwidth);
      EXPECT_EQ(rates.link(id).latency.count(), wanted.link_latency);
    }
    EXPECT_EQ(rates.host_link().bandwidth.value, wanted.host_bandwidth);
    EXPECT_EQ(rates.host_link().latency.count(), wanted.host_latency);
  }
}

TEST(ClusterRates, KnowsItsCluster) {
  Cluster cluster = ranged_cluster();
  EXPECT_TRUE(ClusterRates(cluster, Bound::kValue).host_link_is_shared());
  cluster.host_link.shared = false;
  const ClusterRates rates(cluster, Bound::kLow);
  EXPECT_FALSE(rates.host_link_is_shared());
  EXPECT_EQ(rates.card_count(), 3u);
  EXPECT_EQ(rates.topology(), Topology::kRing);
  EXPECT_TRUE(rates.cards_are_equal());
}

TEST(ClusterRates, ComputeThatIsNotModelledIsInfinite) {
  Cluster cluster = ranged_cluster();
  cluster.card.compute.reset();
  for (const WantedRates& wanted : kWanted) {
    EXPECT_EQ(ClusterRates(cluster, wanted.bound).card(0).compute.value, kInfinity);
  }
}

TEST(ClusterRates, OneCardMayDiffer) {
  Cluster cluster = ranged_cluster();
  cluster.card_overrides[1] = cluster.card;
  EXPECT_TRUE(ClusterRates(cluster, Bound::kLow).cards_are_equal());
  cluster.card_overrides[1].memory_bandwidth = ranged<BytesPerSecond>(10, 20, 30);
  cluster.card_overrides[1].memory_capacity.value = Bytes(17);
  const ClusterRates rates(cluster, Bound::kLow);
  EXPECT_FALSE(rates.cards_are_equal());
  EXPECT_EQ(rates.card(0).memory_bandwidth.value, 1e9);
  EXPECT_EQ(rates.card(1).memory_bandwidth.value, 10);
  EXPECT_EQ(rates.card(1).memory_capacity, Bytes(17));
  EXPECT_EQ(rates.card(1).compute.value, 4e9);
  EXPECT_EQ(rates.card(2).memory_bandwidth.value, 1e9);
}

TEST(ClusterRates, OneDirectionOfOneCableMayDiffer) {
  Cluster cluster = ranged_cluster();
  LinkSpec& slow = cluster.link_overrides[{2, 0}];
  slow = cluster.link;
  slow.bandwidth = ranged<BytesPerSecond>(1e6, 2e6, 3e6);
  const ClusterRates rates(cluster, Bound::kHigh);
  const auto bandwidth = [&](CardId from, CardId to) {
    return rates.link(*rates.network().find_link(from, to)).bandwidth.value;
  };
  EXPECT_EQ(bandwidth(2, 0), 3e6);
  EXPECT_EQ(bandwidth(0, 2), 3e8);
  EXPECT_EQ(bandwidth(0, 1), 3e8);
}

// Where each card or cable is told apart and all are told alike, `card` or `link` describes none of them.
TEST(ClusterRates, OverridesOfEveryCardCountThoughTheyAreAllAlike) {
  Cluster cluster = ranged_cluster();
  CardSpec slow = cluster.card;
  slow.memory_bandwidth = ranged<BytesPerSecond>(10, 20, 30);
  for (CardId id = 0; id < 3; ++id) cluster.card_overrides[id] = slow;
  const ClusterRates rates(cluster, Bound::kValue);
  EXPECT_TRUE(rates.cards_are_equal());
  for (CardId id = 0; id < 3; ++id) EXPECT_EQ(rates.card(id).memory_bandwidth.value, 20) << id;
}

TEST(ClusterRates, OverridesOfEveryLinkCountThoughTheyAreAllAlike) {
  Cluster cluster = ranged_cluster();
  LinkSpec slow = cluster.link;
  slow.bandwidth = ranged<BytesPerSecond>(1e6, 2e6, 3e6);
  for (CardId id = 0; id < 3; ++id) {
    cluster.link_overrides[{id, (id + 1) % 3}] = slow;
    cluster.link_overrides[{(id + 1) % 3, id}] = slow;
  }
  const ClusterRates rates(cluster, Bound::kValue);
  ASSERT_TRUE(rates.network().is_uniform());
  for (LinkId id = 0; id < rates.network().link_count(); ++id)
    EXPECT_EQ(rates.link(id).bandwidth.value, 2e6) << id;
}

// Of 8 MB a quarter, with a serial share of 20 %: as long as 0.2 * 8 + 0.8 * 2 = 3.2 MB.
TEST(PartCost, SerialShareTakesEveryCardAsLongAsOneAlone) {
  CardRates rates = card();
  rates.serial_share = 0.2;
  const Operator whole{OperatorKind::kGateUp, Bytes(8'000'000), Ops(0)};
  const Operator part{OperatorKind::kGateUp, Bytes(2'000'000), Ops(0)};
  const Cost cost = part_cost(part, whole, rates);
  EXPECT_DOUBLE_EQ(cost.memory.count(), 3.2e6 / rates.memory_bandwidth.value);
  EXPECT_DOUBLE_EQ(cost.overhead.count(), rates.step_overhead.count());
  EXPECT_DOUBLE_EQ(part_cost(whole, whole, rates).total().count(), operator_cost(whole, rates).total().count());
  EXPECT_EQ(part_cost({OperatorKind::kGateUp, {}, {}}, whole, rates).total().count(), 0);
}

}  // namespace
}  // namespace spanker
