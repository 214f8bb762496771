#include "spanker/simulate/link_meter.hpp"

#include <gtest/gtest.h>

#include "spanker/plan/problem_for_test.hpp"

namespace spanker {
namespace {

using testing::round_cluster;

/// Cables of 100 MB/s and 1 us; a host link of 10 MB/s and 10 us.
TEST(LinkMeter, CountsBytesOnEveryLinkOfARoute) {
  const ClusterRates rates(round_cluster(4, Topology::kLine), Bound::kValue);
  LinkMeter meter(rates);
  const auto route = meter.route(0, 2);
  meter.begin(route);
  meter.end(route, Bytes(1'000'000), Seconds(10e-3 + 2e-6));
  const auto uses = meter.uses();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].name, "0->1");
  EXPECT_EQ(uses[1].name, "1->2");
  for (const LinkUse& use : uses) {
    EXPECT_EQ(use.bytes, Bytes(1'000'000));
    EXPECT_DOUBLE_EQ(use.carrying.count(), 10e-3);
    EXPECT_EQ(use.delay.count(), 0);
  }
}

TEST(LinkMeter, BlamesTheCrowdedLinkForADelay) {
  const ClusterRates rates(round_cluster(4, Topology::kLine), Bound::kValue);
  LinkMeter meter(rates);
  const auto far = meter.route(0, 2);
  const auto near = meter.route(1, 2);
  meter.begin(far);
  meter.begin(near);
  meter.end(near, Bytes(1'000'000), Seconds(20e-3 + 1e-6));
  meter.end(far, Bytes(1'000'000), Seconds(20e-3 + 2e-6));
  const auto uses = meter.uses();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_NEAR(uses[1].delay.count(), 10e-3, 1e-9);  // the first that ended; 1->2 had two on it
}

TEST(LinkMeter, NamesTheHostLink) {
  Cluster cluster = round_cluster(2);
  const auto names = [&] {
    const ClusterRates rates(cluster, Bound::kValue);
    LinkMeter meter(rates);
    for (const auto& [from, to] : {std::pair(LinkMeter::kHost, CardId{1}), {CardId{0}, LinkMeter::kHost}}) {
      const auto route = meter.route(from, to);
      meter.begin(route);
      meter.end(route, Bytes(1), Seconds(1));
    }
    std::string all;
    for (const LinkUse& use : meter.uses()) all += use.name + "; ";
    return all;
  };
  EXPECT_EQ(names(), "host->cards; cards->host; ");
  cluster.host_link.shared = false;
  EXPECT_EQ(names(), "card 0->host; host->card 1; ");
}

}  // namespace
}  // namespace spanker
