#include "spanker/cluster/bandwidth_model.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "spanker/cluster/link.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(BandwidthModel, HasTheFoundingValues) {
  EXPECT_EQ(kLocalDdrBwBytesPerSec, 2000000000u);
  EXPECT_EQ(kIntercardBwBytesPerSec, 500000000u);
  EXPECT_EQ(kHostLinkBwBytesPerSec, 100000000u);
}

TEST(BandwidthModel, LocalIsTheMiddleOfWhatWasSeen) {
  constexpr std::uint64_t kBytesPerTransfer = 8;
  const std::uint64_t slowest = 192'000'000 * kBytesPerTransfer;
  const std::uint64_t fastest = 300'000'000 * kBytesPerTransfer;
  const std::uint64_t middle = (slowest + fastest) / 2;
  EXPECT_NEAR(static_cast<double>(middle), static_cast<double>(kLocalDdrBwBytesPerSec), 0.02 * 2e9);
}

TEST(BandwidthModel, IntercardFollowsFromItsLanes) {
  EXPECT_EQ(coded_bandwidth(4, 1.25e9, LineCoding::k8b10b).value,
            static_cast<double>(kIntercardBwBytesPerSec));
  EXPECT_NEAR(coded_bandwidth(4, 1.25e9, LineCoding::k64b66b).value, 606e6, 0.1e6);
}

TEST(BandwidthModel, GuardsAcceptTheirLimits) {
  EXPECT_TRUE(bandwidth_tiers_are_sound(1'500'000'000, 375'000'000, 80'000'000));
  EXPECT_TRUE(bandwidth_tiers_are_sound(2'400'000'000, 600'000'000, 125'000'000));
}

TEST(BandwidthModel, GuardsRefuseWhatIsNotRevisionA) {
  struct Case {
    const char* why;
    std::uint64_t local, intercard, host;
  };
  for (const Case& wrong : {
           Case{"theoretical DDR3-1600", 12'800'000'000, 500'000'000, 100'000'000},
           Case{"the PHY header's figure", 6'400'000'000, 500'000'000, 100'000'000},
           Case{"local just above what was seen", 2'400'000'001, 500'000'000, 100'000'000},
           Case{"local just below what was seen", 1'499'999'999, 300'000'000, 100'000'000},
           Case{"link above a quarter of local", 2'000'000'000, 500'000'001, 100'000'000},
           Case{"64b/66b link", 2'000'000'000, 606'060'606, 100'000'000},
           Case{"host just above the line rate", 2'000'000'000, 500'000'000, 125'000'001},
           Case{"host just below what was seen", 2'000'000'000, 500'000'000, 79'999'999},
           Case{"host as fast as the link", 2'000'000'000, 100'000'000, 100'000'000},
           Case{"no local", 0, 500'000'000, 100'000'000},
           Case{"no link", 2'000'000'000, 0, 100'000'000},
           Case{"no host link", 2'000'000'000, 500'000'000, 0},
           Case{"a link four times which overflows", 2'000'000'000, kMax / 4 + 1, 100'000'000},
           Case{"everything at its largest", kMax, kMax, kMax},
       }) {
    EXPECT_FALSE(bandwidth_tiers_are_sound(wrong.local, wrong.intercard, wrong.host)) << wrong.why;
  }
}

TEST(BandwidthModel, IsWhatTheProfileOfRevisionASays) {
  const auto cluster = load_cluster("sails-rev-a");
  ASSERT_TRUE(cluster) << to_line(cluster.error());
  EXPECT_EQ(cluster->card.memory_bandwidth.value.value, static_cast<double>(kLocalDdrBwBytesPerSec));
  EXPECT_EQ(cluster->link.bandwidth.value.value, static_cast<double>(kIntercardBwBytesPerSec));
  EXPECT_EQ(cluster->host_link.bandwidth.value.value, static_cast<double>(kHostLinkBwBytesPerSec));
}

}  // namespace
}  // namespace spanker
