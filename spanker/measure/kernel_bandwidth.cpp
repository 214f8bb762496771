#include "spanker/measure/kernel_bandwidth.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "spanker/kernels/matmul.hpp"
#include "spanker/kernels/memory.hpp"
#include "spanker/kernels/packed_matrix.hpp"
#include "spanker/kernels/quantise.hpp"

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRows = 4096;
constexpr std::size_t kColumns = 4096;

}  // namespace

Result<BytesPerSecond> kernel_bandwidth(WeightType type, std::size_t threads, Bytes size, int passes) {
  const Bytes one = PackedMatrix::size_of(type, kRows, kColumns);
  const std::size_t count = size.value / one.value + 1;
  auto memory = Memory::allocate(one * count);
  if (!memory) return Failure(memory.error());
  // Zeros are numbers of every type; touched, so that pages are there.
  std::ranges::fill(memory->bytes(), std::byte{0});
  std::vector<PackedMatrix> matrices;
  for (std::size_t i = 0; i < count; ++i) {
    auto matrix =
        PackedMatrix::make(type, kRows, kColumns, memory->bytes().subspan(i * one.value, one.value));
    if (!matrix) return Failure(matrix.error());
    matrices.push_back(*matrix);
  }
  const std::vector<float> x(kColumns, 1.0f);
  std::vector<QuantisedBlock> blocks(kColumns / 32);
  quantise(x, blocks);
  std::vector<float> y(kRows);
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < passes; ++pass) {
    const auto start = Clock::now();
    {
      std::vector<std::jthread> team;
      for (std::size_t thread = 0; thread < threads; ++thread) {
        team.emplace_back([&, thread] {
          for (const PackedMatrix& matrix : matrices) {
            matmul(matrix, {1, x.data(), blocks.data()}, part_of_rows(kRows, thread, threads), y.data(),
                   kRows);
          }
        });
      }
    }
    best = std::min(best, Seconds(Clock::now() - start).count());
  }
  return BytesPerSecond(static_cast<double>((one * count).value) / best);
}

}  // namespace spanker
