#include "spanker/simulate/contention_engine.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>

#include "spanker/base/random.hpp"
#include "spanker/simulate/script_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

void refuse(const EngineSettings& settings, const std::string& line) {
  Script script;
  const auto result = run_contention(cards_in(Topology::kRing, 4), settings, script);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(result.error()), line);
}

TEST(EngineSettings, OutOfRangeAreRefused) {
  EngineSettings settings;
  settings.jitter = 1;
  refuse(settings, "jitter: is out of range, wanted at least 0, below 1, got 1");
  settings.jitter = std::nan("");
  refuse(settings, "jitter: is out of range, wanted at least 0, below 1, got nan");
  settings = {};
  settings.pairs = {{0, 1}, {2, 4}};
  refuse(settings, "transfer: there is no such card, wanted 0 to 3, got 4");

  const auto refuse_change = [](TimedChange change, const std::string& line) {
    EngineSettings with_change;
    with_change.changes = {{Seconds(1), HostLinkSpeedChange{1}}, change};
    refuse(with_change, line);
  };
  const std::string no_time = "change 1: its time is out of range, wanted at least 0 s, got ";
  refuse_change({Seconds(-1), CardLoss{0}}, no_time + "-1 s");
  refuse_change({Seconds(std::numeric_limits<double>::infinity()), CardLoss{0}}, no_time + "inf s");
  const std::string no_card = "change 1: there is no such card, wanted 0 to 3, got 9";
  refuse_change({Seconds(0), CardLoss{9}}, no_card);
  refuse_change({Seconds(0), CardSpeedChange{9, 1}}, no_card);
  refuse_change({Seconds(0), HostTraffic{9, Bytes(1)}}, no_card);
  const std::string no_cable = "change 1: there is no such cable, wanted cards that are joined, got 0 and 2";
  refuse_change({Seconds(0), LinkStateChange{0, 2, false}}, no_cable);
  refuse_change({Seconds(0), LinkSpeedChange{0, 2, 1}}, no_cable);
  const std::string no_factor = "change 1: the factor is out of range, wanted above 0, got ";
  refuse_change({Seconds(0), LinkSpeedChange{0, 1, 0}}, no_factor + "0");
  refuse_change({Seconds(0), HostLinkSpeedChange{-1}}, no_factor + "-1");
  refuse_change({Seconds(0), CardSpeedChange{3, std::nan("")}}, no_factor + "nan");
}

/// What the run's error says.
std::string failure_of(std::function<void(ContentionEngine&)> start) {
  Script script;
  script.on_start = std::move(start);
  EngineSettings settings;
  settings.pairs = {{0, 1}};
  const auto result = run_contention(cards_in(Topology::kRing, 4), settings, script);
  EXPECT_FALSE(result);
  if (result) return {};
  EXPECT_EQ(result.error().kind, ErrorKind::kIo);
  return to_line(result.error());
}

TEST(ContentionEngine, FailsWhatADriverMustNotDo) {
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.fail("enough"); }), "simulation: enough");
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.transfer(1, 0, Bytes(1), 0); }),
            "simulation: a transfer from card 1 to card 0 was not announced");
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.obstacle(2, 3); }),
            "simulation: a transfer from card 2 to card 3 was not announced");
  const std::string no_card = "simulation: there is no card 4";
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.compute(4, Seconds(1), 0); }), no_card);
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.transfer(0, 4, Bytes(1), 0); }), no_card);
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.upload(4, Bytes(1), 0); }), no_card);
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.download(4, Bytes(1), 0); }), no_card);
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.is_lost(4); }), no_card);
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.compute(1, Seconds(-1), 0); }),
            "simulation: card 1 is to compute for -1 s");
  EXPECT_EQ(failure_of([](ContentionEngine& engine) {
              engine.compute(1, Seconds(1), 0);
              engine.compute(1, Seconds(1), 1);
            }),
            "simulation: card 1 is to compute two things at once");
  EXPECT_EQ(failure_of([](ContentionEngine& engine) { engine.at(Seconds(std::nan("")), 0); }),
            "simulation: a timer is to fire at no time");
  EXPECT_EQ(failure_of([](ContentionEngine&) { throw std::runtime_error("a driver's exception"); }),
            "simulation: a driver's exception");
  EXPECT_NE(failure_of([](ContentionEngine&) { ::abort(); }).find("ended by signal 6 (Aborted)"),
            std::string::npos);
}

TEST(ContentionEngine, FailsADriverThatGoesOnAfterTheEnd) {
  struct Endless : Script {
    std::string finish(ContentionEngine& engine, std::span<const WaitingActivity>) override {
      engine.upload(0, Bytes(1), 0);
      return {};
    }
  } script;
  const auto result = run_contention(cards_in(Topology::kRing, 4), {}, script);
  ASSERT_FALSE(result);
  EXPECT_EQ(to_line(result.error()), "simulation: something was started after the end");
}

TEST(ContentionEngine, EndsAtOnceWhereNothingIsDone) {
  Script script;
  EXPECT_TRUE(run_script(cards_in(Topology::kFullMesh, 1), {}, script).empty());
}

TEST(ContentionEngine, FiresTimersNoEarlierThanNow) {
  Script script;
  script.on_start = [](ContentionEngine& engine) {
    engine.at(Seconds(2), 2);
    engine.at(Seconds(1), 1);
    engine.at(Seconds(-1), 0);
  };
  script.on_timer = [](ContentionEngine& engine, Tag tag) {
    if (tag == 2) engine.at(Seconds(0.5), 3);
  };
  const auto events = run_script(cards_in(Topology::kRing, 2), {}, script);
  EXPECT_EQ(order_of(events), (std::vector<std::string>{"0: timer", "1: timer", "2: timer", "3: timer"}));
  EXPECT_EQ(events.back().at, 2);
}

