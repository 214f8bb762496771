#include <gtest/gtest.h>

#include <cmath>

#include "spanker/simulate/script_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

/// The only activity of its run.
double seconds_of_transfer(const Cluster& cluster, CardId from, CardId to, Bytes bytes) {
  Script script;
  script.on_start = [&](ContentionEngine& engine) { engine.transfer(from, to, bytes, 7); };
  EngineSettings settings;
  settings.pairs = {{from, to}};
  return done_at(run_script(cluster, settings, script), 7);
}

TEST(Transfers, TakeLatencyPerHopAndBytesOverBandwidth) {
  struct Case {
    Topology topology;
    std::uint32_t cards;
    CardId from, to;
    int hops;
  };
  const Case cases[] = {
      {Topology::kRing, 8, 0, 1, 1},    {Topology::kRing, 8, 0, 7, 1},     {Topology::kRing, 8, 1, 5, 4},
      {Topology::kRing, 2, 1, 0, 1},    {Topology::kRing, 5, 4, 2, 2},     {Topology::kLine, 6, 0, 5, 5},
      {Topology::kLine, 6, 4, 1, 3},    {Topology::kFullMesh, 7, 6, 2, 1}, {Topology::kStar, 9, 3, 8, 2},
      {Topology::kTorus, 16, 0, 15, 2}, {Topology::kTorus, 16, 0, 10, 4},  {Topology::kTorus, 16, 5, 6, 1},
      {Topology::kRing, 64, 0, 32, 32},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(fmt::format("{} {}->{}", to_string(each.topology), each.from, each.to));
    const Cluster cluster = cards_in(each.topology, each.cards);
    for (const double bytes : {0.0, 1.0, 128.0, 8192.0, 1048576.0, 1e12}) {
      expect_near(seconds_of_transfer(cluster, each.from, each.to, Bytes(static_cast<std::uint64_t>(bytes))),
                  1e-6 * each.hops + bytes / 500e6);
    }
  }
}

TEST(Transfers, FollowTheLatencyOfEachHopAndTheSlowestLink) {
  Cluster cluster = cards_in(Topology::kLine, 4);
  cluster.link_overrides[{1, 2}] = {fixed<BytesPerSecond>(100e6), fixed<Seconds>(7e-6), LinkState::kUp};
  cluster.link_overrides[{2, 3}] = {fixed<BytesPerSecond>(900e6), fixed<Seconds>(0), LinkState::kUp};
  expect_near(seconds_of_transfer(cluster, 0, 3, Bytes(1'000'000)), 8e-6 + 0.01);
  expect_near(seconds_of_transfer(cluster, 3, 0, Bytes(1'000'000)), 3e-6 + 0.002);
  expect_near(seconds_of_transfer(cluster, 2, 3, Bytes(900)), 1e-6);
}

TEST(Transfers, TakeTheDetourAroundALinkThatIsDown) {
  Cluster cluster = cards_in(Topology::kRing, 6);
  cluster.link_overrides[{0, 1}] = {fixed<BytesPerSecond>(500e6), fixed<Seconds>(1e-6), LinkState::kDown};
  expect_near(seconds_of_transfer(cluster, 0, 1, Bytes(0)), 5e-6);
  expect_near(seconds_of_transfer(cluster, 1, 0, Bytes(0)), 1e-6);
}

TEST(Transfers, ToTheSameCardTakeNoTime) {
  EXPECT_EQ(seconds_of_transfer(cards_in(Topology::kRing, 3), 1, 1, Bytes(1000)), 0);
  Cluster cluster = cards_in(Topology::kRing, 3);
  cluster.link.latency = fixed<Seconds>(0);
  EXPECT_EQ(seconds_of_transfer(cluster, 0, 1, Bytes(0)), 0);
  expect_near(seconds_of_transfer(cluster, 0, 1, Bytes(500)), 1e-6);
}

TEST(Transfers, OverTheHostLinkShareItsPort) {
  Cluster cluster = cards_in(Topology::kRing, 3);
  for (const bool shared : {true, false}) {
    cluster.host_link.shared = shared;
    Script script;
    script.on_start = [](ContentionEngine& engine) {
      engine.upload(0, Bytes(1'000'000), 1);
      engine.upload(2, Bytes(1'000'000), 2);
      engine.download(0, Bytes(1'000'000), 3);
    };
    const auto events = run_script(cluster, {}, script);
    expect_near(done_at(events, 1), 50e-6 + (shared ? 0.02 : 0.01));
    expect_near(done_at(events, 2), 50e-6 + (shared ? 0.02 : 0.01));
    expect_near(done_at(events, 3), 50e-6 + 0.01);
  }
}

// 2 MB in common at half speed each, until the shorter one is through.
TEST(Transfers, ShareALinkEqually) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 1, Bytes(1'000'000), 1);
    engine.transfer(0, 1, Bytes(3'000'000), 2);
    engine.transfer(1, 0, Bytes(3'000'000), 3);
  };
  const Cluster cluster = cards_in(Topology::kFullMesh, 3);
  const auto events = run_script(cluster, settings_for(cluster), script);
  expect_near(done_at(events, 1), 1e-6 + 0.004);
  expect_near(done_at(events, 2), 1e-6 + 0.008);
  expect_near(done_at(events, 3), 1e-6 + 0.006);
}

