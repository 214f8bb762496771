#include "spanker/cluster/link.hpp"

#include <gtest/gtest.h>

namespace spanker {
namespace {

TEST(Link, StatesHaveNames) {
  EXPECT_EQ(to_string(LinkState::kDown), "down");
  EXPECT_EQ(to_string(LinkState::kTraining), "training");
  EXPECT_EQ(to_string(LinkState::kUp), "up");
  EXPECT_EQ(to_string(LinkState::kError), "error");
}

TEST(Link, CodingsHaveNames) {
  EXPECT_EQ(to_string(LineCoding::k8b10b), "8b/10b");
  EXPECT_EQ(to_string(LineCoding::k64b66b), "64b/66b");
}

TEST(Link, ShapeIsFourWordsOf32Bits) {
  EXPECT_EQ(kIntercardLinkShape.lanes, 4u);
  EXPECT_EQ(kIntercardLinkShape.bits_per_lane, 32u);
  EXPECT_EQ(kIntercardLinkShape.bus_bits(), 128u);
}

// PCIe: Gen2 is 5 GT/s a lane with 8b/10b, 10GBASE-R 10.3125 GBd with 64b/66b.
TEST(Link, CodedBandwidthMatchesKnownLinks) {
  EXPECT_DOUBLE_EQ(coded_bandwidth(1, 5e9, LineCoding::k8b10b).value, 500e6);
  EXPECT_DOUBLE_EQ(coded_bandwidth(16, 5e9, LineCoding::k8b10b).value, 8e9);
  EXPECT_DOUBLE_EQ(coded_bandwidth(1, 10.3125e9, LineCoding::k64b66b).value, 10e9 / 8);
  EXPECT_EQ(coded_bandwidth(0, 5e9, LineCoding::k8b10b).value, 0);
}

}  // namespace
}  // namespace spanker
