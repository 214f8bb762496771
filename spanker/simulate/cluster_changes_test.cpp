#include <gtest/gtest.h>

#include "spanker/simulate/script_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

using Order = std::vector<std::string>;

TEST(ClusterChanges, StragglersAreSlowerFromTheOutset) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.compute(0, Seconds(0.001), 0);
    engine.compute(1, Seconds(0.001), 1);
  };
  EngineSettings settings;
  settings.changes = {{Seconds(0), CardSpeedChange{1, 0.5}}};
  const auto events = run_script(cards_in(Topology::kRing, 3), settings, script);
  EXPECT_EQ(order_of(events), (Order{"0: done", "1: done"}));
  expect_near(done_at(events, 0), 0.001);
  expect_near(done_at(events, 1), 0.002);
}

// A tenth of a percent must not vanish.
TEST(ClusterChanges, SlightStragglersAreSeen) {
  int left = 1000;
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.compute(0, Seconds(1e-6), 0); };
  script.on_done = [&](ContentionEngine& engine, Tag) {
    if (--left > 0) engine.compute(0, Seconds(1e-6), 0);
  };
  EngineSettings settings;
  settings.changes = {{Seconds(0), CardSpeedChange{0, 1 / 1.001}}};
  const auto events = run_script(cards_in(Topology::kRing, 3), settings, script);
  ASSERT_EQ(events.size(), 1000U);
  EXPECT_NEAR(events.back().at, 1.001e-3, 1e-12);
}

// 0.4 s of the second at full speed, the other 0.6 at a quarter: 2.4 s; then full speed again.
TEST(ClusterChanges, OfACardsSpeedHoldForWhatItIsComputing) {
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.compute(2, Seconds(1), 1); };
  script.on_done = [](ContentionEngine& engine, Tag tag) {
    if (tag == 1) engine.compute(2, Seconds(1), 2);
  };
  EngineSettings settings;
  settings.changes = {{Seconds(3.3), CardSpeedChange{2, 1}}, {Seconds(0.4), CardSpeedChange{2, 0.25}}};
  const auto events = run_script(cards_in(Topology::kRing, 3), settings, script);
  EXPECT_EQ(order_of(events), (Order{"0: changed 3", "1: done", "0: changed 3", "2: done"}));
  expect_near(done_at(events, 1), 2.8);
  expect_near(done_at(events, 2), 3.3 + (1 - 0.5 * 0.25));
}

TEST(ClusterChanges, OfALinksSpeedHoldForWhatCrossesIt) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 1, Bytes(500'000'000), 1);
    engine.transfer(1, 0, Bytes(500'000'000), 2);
  };
  EngineSettings settings;
  settings.pairs = {{0, 1}, {1, 0}};
  settings.changes = {{Seconds(0), LinkSpeedChange{1, 0, 0.8}}, {Seconds(0.5), LinkSpeedChange{0, 1, 0.1}}};
  const auto events = run_script(cards_in(Topology::kLine, 3), settings, script);
  expect_near(done_at(events, 1), 1e-6 + 0.5 + 5);
  expect_near(done_at(events, 2), 1e-6 + 1.25);
}

TEST(ClusterChanges, OfALinkThatNothingCrossesAreHarmless) {
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.transfer(0, 1, Bytes(500), 1); };
  EngineSettings settings;
  settings.pairs = {{0, 1}};
  settings.changes = {{Seconds(1e-7), LinkSpeedChange{1, 2, 0.5}},
                      {Seconds(2e-7), LinkStateChange{2, 1, false}}};
  const auto events = run_script(cards_in(Topology::kRing, 3), settings, script);
  EXPECT_EQ(order_of(events), (Order{"0: changed 1", "0: changed 0", "1: done"}));
  expect_near(done_at(events, 1), 2e-6);
}

