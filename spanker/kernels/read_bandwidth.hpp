#pragma once

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/kernels/isa.hpp"

namespace spanker {

/// How fast this machine reads memory: the best of `passes` in which `threads` threads, each over its own
/// part of `size` bytes, add up what is there. Use many times the size of the last cache to measure memory.
/// Fails with kBadInput if there are no threads, no passes or less than 4 KiB a thread, and with kInfeasible
/// if the system does not give the memory or the threads.
Result<BytesPerSecond> read_bandwidth(unsigned threads, Bytes size, int passes = 7, Isa isa = best_isa());

}  // namespace spanker
