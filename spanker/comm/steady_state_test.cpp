// That calls take no memory once they have been made before.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "spanker/comm/local_cards.hpp"

namespace {
thread_local long allocations = 0;
}  // namespace

// Not inlined: the compiler would see free() called on what it takes for the memory of its own operator new.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace spanker {
namespace {

TEST(SteadyState, TakesNoMemory) {
  const auto run = run_in_process(3, [](Communicator& communicator) -> Result<void> {
    std::vector<float> values(30'000);
    const std::vector<std::uint64_t> counts = {20'000, 0, 10'000};
    std::vector<Result<void>> done(100);
    const auto calls = [&] {
      std::size_t i = 0;
      for (const WireType wire : {WireType::kF32, WireType::kF16, WireType::kQ8_0}) {
        for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
          done[i++] = communicator.all_reduce(values, ReduceOp::kSum, algorithm, wire);
        }
        done[i++] = communicator.all_gather(values, counts, Algorithm::kRing, wire);
        done[i++] = communicator.reduce_scatter(values, counts, ReduceOp::kMax, Algorithm::kDirect, wire);
        done[i++] = communicator.gather(values, {}, 1, Algorithm::kTree, wire);
        done[i++] = communicator.broadcast(values, 2, Algorithm::kDirect, wire);
        done[i++] = communicator.rank() == 0   ? communicator.send(1, values, wire)
                    : communicator.rank() == 1 ? communicator.recv(0, values, wire)
                                               : Result<void>();
      }
      done[i++] = communicator.barrier();
      communicator.endpoint().set_step("a step whose name does not fit into a short string");
    };
    calls();
    const long before = allocations;
    EXPECT_GT(before, 0);
    for (int time = 0; time < 20; ++time) calls();
    EXPECT_EQ(allocations, before) << "rank " << communicator.rank();
    for (const auto& each : done) {
      if (!each) return each;
    }
    return {};
  });
  EXPECT_TRUE(run) << to_line(run.error());
}

}  // namespace
}  // namespace spanker
