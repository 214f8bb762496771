#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/profile_for_test.hpp"

namespace spanker {
namespace {

using testing::FolderTest;
using testing::read;

bool same(const Cluster& a, const Cluster& b) {
  return a.name == b.name && a.description == b.description && a.card_count == b.card_count &&
         a.topology == b.topology && a.torus_columns == b.torus_columns && a.card == b.card &&
         a.link == b.link && a.host_link == b.host_link && a.star_switch == b.star_switch &&
         a.currency == b.currency && a.card_overrides == b.card_overrides &&
         a.link_overrides == b.link_overrides && a.warnings == b.warnings;
}

void expect_round_trip(const Cluster& cluster) {
  const std::string text = profile_text(cluster);
  EXPECT_TRUE(same(read(text), cluster)) << text;
  EXPECT_EQ(profile_text(read(text)), text);
}

TEST(ProfileWriter, BuiltinProfilesAreReadBackAsTheyWere) {
  for (const BuiltinProfile& profile : builtin_profiles()) {
    SCOPED_TRACE(std::string(profile.name));
    expect_round_trip(read(std::string(profile.toml)));
  }
}

TEST(ProfileWriter, OverridesAndEveryKeyAreReadBack) {
  expect_round_trip(read(R"(schema = "spanker.cluster/1"
name = "a \"star\" \\ of\ttabs"
description = "two lines\nand \u007F"
cards = 3
topology = "star"
[card]
memory_bandwidth = { value = "2.1 GB/s", low = "1.5 GB/s", high = "2.4 GB/s", source = "a. b" }
memory_capacity = "123456789 B"
compute = { value = "20 Gop/s", low = "19999999999.5 op/s" }
step_overhead = { value = "5 us", low = "0 s", high = "0.0000123456789012 s" }
token_overhead = "0.1 ms"
serial_share = { value = "13.7 %", low = "0 %", high = "99.99 %", source = "a fit" }
serial_layer = "113836033 B"
wait_share = "100 %"
price = { value = "79.95 EUR", high = "100 EUR" }
power = "800 mW"
[link]
bandwidth = "0.3 GB/s"
latency = { value = "0.11 ms", low = "50.5 ns", high = "3 s" }
[host_link]
bandwidth = "1 Gb/s"
latency = "0 us"
shared = false
[switch]
contention = { value = "7 %", high = "50 %" }
price = "20 EUR"
power = { value = "5 W", high = "6 W" }
[[card_override]]
card = 2
memory_bandwidth = "1.7 GB/s"
[[link_override]]
from = 0
to = "switch"
bandwidth = "100 MB/s"
[[link_override]]
from = "switch"
to = 2
one_way = true
state = "down"
)"));
}

TEST(ProfileWriter, OneCardWithoutLinkHasNone) {
  std::string alone = testing::with("cards = 4", "cards = 1");
  const std::size_t link = alone.find("[link]");
  alone.erase(link, alone.find("[host_link]") - link);
  expect_round_trip(read(alone));
}

TEST(ProfileWriter, TorusKeepsItsColumns) {
  expect_round_trip(read(testing::with("topology = \"ring\"", "topology = \"torus\"\ntorus_columns = 2")));
}

TEST(ProfileWriter, SourceOfManyDotsIsReadBack) {
  Cluster cluster = read(testing::sound());
  cluster.card.memory_bandwidth.source = std::string(500, '.');
  expect_round_trip(cluster);
}

RC_GTEST_PROP(ProfileWriter, NumbersAreReadBackBitByBit, ()) {
  const auto number = [](double low, double high) {
    const auto share =
        static_cast<double>(*rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 53)) * 0x1p-53;
    return low * std::pow(high / low, share);
  };
  Cluster cluster = read(testing::sound());
  cluster.card.memory_bandwidth = {BytesPerSecond(number(1e9, 1e12)), BytesPerSecond(number(1, 1e9)),
                                   BytesPerSecond(number(1e12, 1e15)), "s"};
  cluster.card.step_overhead = {Seconds(number(1e-6, 1)), Seconds(number(1e-12, 1e-6)),
                                Seconds(number(1, 1e4)), ""};
  cluster.card.memory_capacity.value = cluster.card.memory_capacity.low = cluster.card.memory_capacity.high =
      Bytes(*rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 53));
  RC_ASSERT(same(read(profile_text(cluster)), cluster));
}

RC_GTEST_PROP(ProfileWriter, SharesAreReadBackAsTheyWere, ()) {
  const double percent = static_cast<double>(*rc::gen::inRange(0, 1000001)) / 10000;
  const Cluster cluster =
      read(testing::with("[link]", fmt::format("serial_share = \"{} %\"\n[link]", percent)));
  RC_ASSERT(same(read(profile_text(cluster)), cluster));
}

using ProfileFile = FolderTest;

TEST_F(ProfileFile, IsLoadedAsItWasWritten) {
  const Cluster cluster = read(testing::sound());
  ASSERT_TRUE(write_profile(path("mine.toml"), cluster));
  const auto loaded = load_cluster(path("mine.toml"));
  ASSERT_TRUE(loaded) << to_line(loaded.error());
  EXPECT_TRUE(same(*loaded, cluster));
}

TEST_F(ProfileFile, TooLongForTheReaderIsNotWritten) {
  Cluster cluster = read(testing::sound());
  cluster.description = std::string(kMaxProfileBytes, 'x');
  const auto written = write_profile(path("mine.toml"), cluster);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kBadInput);
  EXPECT_FALSE(load_cluster(path("mine.toml")));
}

TEST_F(ProfileFile, FolderThatIsNotThereIsAnOutputFailure) {
  const auto written = write_profile(path("none/mine.toml"), read(testing::sound()));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace spanker
