#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/kernels/isa.hpp"
#include "spanker/kernels/memory.hpp"

namespace spanker {

/// Memory whose reading tells how fast this machine's is: `threads` threads, each over its own part, add up
/// what is there. Use many times the size of the last cache to measure memory.
class MemoryReader {
 public:
  /// Fails with kBadInput if there are no threads or less than 4 KiB a thread, and with kInfeasible if the
  /// system does not give the memory or the threads.
  static Result<MemoryReader> make(unsigned threads, Bytes size, Isa isa = best_isa());

  /// Reads all of it once. Fails with kInfeasible if the system does not give the threads.
  Result<BytesPerSecond> pass();

 private:
  MemoryReader(unsigned threads, std::uint64_t share, Isa isa, Memory memory)
      : threads_(threads), share_(share), isa_(isa), memory_(std::move(memory)) {}

  /// Calls work(first of a part's numbers) in a thread for each part. The time from when all threads are
  /// there to when all have finished.
  Result<Seconds> in_threads(const std::function<void(float*)>& work);

  unsigned threads_;
  std::uint64_t share_;  ///< numbers of a part
  Isa isa_;
  Memory memory_;
};

/// The best of `passes` passes. Fails as MemoryReader does, and with kBadInput if there are no passes.
Result<BytesPerSecond> read_bandwidth(unsigned threads, Bytes size, int passes = 7, Isa isa = best_isa());

}  // namespace spanker
