#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "spanker/simulate/contention_engine.hpp"
#include "spanker/simulate/link_meter.hpp"
#include "spanker/simulate/prepared_graph.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// A step of an instance of a graph.
struct StepInstance {
  std::uint32_t instance = 0;
  StepId step = 0;

  Tag tag() const { return Tag{instance} << 32 | step; }
  static StepInstance of(Tag tag) {
    return {static_cast<std::uint32_t>(tag >> 32), static_cast<StepId>(tag)};
  }
};

/// Runs instances of step graphs on a contention engine: each step when those it waits for have ended, on
/// each card one kernel at a time, in the order in which they became ready. A step that a fault cuts short is
/// started anew, and waits as long as the engine says.
class StepRunner {
 public:
  /// `rates`: what kernels and collapsed collectives take when nothing disturbs them. All must outlive it.
  StepRunner(const ClusterRates& rates, ContentionEngine& engine);

  /// Starts an instance; `graph` must outlive it. Returns its number, counted from 0.
  std::uint32_t start(const PreparedGraph& graph);

  // The engine's reports, on tags that came from here.
  /// Returns the instances that ended with it.
  std::vector<std::uint32_t> done(Tag tag);
  void lost(Tag tag);

  /// Entries of an instance, while it runs and until it is forgotten; by step.
  const std::vector<TimelineEntry>& entries_of(std::uint32_t instance) const {
    return instances_.at(instance).entries;
  }
  void forget(std::uint32_t instance) { instances_.erase(instance); }

  std::uint64_t steps_done() const { return steps_done_; }
  /// Of the instances that were started.
  std::uint64_t steps_total() const { return steps_total_; }
  /// When a step last ended.
  Seconds last_end() const { return last_end_; }
  std::uint64_t sends_repeated() const { return sends_repeated_; }
  /// Seconds that each card computed.
  const std::vector<Seconds>& card_busy() const { return card_busy_; }
  std::vector<LinkUse> link_uses() const { return meter_.uses(); }

 private:
  struct Instance {
    const PreparedGraph* graph = nullptr;
    std::vector<std::uint32_t> waits;
    std::vector<TimelineEntry> entries;
    std::size_t left = 0;
  };
  struct Card {
    std::set<std::pair<std::uint32_t, StepId>> ready;  ///< kernels, by instance
    bool computes = false;
  };

  void begin(StepInstance at);
  /// Hands a step to the engine.
  void launch(StepInstance at);
  void compute_next(CardId card);
  /// Tells the followers of all that ended, and of what ends with that.
  void settle();
  LinkMeter::Route route_of(const Step& step);
  Seconds seconds_of(const StepGraph& graph, const Step& step);

  const ClusterRates& rates_;
  ContentionEngine& engine_;
  CollectivePricer links_;
  LinkMeter meter_;
  std::map<std::uint32_t, Instance> instances_;
  std::uint32_t next_instance_ = 0;
  std::vector<Card> cards_;
  std::vector<Seconds> card_busy_;
  std::vector<StepInstance> ended_;  ///< steps whose followers are yet to be told
  std::vector<std::uint32_t> finished_;
  std::uint64_t steps_done_ = 0;
  std::uint64_t steps_total_ = 0;
  std::uint64_t sends_repeated_ = 0;
  Seconds last_end_{0};
};

}  // namespace spanker
