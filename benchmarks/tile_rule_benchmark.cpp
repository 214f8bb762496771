#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "must.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/comm/local_cards.hpp"
#include "spanker/kernels/matmul.hpp"
#include "spanker/kernels/memory.hpp"
#include "spanker/run/card_pace.hpp"

// The tile rule's decode datapoint, one token's gate projection of TinyLlama in halves, really multiplied on
// one card and on two: all cards a part of each matrix (tensor parallel), or each card every other matrix
// (model parallel).

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kColumns = 2048;
constexpr std::size_t kRows = 5632;
/// More than caches hold.
constexpr std::size_t kMatrices = 16;
constexpr int kRounds = 9;

/// A card's matrices, or parts of them.
struct Weights {
  explicit Weights(std::size_t count, std::size_t rows)
      : bytes(PackedMatrix::size_of(WeightType::kF16, rows, kColumns)),
        memory(must(Memory::allocate(bytes * count))) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto part = memory.bytes().subspan(i * bytes.value, bytes.value);
      std::ranges::fill(part, std::byte{0x2c});  // so that pages are there; 0.0659 in halves
      matrices.push_back(must(PackedMatrix::make(WeightType::kF16, rows, kColumns, part)));
    }
  }

  Bytes bytes;  ///< of one
  Memory memory;
  std::vector<PackedMatrix> matrices;
};

void multiply(const PackedMatrix& matrix, std::span<const float> x, std::span<float> y) {
  matmul(matrix, {1, x.data(), nullptr}, {0, matrix.rows()}, y.data(), matrix.rows());
}

/// What one card does for all matrices; `spend` is called after each product with the bytes that it read.
template <class Spend>
Result<void> tensor_parallel(Communicator& cards, const Weights& own, const Spend& spend) {
  std::vector<float> x(kColumns, 1.0f);
  std::vector<float> y(kRows);
  const std::vector<std::uint64_t> counts(cards.size(), kRows / cards.size());
  const std::size_t rows = kRows / cards.size();
  for (const PackedMatrix& matrix : own.matrices) {
    multiply(matrix, x, std::span(y).subspan(cards.rank() * rows, rows));
    spend(own.bytes);
    if (cards.size() == 1) continue;
    if (auto done = cards.all_gather(y, counts, Algorithm::kDirect); !done) return done;
  }
  return {};
}

template <class Spend>
Result<void> model_parallel(Communicator& cards, const Weights& own, const Spend& spend) {
  std::vector<float> x(kColumns, 1.0f);
  std::vector<float> y(kRows);
  for (std::size_t i = 0; i < kMatrices; ++i) {
    const auto owner = static_cast<std::uint32_t>(i % cards.size());
    if (cards.rank() == owner) {
      multiply(own.matrices[i / cards.size()], x, y);
      spend(own.bytes);
    }
    if (cards.size() == 1) continue;
    auto moved = cards.rank() == owner ? cards.send(1 - owner, y) : cards.recv(owner, y);
    if (!moved) return moved;
  }
  return {};
}

/// Seconds for one matrix.
double run_once(std::uint32_t cards, bool is_tensor_parallel, std::vector<Weights>& weights,
                const ClusterRates* pace) {
  const auto start = Clock::now();
  const auto card = [&](Communicator& fast) -> Result<void> {
    const Weights& own = weights[fast.rank()];
    const auto run = [&](Communicator& world, const auto& spend) {
      return is_tensor_parallel ? tensor_parallel(world, own, spend) : model_parallel(world, own, spend);
    };
    if (pace == nullptr) return run(fast, [](Bytes) {});
    CardPace paced = card_pace(*pace, {0, 1}, fast.rank(), start);
    Endpoint endpoint(
        std::make_unique<PacedTransport>(fast.endpoint().transport(), paced.clock, paced.routes));
    Communicator world(endpoint);
    auto done = run(world, [&](Bytes bytes) {
      paced.clock.spend(bytes / paced.rates.memory_bandwidth);
      paced.clock.wait([] {});
    });
    if (!done) return done;
    return endpoint.transport().finish_sends(endpoint.timeout());
  };
  const auto done = run_in_process(cards, card);
  if (!done) {
    std::fprintf(stderr, "%s\n", to_line(done.error()).c_str());
    std::exit(1);
  }
  return Seconds(Clock::now() - start).count() / kMatrices;
}

double median_of(std::uint32_t cards, bool is_tensor_parallel, const ClusterRates* pace) {
  std::vector<Weights> weights;
  for (std::uint32_t card = 0; card < cards; ++card) {
    weights.push_back(is_tensor_parallel ? Weights(kMatrices, kRows / cards)
                                         : Weights(kMatrices / cards, kRows));
  }
  std::vector<double> seconds;
  for (int round = 0; round < (pace != nullptr ? 3 : kRounds); ++round) {
    seconds.push_back(run_once(cards, is_tensor_parallel, weights, pace));
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

void run_all(const char* where, const ClusterRates* pace) {
  const double one = median_of(1, true, pace);
  fmt::print("| {} | one card | {:.3f} ms | |\n", where, 1e3 * one);
  for (const bool is_tensor_parallel : {true, false}) {
    const double two = median_of(2, is_tensor_parallel, pace);
    fmt::print("| {} | two cards, {} parallel | {:.3f} ms | {:.2f} |\n", where,
               is_tensor_parallel ? "tensor" : "model", 1e3 * two, one / two);
  }
}

}  // namespace
}  // namespace spanker

int main() {
  const auto sails = spanker::must(spanker::load_cluster("sails-rev-a"));
  const spanker::ClusterRates rates(sails, spanker::Bound::kValue);
  fmt::print("| where | cards | a matrix | times as fast as one |\n|---|---|---|---|\n");
  spanker::run_all("sails of revision A, paced", &rates);
  spanker::run_all("this CPU", nullptr);
}
