#include "spanker/comm/paced_clock.hpp"

#include <algorithm>
#include <thread>

namespace spanker {
namespace {

constexpr Seconds kBetweenPolls{10e-3};
/// What a sleep lasts too long at most, as a rule; the rest is spun.
constexpr Seconds kOversleep{100e-6};

}  // namespace

void PacedClock::advance_to(Seconds time) { now_ = std::max(now_, time); }

void PacedClock::wait(const std::function<void()>& poll) {
  const auto left = [&] { return now_ - Seconds(std::chrono::steady_clock::now() - start_); };
  lateness_ = std::max(lateness_, -left());
  for (;;) {
    poll();
    const Seconds rest = left();
    if (rest <= Seconds(0)) return;
    if (rest > kOversleep) std::this_thread::sleep_for(std::min(rest - kOversleep, kBetweenPolls));
  }
}

}  // namespace spanker
