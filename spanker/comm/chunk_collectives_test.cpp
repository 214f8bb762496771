#include "spanker/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "spanker/comm/collectives_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

using Counts = std::vector<std::uint64_t>;

/// Some chunks of a vector; with empty ones.
Counts uneven_counts(std::uint32_t ranks, std::uint64_t seed) {
  SplitMix64 random(seed);
  Counts counts(ranks);
  for (std::uint64_t& count : counts) count = random.next() % 4 == 0 ? 0 : random.next() % 150;
  return counts;
}

struct Range {
  std::uint64_t first;
  std::uint64_t end;
};

/// Where the chunks of all ranks lie: as given, or as the communicator says.
std::vector<Range> ranges_of(const Communicator& communicator, const Counts& counts, std::uint64_t elements,
                             WireType wire) {
  std::vector<Range> ranges;
  std::uint64_t end = 0;
  for (std::uint32_t rank = 0; rank < communicator.size(); ++rank) {
    const Chunk chunk = communicator.chunk(rank, elements, wire);
    const std::uint64_t count = counts.empty() ? chunk.units : counts[rank];
    if (counts.empty()) {
      EXPECT_EQ(chunk.first_unit, end);
    }
    ranges.push_back({end, end + count});
    end += count;
  }
  EXPECT_EQ(end, elements);
  return ranges;
}

/// Calls `test(counts, elements)` with vectors of every size, and with given counts.
Result<void> for_all_chunks(std::uint32_t ranks,
                            const std::function<Result<void>(const Counts&, std::uint64_t)>& test) {
  for (const std::uint64_t elements : kSizes) {
    if (auto done = test({}, elements); !done) return done;
  }
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Counts counts = uneven_counts(ranks, seed);
    if (auto done = test(counts, std::accumulate(counts.begin(), counts.end(), std::uint64_t{0})); !done) {
      return done;
    }
  }
  return {};
}

TEST(AllGather, BringsAllChunksToAllRanksWithTheSameBits) {
  for (const std::uint32_t ranks : kRanks) {
    std::vector<Vector> results(ranks);
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      return for_all_chunks(ranks, [&](const Counts& counts, std::uint64_t elements) -> Result<void> {
        const Vector all = real_numbers(99, elements);
        for (const Algorithm algorithm : algorithms_of(Collective::kAllGather)) {
          for (const WireType wire : kWires) {
            const auto ranges = ranges_of(communicator, counts, elements, wire);
            const Range own = ranges[communicator.rank()];
            Vector values(elements, -1e9f);
            std::copy(all.begin() + static_cast<std::ptrdiff_t>(own.first),
                      all.begin() + static_cast<std::ptrdiff_t>(own.end),
                      values.begin() + static_cast<std::ptrdiff_t>(own.first));
            if (auto done = communicator.all_gather(values, counts, algorithm, wire); !done) return done;
            Vector wanted = all;
            if (ranks > 1 && counts.empty()) round_to_wire(wire, wanted);
            if (counts.empty() || wire == WireType::kF32) {
              EXPECT_TRUE(same_bits(values, wanted))
                  << name_of(Collective::kAllGather, algorithm, ranks, elements, wire);
            }
            for (std::uint64_t i = 0; i < elements; ++i) {  // a block is within a chunk, wherever that starts
              EXPECT_LE(std::fabs(values[i] - all[i]), 2048.0f / 253) << i;
            }
            results[communicator.rank()] = values;
            if (auto done = communicator.barrier(); !done) return done;
            EXPECT_TRUE(same_bits(values, results[0]))
                << name_of(Collective::kAllGather, algorithm, ranks, elements, wire);
            if (auto done = communicator.barrier(); !done) return done;
          }
        }
        return {};
      });
    });
  }
}

TEST(ReduceScatter, LeavesEachRankItsChunkOfTheReduction) {
  for (const std::uint32_t ranks : kRanks) {
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      return for_all_chunks(ranks, [&](const Counts& counts, std::uint64_t elements) -> Result<void> {
        const auto before = vectors_of(whole_numbers, ranks, elements);
        for (const Algorithm algorithm : algorithms_of(Collective::kReduceScatter)) {
          for (const ReduceOp op : kOps) {
            const auto wanted = reduced(op, before);
            for (const WireType wire : kWires) {
              Vector values = before[communicator.rank()];
              const auto done = communicator.reduce_scatter(values, counts, op, algorithm, wire);
              if (!done) return done;
              const Range own = ranges_of(communicator, counts, elements, wire)[communicator.rank()];
              for (std::uint64_t i = own.first; i < own.end; ++i) {
                // Whole numbers up to 2048 are exact as halves; a step of q8_0 is at most 16 * 100 / 127.
                const double tolerance = wire == WireType::kQ8_0 ? ranks * 100.0 * ranks / 253 : 0;
                EXPECT_NEAR(values[i], static_cast<float>(wanted[i]), tolerance)
                    << name_of(Collective::kReduceScatter, algorithm, ranks, elements, wire) << " "
                    << to_string(op) << ", rank " << communicator.rank() << ", element " << i;
              }
            }
          }
        }
        return {};
      });
    });
  }
}

TEST(Gather, BringsAllChunksToTheRoot) {
  for (const std::uint32_t ranks : kRanks) {
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      return for_all_chunks(ranks, [&](const Counts& counts, std::uint64_t elements) -> Result<void> {
        const Vector all = whole_numbers(99, elements);
        for (const Algorithm algorithm : algorithms_of(Collective::kGather)) {
          for (const std::uint32_t root : {0u, ranks / 2, ranks - 1}) {
            for (const WireType wire : kWires) {
              const Range own = ranges_of(communicator, counts, elements, wire)[communicator.rank()];
              Vector values(elements, NAN);
              for (std::uint64_t i = own.first; i < own.end; ++i) values[i] = all[i];
              if (auto done = communicator.gather(values, counts, root, algorithm, wire); !done) return done;
              if (communicator.rank() != root) continue;
              for (std::uint64_t i = 0; i < elements; ++i) {
                const bool untouched = wire != WireType::kQ8_0 || (i >= own.first && i < own.end);
                EXPECT_NEAR(values[i], all[i], untouched ? 0 : 100.0 / 253)
                    << name_of(Collective::kGather, algorithm, ranks, elements, wire) << ", root " << root
                    << ", element " << i;
              }
            }
          }
        }
        return {};
      });
    });
  }
}

TEST(Broadcast, BringsTheRootsVectorToAllRanks) {
  for (const std::uint32_t ranks : kRanks) {
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      for (const std::uint64_t elements : {0ul, 1ul, 33ul, 17'000ul}) {
        for (const Algorithm algorithm : algorithms_of(Collective::kBroadcast)) {
          for (const std::uint32_t root : {0u, ranks / 2, ranks - 1}) {
            for (const WireType wire : kWires) {
              Vector wanted = real_numbers(root, elements);
              Vector values = communicator.rank() == root ? wanted : Vector(elements, NAN);
              if (auto done = communicator.broadcast(values, root, algorithm, wire); !done) return done;
              if (ranks > 1) round_to_wire(wire, wanted);
              EXPECT_TRUE(same_bits(values, wanted))
                  << name_of(Collective::kBroadcast, algorithm, ranks, elements, wire) << ", root " << root;
            }
          }
        }
      }
      return {};
    });
  }
}

}  // namespace
}  // namespace spanker
