#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spanker/plan/problem.hpp"

namespace spanker {

/// A pass that an objective counts `weight` times.
struct WeighedPass {
  Pass pass;
  double weight = 1;
};

/// What the pieces of a plan (stages, boundaries) add up to, and the largest of them.
struct PieceTotals {
  double seconds = 0;            ///< sum; with a period, of the first pass alone
  double largest = 0;            ///< with a period, the slowest piece of the first pass; else see kOwnPorts
  double largest_of_second = 0;  ///< with a period, the slowest piece of the second pass
};

/// What a search makes small, as a function of a plan's pieces.
struct Aim {
  enum class Kind {
    kSum,       ///< the passes, by their weights
    kSession,   ///< the same and the load over one port for all cards, which adds up
    kOwnPorts,  ///< the same and the load where each card has a port: that of the fullest card
    kPeriod,    ///< the time from one set of micro-batches to the next, over the streams in it
  };

  Kind kind = Kind::kSum;
  /// One or two. With a period: the larger micro-batches and the smaller ones, weighed by their numbers.
  std::vector<WeighedPass> passes;
  std::uint64_t micro_batches = 1;
  std::uint64_t streams = 1;  ///< that a period serves

  bool weighs_load() const { return kind == Kind::kSession || kind == Kind::kOwnPorts; }
  /// Seconds to make small: of a pass, of a session, or of a token at the full rate.
  double value(const PieceTotals& totals) const;
};

/// The aims of an objective; its best plan is the best of all of them. Latency, first token and session have
/// one. Throughput has one for each number of micro-batches, up to the streams and up to
/// kMostMicroBatchesPerCard for each card; the first, of one batch, is the only one for plans of one stage.
std::vector<Aim> aims_of(const Problem& problem);

/// Once every stage has a batch, more of them only read the weights more often; what they still can hide is
/// the host link's time.
inline constexpr std::uint64_t kMostMicroBatchesPerCard = 4;

/// `streams` in `micro_batches` whose sizes differ by at most one.
struct MicroBatches {
  std::uint64_t larger = 0;  ///< streams in each of the larger ones
  std::uint64_t larger_count = 0;
  std::uint64_t smaller = 0;
  std::uint64_t smaller_count = 0;  ///< 0 where all are of one size

  static MicroBatches of(std::uint64_t streams, std::uint64_t micro_batches);
};

}  // namespace spanker
