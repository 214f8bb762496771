// How long an all_reduce between cards of one process takes, by algorithm. Prints the tables of
// BENCHMARKS.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "spanker/comm/local_cards.hpp"

namespace spanker {
namespace {

constexpr int kBatches = 9;

/// The median of the batches, as rank 0 saw them, in microseconds.
double microseconds(std::uint32_t ranks, std::uint64_t bytes, Algorithm algorithm, WireType wire, int calls) {
  std::vector<double> all;
  const auto done = run_in_process(ranks, [&](Communicator& communicator) -> Result<void> {
    std::vector<float> values(bytes / sizeof(float));
    for (int batch = -1; batch < kBatches; ++batch) {  // one that does not count
      if (auto ready = communicator.barrier(); !ready) return ready;
      const auto start = std::chrono::steady_clock::now();
      for (int call = 0; call < calls; ++call) {
        if (auto sum = communicator.all_reduce(values, ReduceOp::kSum, algorithm, wire); !sum) return sum;
      }
      const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
      if (communicator.rank() == 0 && batch >= 0) all.push_back(time.count() / calls);
    }
    return {};
  });
  if (!done) {
    std::fprintf(stderr, "communicator_benchmark: %s\n", to_line(done.error()).c_str());
    std::exit(1);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void report(std::uint64_t bytes, WireType wire, int calls) {
  constexpr std::uint32_t kRanks[] = {2, 4, 8};
  fmt::print("\n{} KiB as {}, microseconds\n\n| algorithm |", bytes >> 10, to_string(wire));
  for (const std::uint32_t ranks : kRanks) fmt::print(" {} ranks |", ranks);
  fmt::print("\n|---|---|---|---|\n");
  for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
    fmt::print("| {} |", to_string(algorithm));
    for (const std::uint32_t ranks : kRanks) {
      fmt::print(" {:.1f} |", microseconds(ranks, bytes, algorithm, wire, calls / static_cast<int>(ranks)));
    }
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace spanker

int main() {
  for (const auto wire : {spanker::WireType::kF32, spanker::WireType::kF16, spanker::WireType::kQ8_0}) {
    spanker::report(8 << 10, wire, 2000);
    spanker::report(1 << 20, wire, 100);
  }
}