/// Starts activities at random, keeps each card to one computation, starts some lost ones again, and counts.
class RandomDriver : public EngineDriver {
 public:
  RandomDriver(std::uint32_t cards, std::uint64_t seed, int activities)
      : random_(seed), cards_(cards), left_(activities), busy_(cards, false) {}

  void start(ContentionEngine& engine) override {
    for (int i = 0; i < 8; ++i) start_one(engine);
    engine.at(Seconds(1e-4), 0);
  }
  void timer(ContentionEngine& engine, Tag) override { start_one(engine); }
  void done(ContentionEngine& engine, Tag tag) override {
    end(engine, tag, "done");
    ++done_;
    start_one(engine);
    if (random_.next() % 3 == 0) start_one(engine);
  }
  void lost(ContentionEngine& engine, Tag tag, const Obstacle& obstacle) override {
    end(engine, tag, "lost");
    ++lost_;
    if (obstacle.kind == Obstacle::Kind::kCardLost && !engine.is_lost(obstacle.card)) engine.fail("not lost");
    start_one(engine);
  }
  std::string finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) override {
    for (const WaitingActivity& each : waiting) end(engine, each.tag, "waiting");
    if (!open_.empty()) engine.fail("activities have not ended");
    return fmt::format("{} {} {} {}", started_, done_, lost_, waiting.size());
  }

 private:
  void start_one(ContentionEngine& engine) {
    if (left_-- <= 0) return;
    const Tag tag = started_++;
    open_.emplace(tag, cards_);
    const auto from = static_cast<CardId>(random_.next() % cards_);
    const auto to = static_cast<CardId>(random_.next() % cards_);
    const Bytes bytes(random_.next() % 4 == 0 ? 0 : random_.next() % 100'000);
    switch (random_.next() % 4) {
      case 0:
        if (!busy_[from]) {
          busy_[from] = true;
          open_[tag] = from;
          return engine.compute(from, Seconds(static_cast<double>(random_.next() % 1000) * 1e-6), tag);
        }
        return engine.upload(from, bytes, tag);
      case 1:
        return engine.download(from, bytes, tag);
      default:
        return engine.transfer(from, to, bytes, tag);
    }
  }

  void end(ContentionEngine& engine, Tag tag, const char* how) {
    const auto found = open_.find(tag);
    if (found == open_.end()) engine.fail(fmt::format("{} twice: {}", how, tag));
    if (found->second < cards_) busy_[found->second] = false;
    open_.erase(found);
  }

  SplitMix64 random_;
  std::uint32_t cards_;
  int left_;
  std::vector<bool> busy_;
  std::map<Tag, CardId> open_;  ///< and the card that computes it
  std::uint64_t started_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t lost_ = 0;
};

TimedChange random_change(const Network& network, std::uint32_t cards, SplitMix64& random) {
  const Seconds at(static_cast<double>(random.next() % 5000) * 1e-6);
  const auto card = static_cast<CardId>(random.next() % cards);
  const double factor = std::ldexp(1, static_cast<int>(random.next() % 7) - 4);
  const auto kind = random.next() % 8;
  if (kind < 5 && network.link_count() > 0) {
    const auto [from, to] = network.ends(static_cast<LinkId>(random.next() % network.link_count()));
    if (kind == 0) return {at, LinkSpeedChange{from, to, factor}};
    return {at, LinkStateChange{from, to, kind > 2}};
  }
  if (kind == 5) return {at, HostLinkSpeedChange{factor}};
  if (kind == 6) return {at, CardSpeedChange{card, factor}};
  if (random.next() % 2 == 0) return {at, HostTraffic{card, Bytes(random.next() % 100'000)}};
  return {at, CardLoss{card}};
}

// A run that hangs is ended and fails.
RC_GTEST_PROP(ContentionEngine, EndsEveryActivityOnceWhateverHappens, ()) {
  const auto topology = *rc::gen::element(Topology::kRing, Topology::kLine, Topology::kFullMesh,
                                          Topology::kStar, Topology::kTorus);
  Cluster cluster = cards_in(topology, *rc::gen::inRange(1U, 13U));
  cluster.host_link.shared = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 3) == 0) cluster.link.latency = fixed<Seconds>(0);
  const Network network(cluster);
  SplitMix64 random(*rc::gen::arbitrary<std::uint64_t>());
  EngineSettings settings = settings_for(cluster);
  settings.jitter = *rc::gen::element(0.0, 0.3);
  settings.seed = random.next();
  const int changes = *rc::gen::inRange(0, 30);
  for (int i = 0; i < changes; ++i) {
    settings.changes.push_back(random_change(network, cluster.card_count, random));
  }
  const std::uint64_t seed = random.next();
  const auto run = [&] {
    RandomDriver driver(cluster.card_count, seed, 300);
    const auto start = std::chrono::steady_clock::now();
    const auto in_time = [&](const EngineProgress&) {
      return std::chrono::steady_clock::now() - start < std::chrono::seconds(60);
    };
    return run_contention(cluster, settings, driver, in_time);
  };
  const auto result = run();
  if (!result) RC_FAIL(to_line(result.error()));
  std::istringstream numbers(*result);
  std::uint64_t started = 0, done = 0, lost = 0, waiting = 0;
  numbers >> started >> done >> lost >> waiting;
  RC_ASSERT(started > 0U);
  RC_ASSERT(done + lost + waiting == started);
  RC_CLASSIFY(lost > 0U, "lost");
  RC_CLASSIFY(waiting > 0U, "waits");
  if (settings.changes.empty()) RC_ASSERT(done == started);
  RC_ASSERT(run().value_or("") == *result);
}

}  // namespace
}  // namespace spanker
