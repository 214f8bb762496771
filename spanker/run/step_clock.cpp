#include "spanker/run/step_clock.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace spanker {
namespace {

/// When the cards of one exchange were at it.
struct Exchanged {
  Seconds start{0};                ///< when the last of them had come
  std::map<CardId, Seconds> ends;  ///< when each had left
};
using Exchanges = std::map<std::pair<std::uint32_t, std::uint32_t>, Exchanged>;  ///< by instance and exchange

Exchanges exchanges_of(std::span<const StepClock> clocks) {
  Exchanges all;
  for (const StepClock& clock : clocks) {
    for (const StepClock::Visit& visit : clock.visits()) {
      if (visit.exchange == kNoIndex) continue;
      const auto [entry, is_new] = all.try_emplace({visit.instance, visit.exchange});
      Exchanged& exchanged = entry->second;
      exchanged.start = is_new ? visit.start : std::max(exchanged.start, visit.start);
      exchanged.ends[clock.card()] = visit.end;
    }
  }
  return all;
}

}  // namespace

Timeline measured_timeline(const StepGraph& graph, std::span<const StepClock> clocks) {
  const Exchanges all = exchanges_of(clocks);
  Timeline timeline;
  for (const StepClock& clock : clocks) {
    for (const StepClock::Visit& visit : clock.visits()) {
      if (visit.exchange == kNoIndex) {
        timeline.entries.push_back({visit.instance, visit.step, visit.start, visit.end});
        continue;
      }
      const Exchanged& exchanged = all.at({visit.instance, visit.exchange});
      const Exchange& exchange = graph.exchanges()[visit.exchange];
      for (StepId id = exchange.first_step; id < exchange.end_step; ++id) {
        const Step& step = graph.step(id);
        if (step.kind != StepKind::kSend && step.kind != StepKind::kCollective) continue;
        if (step.kind == StepKind::kSend && step.card != clock.card()) continue;
        // What is sent has come when the receiver leaves, which can be before another card has come at all.
        const auto receiver = exchanged.ends.find(step.to);
        const Seconds end = receiver != exchanged.ends.end() ? receiver->second : visit.end;
        timeline.entries.push_back({visit.instance, id, std::min(exchanged.start, end), end});
      }
    }
  }
  return timeline;
}

}  // namespace spanker
