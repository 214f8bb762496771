#include "spanker/kernels/read_bandwidth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "spanker/kernels/kernel_table.hpp"

namespace spanker {
namespace {

constexpr const char* kWhere = "read bandwidth";

}  // namespace

Result<MemoryReader> MemoryReader::make(unsigned threads, Bytes size, Isa isa) {
  if (threads == 0) return bad_input(kWhere, "nothing to measure with", "at least one thread", "none");
  const std::uint64_t share = size.value / threads / sizeof(float);
  if (share < 1024) {
    return bad_input(kWhere, "too little to read", "at least 4096 bytes a thread",
                     fmt::format("{} bytes for {}", size.value, threads));
  }
  auto memory = Memory::allocate(size);
  if (!memory) return tl::unexpected(memory.error());
  MemoryReader reader(threads, share, isa, std::move(*memory));
  const auto filled = reader.in_threads([share](float* own) { std::fill(own, own + share, 1.0f); });
  if (!filled) return Failure(filled.error());
  return reader;
}

Result<BytesPerSecond> MemoryReader::pass() {
  std::atomic<float> sum = 0;  // used, so that the reading is not left out
  const auto seconds = in_threads([&](float* own) { sum.fetch_add(kernels_of(isa_).sum(own, share_)); });
  if (!seconds) return Failure(seconds.error());
  return BytesPerSecond(static_cast<double>(share_ * threads_ * sizeof(float)) / seconds->count());
}

Result<Seconds> MemoryReader::in_threads(const std::function<void(float*)>& work) {
  using Clock = std::chrono::steady_clock;
  auto* numbers = reinterpret_cast<float*>(memory_.bytes().data());
  Clock::time_point times[2];
  std::size_t gates = 0;
  // All threads wait here before and after the work, and the last to come reads the clock.
  std::barrier gate(static_cast<std::ptrdiff_t>(threads_), [&]() noexcept { times[gates++] = Clock::now(); });
  const auto run = [&](unsigned part) {
    gate.arrive_and_wait();
    work(numbers + part * share_);
    gate.arrive_and_wait();
  };
  std::vector<std::thread> pool;
  try {
    for (unsigned part = 1; part < threads_; ++part) pool.emplace_back(run, part);
  } catch (const std::system_error&) {
    // Those that run wait for all: the missing ones must be counted out, and this one too.
    const auto missing = threads_ - pool.size();
    for (std::size_t i = 0; i < missing; ++i) gate.arrive_and_drop();
    for (std::thread& thread : pool) thread.join();
    return Failure({ErrorKind::kInfeasible, kWhere, "the system has not that many threads to give",
                    std::to_string(threads_), std::to_string(pool.size() + 1)});
  }
  run(0);
  for (std::thread& thread : pool) thread.join();
  return Seconds(times[1] - times[0]);
}

Result<BytesPerSecond> read_bandwidth(unsigned threads, Bytes size, int passes, Isa isa) {
  if (passes <= 0) {
    return bad_input(kWhere, "nothing to measure with", "at least one pass", std::to_string(passes));
  }
  auto reader = MemoryReader::make(threads, size, isa);
  if (!reader) return tl::unexpected(reader.error());
  BytesPerSecond best(0);
  for (int pass = 0; pass < passes; ++pass) {
    const auto rate = reader->pass();
    if (!rate) return rate;
    best = std::max(best, *rate);
  }
  return best;
}

}  // namespace spanker
