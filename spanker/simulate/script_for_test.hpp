#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "spanker/simulate/contention_engine.hpp"

/// What tests of the engine share: a driver written as a few lambdas, which keeps a log.
namespace spanker::testing {

template <class T>
Ranged<T> fixed(double value) {
  return {T(value), T(value), T(value), "made up"};
}

/// 500 MB/s each way and 1 us a cable; the host link 100 MB/s and 50 us.
inline Cluster cards_in(Topology topology, std::uint32_t cards) {
  Cluster cluster;
  cluster.card_count = cards;
  cluster.topology = topology;
  if (topology == Topology::kTorus) cluster.torus_columns = cards % 4 == 0 ? 4 : cards;
  cluster.link = {fixed<BytesPerSecond>(500e6), fixed<Seconds>(1e-6), LinkState::kUp};
  cluster.host_link = {fixed<BytesPerSecond>(100e6), fixed<Seconds>(50e-6), true};
  return cluster;
}

inline std::vector<std::pair<CardId, CardId>> all_pairs(std::uint32_t cards) {
  std::vector<std::pair<CardId, CardId>> pairs;
  for (CardId from = 0; from < cards; ++from) {
    for (CardId to = 0; to < cards; ++to) pairs.emplace_back(from, to);
  }
  return pairs;
}

struct Event {
  std::string
      what;  ///< "done", "lost 2", "timer", "changed 0", "waits 1": with the kind of obstacle or change
  Tag tag = 0;
  double at = 0;
};

struct Script : EngineDriver {
  std::function<void(ContentionEngine&)> on_start = [](ContentionEngine&) {};
  std::function<void(ContentionEngine&, Tag)> on_done = [](ContentionEngine&, Tag) {};
  std::function<void(ContentionEngine&, Tag, const Obstacle&)> on_lost = [](ContentionEngine&, Tag,
                                                                            const Obstacle&) {};
  std::function<void(ContentionEngine&, Tag)> on_timer = [](ContentionEngine&, Tag) {};
  std::function<void(ContentionEngine&)> on_change = [](ContentionEngine&) {};
  std::string log;

  void note(ContentionEngine& engine, const std::string& what, Tag tag) {
    log += fmt::format("{}\t{}\t{:.17g}\n", what, tag, engine.now().count());
  }
  static std::string with_kind(const char* what, const Obstacle& obstacle) {
    return fmt::format("{} {} {}", what, static_cast<int>(obstacle.kind),
                       obstacle.kind == Obstacle::Kind::kLinkDown ? obstacle.link : obstacle.card);
  }

  void start(ContentionEngine& engine) override { on_start(engine); }
  void done(ContentionEngine& engine, Tag tag) override {
    note(engine, "done", tag);
    on_done(engine, tag);
  }
  void lost(ContentionEngine& engine, Tag tag, const Obstacle& obstacle) override {
    note(engine, with_kind("lost", obstacle), tag);
    on_lost(engine, tag, obstacle);
  }
  void timer(ContentionEngine& engine, Tag tag) override {
    note(engine, "timer", tag);
    on_timer(engine, tag);
  }
  void cluster_changed(ContentionEngine& engine, const ClusterChange& change) override {
    note(engine, fmt::format("changed {}", change.index()), 0);
    on_change(engine);
  }
  std::string finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) override {
    for (const WaitingActivity& each : waiting) note(engine, with_kind("waits", each.obstacle), each.tag);
    return log;
  }
};

inline std::vector<Event> events_of(const std::string& log) {
  std::vector<Event> events;
  std::istringstream lines(log);
  std::string what, tag, at;
  while (std::getline(lines, what, '\t') && std::getline(lines, tag, '\t') && std::getline(lines, at)) {
    events.push_back({what, std::stoull(tag), std::stod(at)});
  }
  return events;
}

/// What happened; nothing, and a failed test, where the run has failed.
inline std::vector<Event> run_script(const Cluster& cluster, const EngineSettings& settings, Script& script) {
  const auto log = run_contention(cluster, settings, script);
  EXPECT_TRUE(log) << (log ? "" : to_line(log.error()));
  return events_of(log.value_or(""));
}

/// Between any two cards.
inline EngineSettings settings_for(const Cluster& cluster) {
  EngineSettings settings;
  settings.pairs = all_pairs(cluster.card_count);
  return settings;
}

/// When the activity with this tag was done; negative if never.
inline double done_at(const std::vector<Event>& events, Tag tag) {
  for (const Event& event : events) {
    if (event.what == "done" && event.tag == tag) return event.at;
  }
  return -1;
}

/// "done 1", "lost 0 3 1", ... without times.
inline std::vector<std::string> order_of(const std::vector<Event>& events) {
  std::vector<std::string> order;
  for (const Event& event : events) order.push_back(fmt::format("{}: {}", event.tag, event.what));
  return order;
}

inline void expect_near(double got, double wanted) {
  EXPECT_NEAR(got, wanted, 1e-6 * wanted) << fmt::format("got {:.10g}, wanted {:.10g}", got, wanted);
}

}  // namespace spanker::testing
