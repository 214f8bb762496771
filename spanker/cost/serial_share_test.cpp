#include "spanker/cost/serial_share.hpp"

#include <gtest/gtest.h>

namespace spanker {
namespace {

Cluster seen_with(Bytes layer) {
  Cluster cluster;
  cluster.card.serial_share = Ranged<Share>{Share(0.2), Share(0.1), Share(0.4), "a fit"};
  cluster.card.serial_layer = layer;
  cluster.card_overrides[1] = cluster.card;
  return cluster;
}

TEST(SerialShare, OfTheSameLayersStays) {
  for (const Bound bound : {Bound::kLow, Bound::kValue, Bound::kHigh}) {
    EXPECT_EQ(serial_scale(Bytes(100), Bytes(100), bound), 1);
  }
}

TEST(SerialShare, OfLargerLayersIsAtBestThatOfAFixedTimeAndAtWorstTheSame) {
  const Cluster cluster = for_layers_of(Bytes(400), seen_with(Bytes(100)));
  for (const CardSpec& card : {cluster.card, cluster.card_overrides.at(1)}) {
    EXPECT_DOUBLE_EQ(card.serial_share->value.value, 0.2 / 2);
    EXPECT_DOUBLE_EQ(card.serial_share->low.value, 0.1 / 4);
    EXPECT_DOUBLE_EQ(card.serial_share->high.value, 0.4);
    EXPECT_EQ(card.serial_share->source, "a fit");
    EXPECT_FALSE(card.serial_layer.has_value());
  }
}

TEST(SerialShare, OfSmallerLayersIsAtBestTheSameAndNeverMoreThanAll) {
  const Cluster cluster = for_layers_of(Bytes(25), seen_with(Bytes(100)));
  EXPECT_DOUBLE_EQ(cluster.card.serial_share->value.value, 0.2 * 2);
  EXPECT_DOUBLE_EQ(cluster.card.serial_share->low.value, 0.1);
  EXPECT_DOUBLE_EQ(cluster.card.serial_share->high.value, 1);
}

TEST(SerialShare, OfAllLayersStays) {
  Cluster cluster = seen_with(Bytes(100));
  cluster.card.serial_layer.reset();
  EXPECT_EQ(for_layers_of(Bytes(400), cluster).card, cluster.card);
  EXPECT_FALSE(for_layers_of(Bytes(400), Cluster{}).card.serial_share.has_value());
}

}  // namespace
}  // namespace spanker