TEST(Transfers, ShareALinkHoweverFarTheyGo) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 1, Bytes(1'000'000), 1);
    engine.transfer(0, 4, Bytes(1'000'000), 2);
  };
  const Cluster cluster = cards_in(Topology::kLine, 5);
  const auto events = run_script(cluster, settings_for(cluster), script);
  expect_near(done_at(events, 1), 2'000'000 / 500e6 + 1e-6);
  expect_near(done_at(events, 2), 2'000'000 / 500e6 + 4e-6);
}

// Max-min by hand: the slow link gives 100 MB/s to each of two, and the third takes what that leaves.
TEST(Transfers, LeaveToOthersWhatAnotherLinkHoldsBack) {
  Cluster cluster = cards_in(Topology::kLine, 4);
  cluster.link.latency = fixed<Seconds>(0);
  cluster.link_overrides[{1, 2}] = {fixed<BytesPerSecond>(200e6), fixed<Seconds>(0), LinkState::kUp};
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 2, Bytes(1'000'000), 1);
    engine.transfer(1, 2, Bytes(1'000'000), 2);
    engine.transfer(0, 1, Bytes(4'000'000), 3);
  };
  const auto events = run_script(cluster, settings_for(cluster), script);
  expect_near(done_at(events, 1), 0.01);
  expect_near(done_at(events, 2), 0.01);
  expect_near(done_at(events, 3), 0.01);
}

TEST(Transfers, WithoutLatencyShareLikeThoseWithIt) {
  Cluster cluster = cards_in(Topology::kLine, 3);
  cluster.link_overrides[{0, 1}] = {fixed<BytesPerSecond>(500e6), fixed<Seconds>(0), LinkState::kUp};
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 1, Bytes(1'000'000), 1);
    engine.transfer(0, 2, Bytes(1'000'000), 2);
  };
  const auto events = run_script(cluster, settings_for(cluster), script);
  expect_near(done_at(events, 1), 2'000'000 / 500e6);
  expect_near(done_at(events, 2), 2'000'000 / 500e6 + 1e-6);
}

// 64 chains of about 1.3 us a step, all out of step: events that are close must not be taken for one.
TEST(Transfers, KeepTheirTimesWhereManyAreOutOfStep) {
  constexpr std::uint32_t kCards = 64;
  constexpr int kSteps = 500;
  Cluster cluster = cards_in(Topology::kRing, kCards);
  for (CardId card = 0; card < kCards; ++card) {
    const double latency = 1e-6 * (1 + 0.37 * std::sin(1.7 * card));
    const double bandwidth = 500e6 * (1 + 0.3 * std::cos(2.3 * card));
    cluster.link_overrides[{card, (card + 1) % kCards}] = {fixed<BytesPerSecond>(bandwidth),
                                                           fixed<Seconds>(latency), LinkState::kUp};
  }
  std::vector<int> left(kCards, kSteps);
  Script script;
  const auto step = [&](ContentionEngine& engine, Tag card) {
    if (left[card]-- == 0) return;
    const auto from = static_cast<CardId>(card);
    engine.transfer(from, (from + 1) % kCards, Bytes(128 + from % 3), card);
  };
  script.on_start = [&](ContentionEngine& engine) {
    for (CardId card = 0; card < kCards; ++card) step(engine, card);
  };
  script.on_done = step;
  const auto events = run_script(cluster, settings_for(cluster), script);
  ASSERT_EQ(events.size(), kCards * kSteps);
  std::vector<double> last(kCards, 0);
  for (const Event& event : events) last[event.tag] = event.at;
  for (CardId card = 0; card < kCards; ++card) {
    const LinkSpec& link = cluster.link_overrides.at({card, (card + 1) % kCards});
    expect_near(last[card],
                kSteps * (link.latency.value.count() + (128 + card % 3) / link.bandwidth.value.value));
  }
}

// After hours the clock's own resolution (1.8e-12 s at 4 h) is what remains of the error.
TEST(Transfers, KeepTheirTimesAfterHours) {
  static constexpr double kStart = 4 * 3600;
  constexpr int kSteps = 1000;
  int left = kSteps;
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.at(Seconds(kStart), 0); };
  const auto step = [&](ContentionEngine& engine, Tag) {
    if (left-- > 0) engine.transfer(0, 1, Bytes(128), 1);
  };
  script.on_timer = step;
  script.on_done = step;
  const Cluster cluster = cards_in(Topology::kRing, 4);
  const auto events = run_script(cluster, settings_for(cluster), script);
  ASSERT_EQ(events.size(), kSteps + 1U);
  EXPECT_NEAR(events.back().at - kStart, kSteps * 1.256e-6, kSteps * 2e-12);
}

}  // namespace
}  // namespace spanker