// 1 MB at half speed is 0.02 s. The host's own 2 MB share the port with the card's 1 MB, which come later.
TEST(ClusterChanges, OfTheHostLink) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.download(1, Bytes(1'000'000), 1);
    engine.at(Seconds(0.03), 5);
  };
  script.on_timer = [](ContentionEngine& engine, Tag) { engine.upload(1, Bytes(500'000), 2); };
  EngineSettings settings;
  settings.changes = {{Seconds(0), HostLinkSpeedChange{0.5}},
                      {Seconds(0.025), HostLinkSpeedChange{1}},
                      {Seconds(0.03), HostTraffic{2, Bytes(2'000'000)}}};
  Cluster cluster = cards_in(Topology::kRing, 3);
  auto events = run_script(cluster, settings, script);
  expect_near(done_at(events, 1), 50e-6 + 0.02);
  expect_near(done_at(events, 2), 0.03 + 50e-6 + 0.01);
  cluster.host_link.shared = false;
  events = run_script(cluster, settings, script);
  expect_near(done_at(events, 2), 0.03 + 50e-6 + 0.005);
}

TEST(ClusterChanges, ALinkThatGoesDownLosesWhatCrossesIt) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.transfer(0, 2, Bytes(500'000'000), 1);
    engine.transfer(1, 0, Bytes(500'000'000), 2);
    engine.transfer(2, 3, Bytes(500'000'000), 3);
    if (engine.obstacle(0, 2)) engine.fail("an obstacle");
  };
  script.on_change = [&](ContentionEngine& engine) {
    const LinkId down = *engine.network().find_link(1, 2);
    const auto obstacle = engine.obstacle(0, 2);
    if (!obstacle || *obstacle != Obstacle{Obstacle::Kind::kLinkDown, down, 0}) engine.fail("no obstacle");
    if (engine.obstacle(1, 0)) engine.fail("an obstacle");
    engine.transfer(0, 2, Bytes(500'000'000), 4);
  };
  const Cluster cluster = cards_in(Topology::kLine, 4);
  EngineSettings settings = settings_for(cluster);
  settings.changes = {{Seconds(0.25), LinkStateChange{1, 2, false}}};
  const auto events = run_script(cluster, settings, script);
  const LinkId down = *Network(cluster).find_link(1, 2);
  EXPECT_EQ(order_of(events), (Order{fmt::format("1: lost 0 {}", down), "0: changed 0", "2: done", "3: done",
                                     fmt::format("4: waits 0 {}", down)}));
}

