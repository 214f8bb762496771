#include "spanker/run/thread_team.hpp"

#include <system_error>

#include "spanker/base/spin_pause.hpp"

namespace spanker {
namespace {

/// Waits until `value` is other than `old`.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::uint32_t spins) {
  for (std::uint32_t i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    spin_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Portion portion_of(std::size_t n, std::size_t thread, std::size_t threads, std::size_t unit) {
  const std::size_t units = (n + unit - 1) / unit;
  const auto end_of = [&](std::size_t index) { return std::min(n, units * index / threads * unit); };
  return {end_of(thread), end_of(thread + 1)};
}

Result<std::unique_ptr<ThreadTeam>> ThreadTeam::make(std::size_t threads, std::uint32_t spins) {
  std::unique_ptr<ThreadTeam> team(new ThreadTeam(spins));
  try {
    for (std::size_t thread = 1; thread < threads; ++thread) {
      team->helpers_.emplace_back([team = team.get(), thread] { team->help(thread); });
    }
  } catch (const std::system_error& error) {
    return io_failure("--threads", "cannot start a thread", "", error.what());
  }
  return team;
}

ThreadTeam::~ThreadTeam() {
  start(nullptr, nullptr);
  helpers_.clear();  // joins, while what they read still is
}

void ThreadTeam::start(Call call, const void* context) {
  call_ = call;
  context_ = context;
  busy_.store(static_cast<std::uint32_t>(helpers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void ThreadTeam::wait_for_helpers() {
  for (std::uint32_t busy = busy_.load(std::memory_order_acquire); busy != 0;
       busy = busy_.load(std::memory_order_acquire)) {
    wait_for_change(busy_, busy, spins_);
  }
}

void ThreadTeam::help(std::size_t thread) {
  for (std::uint32_t round = 0;; ++round) {
    wait_for_change(round_, round, spins_);
    if (call_ == nullptr) return;
    call_(context_, thread);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace spanker
