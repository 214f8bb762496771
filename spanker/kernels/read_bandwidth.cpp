#include "spanker/kernels/read_bandwidth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/memory.hpp"

namespace spanker {

Result<BytesPerSecond> read_bandwidth(unsigned threads, Bytes size, int passes, Isa isa) {
  const std::string where = "read bandwidth";
  if (threads == 0 || passes <= 0) {
    return bad_input(where, "nothing to measure with", "at least one thread and one pass",
                     fmt::format("{} threads, {} passes", threads, passes));
  }
  const std::uint64_t share = size.value / threads / sizeof(float);
  if (share < 1024) {
    return bad_input(where, "too little to read", "at least 4096 bytes a thread",
                     fmt::format("{} bytes for {}", size.value, threads));
  }
  const auto memory = Memory::allocate(size);
  if (!memory) return tl::unexpected(memory.error());
  auto* numbers = reinterpret_cast<float*>(memory->bytes().data());

  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  Seconds best = Seconds::max();
  int finished = -1;
  // All threads wait here before and after a pass, and the last to come reads the clock.
  std::barrier gate(static_cast<std::ptrdiff_t>(threads), [&]() noexcept {
    const auto now = Clock::now();
    if (finished >= 0) best = std::min(best, Seconds(now - start));
    ++finished;
    start = now;
  });
  std::vector<float> sums(threads);  // kept, so that the reading is
  const auto work = [&](unsigned thread) {
    float* own = numbers + thread * share;
    std::fill(own, own + share, 1.0f);
    for (int pass = 0; pass < passes; ++pass) {
      gate.arrive_and_wait();
      sums[thread] += kernels_of(isa).sum(own, share);
    }
    gate.arrive_and_wait();
  };
  std::vector<std::thread> pool;
  try {
    for (unsigned thread = 1; thread < threads; ++thread) pool.emplace_back(work, thread);
  } catch (const std::system_error&) {
    // Those that run wait for all: the missing ones must be counted out, and this one too.
    const auto missing = threads - pool.size();
    for (std::size_t i = 0; i < missing; ++i) gate.arrive_and_drop();
    for (std::thread& thread : pool) thread.join();
    return Failure({ErrorKind::kInfeasible, where, "the system has not that many threads to give",
                    std::to_string(threads), std::to_string(pool.size() + 1)});
  }
  work(0);
  for (std::thread& thread : pool) thread.join();
  return BytesPerSecond(static_cast<double>(share * threads * sizeof(float)) / best.count());
}

}  // namespace spanker
