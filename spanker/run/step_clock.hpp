#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "spanker/comm/paced_clock.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// When one card was at what, in a pass after another.
class StepClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Visit {
    std::uint32_t instance;
    std::uint32_t exchange;  ///< kNoIndex for a step
    StepId step;             ///< kNoIndex for an exchange
    Seconds start;           ///< since the clock's start
    Seconds end;
  };

  /// Passes from `most_instances` on are not noted.
  StepClock(CardId card, Time start, std::uint32_t most_instances)
      : card_(card), start_(start), most_instances_(most_instances) {}

  CardId card() const { return card_; }
  /// From now on the time is that of a paced card.
  void follow(const PacedClock& paced) { paced_ = &paced; }
  Seconds now() const {
    return paced_ != nullptr ? paced_->now() : Seconds(std::chrono::steady_clock::now() - start_);
  }

  void begin_pass(std::uint32_t instance) { instance_ = instance; }
  void note_step(StepId step, Seconds start, Seconds end) {
    if (instance_ < most_instances_) visits_.push_back({instance_, kNoIndex, step, start, end});
  }
  void note_exchange(std::uint32_t exchange, Seconds start, Seconds end) {
    if (instance_ < most_instances_) visits_.push_back({instance_, exchange, kNoIndex, start, end});
  }
  std::span<const Visit> visits() const { return visits_; }
  void set_visits(std::vector<Visit> visits) { visits_ = std::move(visits); }
  void shift(Seconds by) {
    for (Visit& visit : visits_) {
      visit.start += by;
      visit.end += by;
    }
  }

 private:
  CardId card_;
  Time start_;
  const PacedClock* paced_ = nullptr;
  std::uint32_t most_instances_;
  std::uint32_t instance_ = 0;
  std::vector<Visit> visits_;
};

/// What all cards noted of passes by one graph. An exchange starts for all of its cards when the last of them
/// has come to it, as in predictions; what the others wait before is a gap. Its sends are not seen one by
/// one: each has the time until the card that receives has left the exchange.
Timeline measured_timeline(const StepGraph& graph, std::span<const StepClock> clocks);

}  // namespace spanker
