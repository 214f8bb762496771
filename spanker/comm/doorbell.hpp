#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

#include "spanker/base/quantity.hpp"
#include "spanker/base/spin_pause.hpp"

namespace spanker {

/// How one thread waits for others: it spins for a while, then sleeps until it is rung for, or its time is
/// up. Others change what it waits for first, and ring then; where nobody sleeps that is one load.
/// (std::atomic can wait as well, but not for a limited time.)
class Doorbell {
 public:
  /// After a change, made with a sequentially consistent store, that may be what the other waits for.
  void ring() {
    // Either this load sees that the other sleeps, or its look before sleeping sees the change: all of them
    // are sequentially consistent.
    if (!asleep_.load()) return;
    rings_.fetch_add(1);
    ::syscall(SYS_futex, &rings_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  /// Whether `ready()`, a function of sequentially consistent loads, became true within `timeout`.
  template <class Ready>
  bool wait(const Ready& ready, Seconds timeout, Seconds spin) {
    if (ready()) return true;
    const auto start = Clock::now();
    const auto since_start = [&] { return Seconds(Clock::now() - start); };
    if (sleeps_before_spin_ > 0) {
      --sleeps_before_spin_;
    } else if (spin > Seconds(0)) {
      do {
        for (int i = 0; i < 32; ++i) {
          if (ready()) {
            sleeps_after_vain_spin_ = 0;
            return true;
          }
          spin_pause();
        }
      } while (since_start() < spin);
      sleeps_after_vain_spin_ = std::min(2 * sleeps_after_vain_spin_ + 1, kMostSleeps);
      sleeps_before_spin_ = sleeps_after_vain_spin_;
    }
    bool is_ready = false;
    for (;;) {
      const std::uint32_t seen = rings_.load();
      asleep_.store(true);
      is_ready = ready();
      const Seconds left = timeout - since_start();
      if (is_ready || left <= Seconds(0)) break;
      sleep(seen, left);
    }
    asleep_.store(false);
    return is_ready;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A spin in vain may have kept the other from running, where other work has the cores. So ever more waits
  /// sleep at once after each, until spinning helps again.
  static constexpr int kMostSleeps = 63;

  /// Unless there was a ring since `seen`.
  void sleep(std::uint32_t seen, Seconds most) {
    static_assert(sizeof rings_ == sizeof(std::uint32_t), "a futex is a word");
    // A wait that lasts longer than an hour is looked at again; the kernel refuses what it cannot count.
    const Seconds time = std::min(most, Seconds(3600));
    timespec limit{};
    limit.tv_sec = static_cast<std::time_t>(time.count());
    limit.tv_nsec = static_cast<long>((time.count() - static_cast<double>(limit.tv_sec)) * 1e9);
    ::syscall(SYS_futex, &rings_, FUTEX_WAIT_PRIVATE, seen, &limit, nullptr, 0);
  }

  std::atomic<std::uint32_t> rings_{0};
  std::atomic<bool> asleep_{false};
  int sleeps_before_spin_ = 0;
  int sleeps_after_vain_spin_ = 0;
};

}  // namespace spanker
