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

}  // namespace
}  // namespace spanker
