#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "spanker/base/result.hpp"

namespace spanker {

/// Things 0 to n - 1 dealt to threads: those of one of them.
struct Portion {
  std::size_t begin;
  std::size_t end;
};
/// As even as multiples of `unit` allow. `thread` < `threads`.
Portion portion_of(std::size_t n, std::size_t thread, std::size_t threads, std::size_t unit = 1);

/// The threads of one card, which work on one thing at a time. Waiting threads spin for a while, and then
/// sleep: the gap between two kernels is shorter than waking a thread takes.
class ThreadTeam {
 public:
  /// Of `threads` threads (at least 1), the caller's among them. `spins`: how often a waiting thread looks
  /// before it sleeps; 0 where there are more threads than processors, since one that spins keeps another
  /// from working. Fails with kIo where threads cannot be started.
  static Result<std::unique_ptr<ThreadTeam>> make(std::size_t threads, std::uint32_t spins);

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  std::size_t size() const { return helpers_.size() + 1; }

  /// Calls work(thread) once for each thread from 0 to size() - 1, on the caller's for 0, and returns when
  /// all have. `work` must not throw. For one caller at a time.
  template <class Work>
  void run(const Work& work) {
    if (helpers_.empty()) {
      work(std::size_t{0});
      return;
    }
    start([](const void* context, std::size_t thread) { (*static_cast<const Work*>(context))(thread); },
          &work);
    work(std::size_t{0});
    wait_for_helpers();
  }

 private:
  using Call = void (*)(const void*, std::size_t);

  explicit ThreadTeam(std::uint32_t spins) : spins_(spins) {}
  void start(Call call, const void* context);
  void wait_for_helpers();
  void help(std::size_t thread);

  const std::uint32_t spins_;
  Call call_ = nullptr;  // of round_; null: time to go
  const void* context_ = nullptr;
  std::vector<std::jthread> helpers_;
  // On cache lines of their own: threads spin on them.
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> busy_{0};
};

}  // namespace spanker
