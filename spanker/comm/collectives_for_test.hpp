#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/comm/local_cards.hpp"

// What tests of collectives between threads have in common: ranks, lengths and vectors to try, and how to run
// them.
namespace spanker::testing {

inline constexpr std::uint32_t kRanks[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};
inline constexpr std::uint64_t kSizes[] = {0, 1, 2, 7, 31, 32, 33, 100, 515};
inline constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kAvg};
inline constexpr WireType kWires[] = {WireType::kF32, WireType::kF16, WireType::kQ8_0};

using Vector = std::vector<float>;

/// What a rank starts with: known to all, so that each can tell what must come out.
inline Vector whole_numbers(std::uint32_t rank, std::uint64_t elements) {
  SplitMix64 random(rank * 7919 + elements);
  Vector values(elements);
  // Sums of 16 of them are exact in any order, even as halves.
  for (float& value : values) value = static_cast<float>(static_cast<int>(random.next() % 201)) - 100;
  return values;
}

inline Vector real_numbers(std::uint32_t rank, std::uint64_t elements) {
  SplitMix64 random(rank * 104729 + elements);
  Vector values(elements);
  for (float& value : values) {
    const double uniform = static_cast<double>(random.next() >> 11) * 0x1p-53;
    value = static_cast<float>((uniform - 0.5) * std::exp2(static_cast<double>(random.next() % 12)));
  }
  return values;
}

inline double reduced(ReduceOp op, double a, double b) {
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kAvg:
      return a + b;
    case ReduceOp::kMax:
      return std::max(a, b);
    case ReduceOp::kMin:
      return std::min(a, b);
  }
  return NAN;
}

/// By definition, in double.
inline std::vector<double> reduced(ReduceOp op, const std::vector<Vector>& vectors) {
  std::vector<double> result(vectors[0].begin(), vectors[0].end());
  for (std::size_t rank = 1; rank < vectors.size(); ++rank) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = reduced(op, result[i], vectors[rank][i]);
  }
  for (double& value : result) {
    if (op == ReduceOp::kAvg) value /= static_cast<double>(vectors.size());
  }
  return result;
}

template <class Make>
std::vector<Vector> vectors_of(const Make& make, std::uint32_t ranks, std::uint64_t elements) {
  std::vector<Vector> vectors;
  for (std::uint32_t rank = 0; rank < ranks; ++rank) vectors.push_back(make(rank, elements));
  return vectors;
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

inline std::string name_of(Collective collective, Algorithm algorithm, std::uint32_t ranks,
                           std::uint64_t elements, WireType wire) {
  return std::string(to_string(collective)) + " by " + std::string(to_string(algorithm)) + ", " +
         std::to_string(ranks) + " ranks, " + std::to_string(elements) + " elements as " +
         std::string(to_string(wire));
}

using Card = std::function<Result<void>(Communicator&)>;

/// A machine that is busy with other work is no failure.
inline constexpr LocalCardsOptions kPatient{.timeout = Seconds(300), .spin = {}};

/// Runs it on that many ranks and expects no error.
inline void on_ranks(std::uint32_t ranks, const Card& card) {
  const auto done = run_in_process(ranks, card, kPatient);
  EXPECT_TRUE(done) << to_line(done.error());
}

}  // namespace spanker::testing
