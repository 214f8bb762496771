#pragma once

#include <signal.h>

#include <array>

// Internal to this module.
namespace spanker {

/// While it lives, a first SIGINT, SIGTERM, SIGHUP or SIGUSR1 (which mpirun passes on) is noted instead of
/// ending the program, so that a command which leaves things behind can clean up; a second one ends it.
/// Signals that are ignored (nohup) stay so. One at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  bool interrupted() const;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace spanker
