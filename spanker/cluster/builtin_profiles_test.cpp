#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

Cluster builtin(const std::string& name) {
  const auto cluster = load_cluster(name);
  EXPECT_TRUE(cluster) << to_line(cluster.error());
  return cluster.value_or(Cluster{});
}

bool warns_of(const Cluster& cluster, std::string_view text) {
  return std::any_of(cluster.warnings.begin(), cluster.warnings.end(),
                     [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
}

TEST(BuiltinProfiles, AllAreReadAndSourced) {
  for (const BuiltinProfile& profile : builtin_profiles()) {
    SCOPED_TRACE(std::string(profile.name));
    const auto cluster = parse_profile(profile.toml, profile.name);
    ASSERT_TRUE(cluster) << to_line(cluster.error());
    EXPECT_EQ(cluster->name, profile.name);
    EXPECT_FALSE(cluster->description.empty());
    EXPECT_EQ(cluster->card_count, 4u);
    EXPECT_FALSE(warns_of(*cluster, "thin sources"));
    for (const std::string& source :
         {cluster->card.memory_bandwidth.source, cluster->card.memory_capacity.source,
          cluster->link.bandwidth.source, cluster->link.latency.source, cluster->host_link.bandwidth.source,
          cluster->host_link.latency.source}) {
      EXPECT_FALSE(source.empty());
    }
  }
}

TEST(BuiltinProfiles, AreSortedAndHoldTheNamedOnes) {
  const auto profiles = builtin_profiles();
  EXPECT_TRUE(
      std::is_sorted(profiles.begin(), profiles.end(),
                     [](const BuiltinProfile& a, const BuiltinProfile& b) { return a.name < b.name; }));
  for (const std::string_view name :
       {"sails-rev-a", "sails-rev-a-64b66b", "sails-rev-b-10gbe", "sails-rev-b-pcie", "raspberry-pi-4b-gbe",
        "raspberry-pi-5-gbe", "cloud-c3d-20gbps"}) {
    EXPECT_EQ(std::count_if(profiles.begin(), profiles.end(),
                            [&](const BuiltinProfile& profile) { return profile.name == name; }),
              1)
        << name;
  }
}

TEST(BuiltinProfiles, RevisionAHasItsFigures) {
  const Cluster cluster = builtin("sails-rev-a");
  EXPECT_EQ(cluster.topology, Topology::kRing);
  EXPECT_EQ(cluster.card.memory_bandwidth.value.value, 2.0e9);
  EXPECT_EQ(cluster.card.memory_bandwidth.low.value, 1.5e9);
  EXPECT_EQ(cluster.card.memory_bandwidth.high.value, 2.4e9);
  EXPECT_EQ(cluster.card.memory_capacity.value.value, std::uint64_t{4} << 30);
  EXPECT_FALSE(cluster.card.compute);
  EXPECT_EQ(cluster.link.bandwidth.value.value, 500e6);
  EXPECT_DOUBLE_EQ(cluster.link.latency.value.count(), 1e-6);
  EXPECT_DOUBLE_EQ(cluster.link.latency.low.count(), 0.5e-6);
  EXPECT_DOUBLE_EQ(cluster.link.latency.high.count(), 5e-6);
  EXPECT_EQ(cluster.host_link.bandwidth.value.value, 100e6);
  EXPECT_EQ(cluster.host_link.bandwidth.low.value, 80e6);
  EXPECT_EQ(cluster.host_link.bandwidth.high.value, 125e6);
  EXPECT_DOUBLE_EQ(cluster.host_link.latency.value.count(), 50e-6);
  EXPECT_TRUE(cluster.host_link.shared);
  EXPECT_FALSE(warns_of(cluster, "below 4 x")) << "exactly 4 x is not below";
  EXPECT_TRUE(warns_of(cluster, "card.compute is absent"));
}

TEST(BuiltinProfiles, OtherCodingDiffersInTheLinkOnlyAndWarns) {
  const Cluster rev_a = builtin("sails-rev-a");
  const Cluster other = builtin("sails-rev-a-64b66b");
  EXPECT_NEAR(other.link.bandwidth.value.value, 606e6, 0.1e6);
  EXPECT_TRUE(warns_of(other, "memory bandwidth 2 GB/s is below 4 x link bandwidth 606.1 MB/s"));
  EXPECT_EQ(other.card, rev_a.card);
  EXPECT_EQ(other.link.latency, rev_a.link.latency);
  EXPECT_EQ(other.host_link, rev_a.host_link);
}

TEST(BuiltinProfiles, RevisionBDiffersInTheHostLinkOnly) {
  const Cluster rev_a = builtin("sails-rev-a");
  const Cluster ethernet = builtin("sails-rev-b-10gbe");
  const Cluster pcie = builtin("sails-rev-b-pcie");
  for (const Cluster* rev_b : {&ethernet, &pcie}) {
    EXPECT_EQ(rev_b->card, rev_a.card);
    EXPECT_EQ(rev_b->link, rev_a.link);
    EXPECT_EQ(rev_b->topology, rev_a.topology);
    EXPECT_EQ(rev_b->host_link.latency.value, rev_a.host_link.latency.value);
    EXPECT_TRUE(rev_b->host_link.shared);
  }
  EXPECT_EQ(ethernet.host_link.bandwidth.value.value, 1e9);
  EXPECT_EQ(pcie.host_link.bandwidth.value.value, coded_bandwidth(1, 5e9, LineCoding::k8b10b).value);
}

// Llama 2 7B in Q4_0, from its shapes: 32 layers of 4 square and 3 FFN matrices, and the output matrix; 18
// bytes hold 32 weights. Published single-board runs computed a token in 1.308 s (Pi 4B) and 0.435 s (Pi 5).
TEST(BuiltinProfiles, RaspberryPisReachTheirPublishedDecodeRuns) {
  const double weights = 32.0 * (4.0 * 4096 * 4096 + 3.0 * 4096 * 11008) + 4096.0 * 32000;
  const double bytes = weights * 18 / 32;
  EXPECT_NEAR(bytes / builtin("raspberry-pi-4b-gbe").card.memory_bandwidth.value.value, 1.308, 0.01 * 1.308);
  EXPECT_NEAR(bytes / builtin("raspberry-pi-5-gbe").card.memory_bandwidth.value.value, 0.435, 0.01 * 0.435);
}

TEST(BuiltinProfiles, RaspberryPisShareASwitch) {
  for (const std::string name : {"raspberry-pi-4b-gbe", "raspberry-pi-5-gbe"}) {
    const Cluster cluster = builtin(name);
    EXPECT_EQ(cluster.topology, Topology::kStar);
    EXPECT_EQ(cluster.card.memory_capacity.value.value, std::uint64_t{8} << 30);
    EXPECT_EQ(cluster.link.bandwidth.value.value, 117e6);
    EXPECT_EQ(cluster.host_link.bandwidth.value.value, 117e6);
    // Card, switch, card: two cables make a message of 0.04 to 0.5 ms.
    EXPECT_GE(2 * cluster.link.latency.low.count(), 0.04e-3);
    EXPECT_LE(2 * cluster.link.latency.high.count(), 0.5e-3);
    // Published runs of such engines: 5 to 30 %.
    EXPECT_GE(cluster.card.serial_share->low.value, 0.05);
    EXPECT_LE(cluster.card.serial_share->high.value, 0.3);
    EXPECT_EQ(cluster.star_switch.contention->high, Share(0.5));
  }
}

// List prices at launch, and what Linpack drew in geerlingguy/top500-benchmark.
TEST(BuiltinProfiles, RaspberryPisHaveSourcedPricesAndPowers) {
  const Cluster pi4 = builtin("raspberry-pi-4b-gbe");
  const Cluster pi5 = builtin("raspberry-pi-5-gbe");
  EXPECT_EQ(pi4.card.price->value, Money(75));
  EXPECT_EQ(pi5.card.price->value, Money(80));
  EXPECT_EQ(pi4.card.power->value, Watts(7.2));
  EXPECT_EQ(pi5.card.power->value, Watts(11));
  for (const Cluster& cluster : {pi4, pi5}) {
    EXPECT_EQ(cluster.currency, "USD");
    EXPECT_FALSE(cluster.card.price->source.empty());
    EXPECT_FALSE(cluster.card.power->source.empty());
  }
}

}  // namespace
}  // namespace spanker
