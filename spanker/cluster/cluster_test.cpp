#include "spanker/cluster/cluster.hpp"

#include <gtest/gtest.h>

namespace spanker {
namespace {

CardSpec card_with(double bytes_per_second) {
  CardSpec card;
  card.memory_bandwidth.value = BytesPerSecond(bytes_per_second);
  return card;
}

Cluster three_cards() {
  Cluster cluster;
  cluster.card_count = 3;
  cluster.card = card_with(2e9);
  return cluster;
}

TEST(Cluster, TopologiesHaveNames) {
  EXPECT_EQ(to_string(Topology::kRing), "ring");
  EXPECT_EQ(to_string(Topology::kLine), "line");
  EXPECT_EQ(to_string(Topology::kFullMesh), "full_mesh");
  EXPECT_EQ(to_string(Topology::kStar), "star");
  EXPECT_EQ(to_string(Topology::kTorus), "torus");
}

TEST(Cluster, CardAtPrefersTheOverride) {
  Cluster cluster = three_cards();
  cluster.card_overrides[1] = card_with(1e9);
  EXPECT_EQ(cluster.card_at(0).memory_bandwidth.value.value, 2e9);
  EXPECT_EQ(cluster.card_at(1).memory_bandwidth.value.value, 1e9);
  EXPECT_EQ(cluster.card_at(2).memory_bandwidth.value.value, 2e9);
}

TEST(Cluster, CardsAreEqualUntilOneDiffers) {
  Cluster cluster = three_cards();
  EXPECT_TRUE(cluster.cards_are_equal());
  cluster.card_overrides[1] = card_with(2e9);
  EXPECT_TRUE(cluster.cards_are_equal());
  cluster.card_overrides[2] = card_with(1e9);
  EXPECT_FALSE(cluster.cards_are_equal());
}

TEST(Cluster, CardsAreEqualWhereEveryOverrideIs) {
  Cluster cluster = three_cards();
  for (CardId card = 0; card < 3; ++card) cluster.card_overrides[card] = card_with(1e9);
  EXPECT_TRUE(cluster.cards_are_equal());
  cluster.card_overrides.erase(1);
  EXPECT_FALSE(cluster.cards_are_equal());
}

TEST(Cluster, CardsPerformAlikeWhateverTheyCostOrWhoMeasuredThem) {
  const CardSpec card = card_with(2e9);
  CardSpec other = card;
  other.price = Ranged<Money>{Money(80), Money(70), Money(90), "a shop"};
  other.power = Ranged<Watts>{Watts(11), Watts(11), Watts(12), "a meter"};
  other.memory_bandwidth.source = "another bench";
  EXPECT_TRUE(perform_alike(card, other));
  EXPECT_NE(card, other);

  Cluster cluster = three_cards();
  cluster.card_overrides[1] = other;
  EXPECT_TRUE(cluster.cards_are_equal());
}

TEST(Cluster, CardsPerformAlikeInEveryNumberOrNot) {
  const Ranged<OpsPerSecond> compute{OpsPerSecond(2), OpsPerSecond(1), OpsPerSecond(3), ""};
  CardSpec card = card_with(2e9);
  card.compute = compute;
  const auto differs = [&](auto change) {
    CardSpec other = card;
    change(other);
    return !perform_alike(card, other) && !perform_alike(other, card);
  };
  EXPECT_TRUE(differs([](CardSpec& c) { c.memory_bandwidth.value = BytesPerSecond(1e9); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.memory_bandwidth.low = BytesPerSecond(1e9); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.memory_bandwidth.high = BytesPerSecond(3e9); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.memory_capacity.value = Bytes(1); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.compute.reset(); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.compute->high = OpsPerSecond(4); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.step_overhead.value = Seconds(1); }));
  EXPECT_TRUE(differs([](CardSpec& c) { c.token_overhead.high = Seconds(1); }));
  EXPECT_FALSE(differs([](CardSpec&) {}));
}

}  // namespace
}  // namespace spanker
