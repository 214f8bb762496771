#include "spanker/run/step_clock.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace spanker {
namespace {

using ExchangeInstance = std::pair<std::uint32_t, std::uint32_t>;  // instance and exchange

/// When the last card of each exchange came to it.
std::map<ExchangeInstance, Seconds> exchange_starts(std::span<const StepClock> clocks) {
  std::map<ExchangeInstance, Seconds> starts;
  for (const StepClock& clock : clocks) {
    for (const StepClock::Visit& visit : clock.visits()) {
      if (visit.exchange == kNoIndex) continue;
      const auto [entry, is_new] = starts.try_emplace({visit.instance, visit.exchange}, visit.start);
      entry->second = std::max(entry->second, visit.start);
    }
  }
  return starts;
}

}  // namespace

Timeline measured_timeline(const StepGraph& graph, std::span<const StepClock> clocks) {
  const auto starts = exchange_starts(clocks);
  Timeline timeline;
  for (const StepClock& clock : clocks) {
    for (const StepClock::Visit& visit : clock.visits()) {
      if (visit.exchange == kNoIndex) {
        timeline.entries.push_back({visit.instance, visit.step, visit.start, visit.end});
        continue;
      }
      // A short message is gone before the others have come.
      const Seconds start = std::min(starts.at({visit.instance, visit.exchange}), visit.end);
      const Exchange& exchange = graph.exchanges()[visit.exchange];
      for (StepId id = exchange.first_step; id < exchange.end_step; ++id) {
        const Step& step = graph.step(id);
        const bool is_own = step.kind == StepKind::kSend && step.card == clock.card();
        if (is_own || step.kind == StepKind::kCollective) {
          timeline.entries.push_back({visit.instance, id, start, visit.end});
        }
      }
    }
  }
  return timeline;
}

}  // namespace spanker