// Also what was interrupted.
TEST(ClusterChanges, WhatWaitsForALinkStartsWhenItIsUp) {
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.transfer(0, 1, Bytes(500'000), 1); };
  script.on_lost = [](ContentionEngine& engine, Tag, const Obstacle&) {
    engine.transfer(0, 1, Bytes(500'000), 2);
    engine.transfer(0, 1, Bytes(0), 3);
  };
  const Cluster cluster = cards_in(Topology::kRing, 3);
  EngineSettings settings = settings_for(cluster);
  settings.changes = {{Seconds(0.5e-6), LinkStateChange{0, 1, false}},
                      {Seconds(0.6e-6), LinkStateChange{0, 1, false}},
                      {Seconds(2), LinkStateChange{0, 1, true}},
                      {Seconds(2), LinkStateChange{0, 1, true}}};
  const auto events = run_script(cluster, settings, script);
  EXPECT_EQ(order_of(events), (Order{"1: lost 0 0", "0: changed 0", "0: changed 0", "0: changed 0",
                                     "0: changed 0", "3: done", "2: done"}));
  expect_near(done_at(events, 3), 2 + 1e-6);
  expect_near(done_at(events, 2), 2 + 1e-6 + 0.001);
}

TEST(ClusterChanges, ALostCardTakesItsWorkAndItsCablesWithIt) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.compute(2, Seconds(1), 1);
    engine.compute(3, Seconds(1), 2);
    engine.transfer(1, 3, Bytes(500'000'000), 3);  // through card 2
    engine.transfer(2, 1, Bytes(500'000'000), 4);
    engine.transfer(0, 1, Bytes(500'000'000), 5);
    engine.upload(2, Bytes(100'000'000), 6);
    engine.upload(0, Bytes(50'000'000), 7);  // at half speed until card 2 is gone
  };
  script.on_lost = [](ContentionEngine& engine, Tag tag, const Obstacle&) {
    if (tag == 1) {
      if (!engine.is_lost(2) || engine.is_lost(1)) engine.fail("which card is lost?");
      engine.compute(2, Seconds(1), 11);
    }
    if (tag == 4) engine.transfer(2, 1, Bytes(1), 14);
    if (tag == 6) engine.download(2, Bytes(1), 16);
  };
  const Cluster cluster = cards_in(Topology::kLine, 4);
  EngineSettings settings = settings_for(cluster);
  settings.changes = {
      {Seconds(0.25), CardLoss{2}}, {Seconds(0.3), CardLoss{2}}, {Seconds(0.4), LinkStateChange{1, 2, true}}};
  const auto events = run_script(cluster, settings, script);
  const LinkId cut = *Network(cluster).find_link(1, 2);
  EXPECT_EQ(order_of(events),
            (Order{"1: lost 1 2", fmt::format("3: lost 0 {}", cut), "4: lost 1 2", "6: lost 1 2",
                   "0: changed 4", "0: changed 4", "0: changed 0", "7: done", "2: done", "5: done",
                   "11: waits 1 2", "14: waits 1 2", "16: waits 1 2"}));
  expect_near(done_at(events, 7), 0.25 + (50e6 - 0.25 * 50e6) / 100e6 + 50e-6);
}

TEST(ClusterChanges, WithoutARouteATransferWaitsForEver) {
  Cluster cluster = cards_in(Topology::kLine, 3);
  cluster.link_overrides[{1, 2}] = cluster.link;
  cluster.link_overrides[{1, 2}].state = LinkState::kDown;
  Script script;
  script.on_start = [](ContentionEngine& engine) { engine.transfer(0, 2, Bytes(1), 1); };
  EXPECT_EQ(order_of(run_script(cluster, settings_for(cluster), script)), Order{"1: waits 2 0"});
}

/// The ends of 20 computations of nominally 1 s on each of two cards, the second of which starts a bit later.
std::vector<Event> jittered(double jitter, std::uint64_t seed, double later = 0) {
  std::vector<int> left = {20, 20};
  Script script;
  const auto next = [&](ContentionEngine& engine, Tag card) {
    if (left[card]-- > 0) engine.compute(static_cast<CardId>(card), Seconds(1), card);
  };
  script.on_start = [&](ContentionEngine& engine) {
    next(engine, 0);
    engine.at(Seconds(later), 1);
  };
  script.on_timer = next;
  script.on_done = next;
  EngineSettings settings;
  settings.jitter = jitter;
  settings.seed = seed;
  return run_script(cards_in(Topology::kRing, 2), settings, script);
}

TEST(Jitter, IsReproducibleAndWithinItsBounds) {
  const auto times = [](const std::vector<Event>& events, Tag card) {
    std::vector<double> at;
    for (const Event& event : events) {
      if (event.what == "done" && event.tag == card) at.push_back(event.at);
    }
    return at;
  };
  const auto events = jittered(0.1, 5);
  const auto first = times(events, 0);
  ASSERT_EQ(first.size(), 20U);
  EXPECT_EQ(first, times(jittered(0.1, 5), 0));
  EXPECT_NE(first, times(jittered(0.1, 6), 0));
  EXPECT_NE(first, times(events, 1));
  EXPECT_EQ(first, times(jittered(0.1, 5, 0.3), 0));  // whatever the other card does
  double least = 2, most = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double took = first[i] - (i == 0 ? 0 : first[i - 1]);
    least = std::min(least, took);
    most = std::max(most, took);
  }
  EXPECT_GE(least, 0.9 - 1e-9);
  EXPECT_LT(least, 0.95);
  EXPECT_LE(most, 1.1 + 1e-9);
  EXPECT_GT(most, 1.05);
  EXPECT_NEAR(times(jittered(0, 5), 0).back(), 20, 1e-9);
}

}  // namespace
}  // namespace spanker
