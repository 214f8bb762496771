#pragma once

#include <chrono>
#include <functional>

#include "spanker/base/quantity.hpp"

namespace spanker {

/// Where a card would be in time if it were as slow as a description says. It is ahead of this machine, which
/// then waits for it; where the machine is behind, the clock does not wait, so that one late step delays
/// nothing that comes after it.
class PacedClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Of a run that starts now, at the same moment for all cards.
  explicit PacedClock(Time start) : start_(start) {}

  /// Since the start.
  Seconds now() const { return now_; }
  /// The card is at something for so long.
  void spend(Seconds time) { now_ += time; }
  /// The card waits for something that comes then.
  void advance_to(Seconds time);

  /// Sleeps until the machine's time is the card's, and calls `poll` meanwhile, at least once.
  void wait(const std::function<void()>& poll);

  /// By how much the machine was behind the card at most, at a wait.
  Seconds lateness() const { return lateness_; }

 private:
  Time start_;
  Seconds now_{0};
  Seconds lateness_{0};
};

}  // namespace spanker
