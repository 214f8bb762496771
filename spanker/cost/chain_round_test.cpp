// Rounds on uniform rings and lines, against RoundPricer, which follows every flow along its route.
#include "spanker/cost/chain_round.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace spanker {
namespace {

Cluster chain_of(Topology topology, std::uint32_t cards) {
  Cluster cluster;
  cluster.card_count = cards;
  cluster.topology = topology;
  const auto ratio = [] { return 1.0 / *rc::gen::inRange(1, 1000); };
  const BytesPerSecond bandwidth(1e9 * ratio());
  const Seconds latency(1e-6 * ratio());
  cluster.link.bandwidth = {bandwidth, bandwidth, bandwidth, "made up"};
  cluster.link.latency = {latency, latency, latency, "made up"};
  return cluster;
}

Cost slowest_by_routes(const ClusterRates& rates, const std::vector<Flow>& flows) {
  RoundPricer pricer(rates);
  Cost slowest;
  for (const Cost& cost : pricer.costs(flows)) {
    if (cost.total() > slowest.total()) slowest = cost;
  }
  return slowest;
}

RC_GTEST_PROP(ChainRound, CostsWhatItsRoutesCostToTheBit, ()) {
  const auto topology = *rc::gen::element(Topology::kRing, Topology::kLine);
  const auto cards = *rc::gen::inRange<std::uint32_t>(1, 40);
  const ClusterRates rates(chain_of(topology, cards), Bound::kValue);
  ChainRoundPricer pricer(rates);
  const auto rounds = *rc::gen::inRange(1, 4);
  for (int round = 0; round < rounds; ++round) {
    std::vector<Flow> flows;
    const auto count = *rc::gen::inRange(0, 60);
    const auto most_bytes = *rc::gen::element<std::uint64_t>(2, 100, 1'000'000'000'000);
    for (int i = 0; i < count; ++i) {
      const auto card = rc::gen::inRange<CardId>(0, cards);
      flows.push_back({*card, *card, Bytes(*rc::gen::inRange<std::uint64_t>(0, most_bytes))});
    }
    const Cost found = pricer.slowest(flows);
    const Cost expected = slowest_by_routes(rates, flows);
    RC_ASSERT(found.link_latency == expected.link_latency);
    RC_ASSERT(found.link_bandwidth == expected.link_bandwidth);
    RC_ASSERT(found.total() == expected.total());
  }
}

}  // namespace
}  // namespace spanker
