#include "spanker/run/clock_alignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace spanker {
namespace {

constexpr Seconds kAny{std::numeric_limits<double>::infinity()};

/// What must be added to a clock's times, at least and at most.
struct Bounds {
  Seconds least = -kAny;
  Seconds most = kAny;

  Seconds choice() const {
    if (std::isfinite(least.count()) && std::isfinite(most.count())) return (least + most) / 2;
    return std::max(least, std::min(most, Seconds(0)));
  }
};

using Visits = std::map<std::pair<std::uint32_t, std::uint32_t>, StepClock::Visit>;  ///< instance, exchange

Visits exchanges_of(const StepClock& clock) {
  Visits all;
  for (const StepClock::Visit& visit : clock.visits()) {
    if (visit.exchange != kNoIndex) all.insert({{visit.instance, visit.exchange}, visit});
  }
  return all;
}

/// Whether `to` gets something in the exchange that `from` has to be there for.
bool needs(const StepGraph& graph, const Exchange& exchange, CardId to, CardId from) {
  if (exchange.collective == Collective::kAllReduce || exchange.collective == Collective::kAllGather) {
    return true;
  }
  for (StepId id = exchange.first_step; id < exchange.end_step; ++id) {
    const Step& step = graph.step(id);
    if (step.kind == StepKind::kSend && step.card == from && step.to == to) return true;
  }
  return false;
}

}  // namespace

std::vector<Seconds> clock_shifts(const StepGraph& graph, std::span<const StepClock> clocks) {
  std::vector<Seconds> shifts(clocks.size(), Seconds(0));
  std::vector<Visits> visits;
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    visits.push_back(exchanges_of(clocks[i]));
    Bounds bounds;
    for (std::size_t other = 0; other < i; ++other) {
      for (const auto& [key, own] : visits[i]) {
        const auto found = visits[other].find(key);
        if (found == visits[other].end()) continue;
        const Exchange& exchange = graph.exchanges()[key.second];
        const StepClock::Visit& theirs = found->second;
        if (needs(graph, exchange, clocks[i].card(), clocks[other].card())) {
          bounds.least = std::max(bounds.least, theirs.start + shifts[other] - own.end);
        }
        if (needs(graph, exchange, clocks[other].card(), clocks[i].card())) {
          bounds.most = std::min(bounds.most, theirs.end + shifts[other] - own.start);
        }
      }
    }
    if (i > 0) shifts[i] = bounds.choice();
  }
  return shifts;
}

}  // namespace spanker
