#include "spanker/comm/communicator.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/comm/local_cards.hpp"

namespace spanker {
namespace {

constexpr std::uint32_t kRanks[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};
constexpr std::uint64_t kSizes[] = {0, 1, 2, 7, 31, 32, 33, 100, 515};
constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kAvg};
constexpr WireType kWires[] = {WireType::kF32, WireType::kF16, WireType::kQ8_0};

using Vector = std::vector<float>;
using Counts = std::vector<std::uint64_t>;

/// What a rank starts with: known to all, so that each can tell what must come out.
Vector whole_numbers(std::uint32_t rank, std::uint64_t elements) {
  SplitMix64 random(rank * 7919 + elements);
  Vector values(elements);
  // Sums of 16 of them are exact in any order, even as halves.
  for (float& value : values) value = static_cast<float>(static_cast<int>(random.next() % 201)) - 100;
  return values;
}

Vector real_numbers(std::uint32_t rank, std::uint64_t elements) {
  SplitMix64 random(rank * 104729 + elements);
  Vector values(elements);
  for (float& value : values) {
    const double uniform = static_cast<double>(random.next() >> 11) * 0x1p-53;
    value = static_cast<float>((uniform - 0.5) * std::exp2(static_cast<double>(random.next() % 12)));
  }
  return values;
}

double reduced(ReduceOp op, double a, double b) {
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
std::vector<double> reduced(ReduceOp op, const std::vector<Vector>& vectors) {
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

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

/// How many roundings to the wire a value can go through, one after another, until it is in a result.
double roundings(Algorithm algorithm, std::uint32_t ranks) {
  switch (algorithm) {
    case Algorithm::kRing:
    case Algorithm::kRingBidirectional:
      return ranks;
    case Algorithm::kRecursiveDoubling:
    case Algorithm::kHalvingDoubling:
    case Algorithm::kHalvingDoublingFarFirst:
      return std::bit_width(std::bit_floor(ranks)) + (std::has_single_bit(ranks) ? 0 : 1);
    case Algorithm::kTree:
      return std::bit_width(std::bit_ceil(ranks));
    case Algorithm::kDirect:
      return 2;
  }
  return NAN;
}

/// The bound of docs/communicator.md for one element of a sum: `roundings` times what one rounding may move a
/// partial sum, whose magnitude is at most the sum of magnitudes.
double bound(WireType wire, double times, const std::vector<Vector>& vectors, std::uint64_t element) {
  const std::uint64_t unit = unit_elements(wire);
  const std::uint64_t first = element / unit * unit;
  double magnitudes = 0;
  for (const Vector& vector : vectors) {
    double largest = 0;
    for (std::uint64_t i = first; i < std::min<std::uint64_t>(first + unit, vector.size()); ++i) {
      largest = std::max(largest, static_cast<double>(std::fabs(vector[i])));
    }
    magnitudes += largest;
  }
  const double of_float = static_cast<double>(vectors.size()) * 0x1p-24;
  switch (wire) {
    case WireType::kF32:
      return of_float * magnitudes;
    case WireType::kF16:
      return (std::pow(1 + 0x1p-11, times) - 1 + of_float) * magnitudes + times * 0x1p-25;
    case WireType::kQ8_0:
      return (std::pow(1 + 1.0 / 253, times) - 1 + of_float) * magnitudes + times * 0x1p-25;
  }
  return NAN;
}

std::string name_of(Collective collective, Algorithm algorithm, std::uint32_t ranks, std::uint64_t elements,
                    WireType wire) {
  return std::string(to_string(collective)) + " by " + std::string(to_string(algorithm)) + ", " +
         std::to_string(ranks) + " ranks, " + std::to_string(elements) + " elements as " +
         std::string(to_string(wire));
}

using Card = std::function<Result<void>(Communicator&)>;

/// A machine that is busy with other work is no failure.
constexpr LocalCardsOptions kPatient{.timeout = Seconds(300), .spin = {}};

/// Runs it on that many ranks and expects no error.
void on_ranks(std::uint32_t ranks, const Card& card) {
  const auto done = run_in_process(ranks, card, kPatient);
  EXPECT_TRUE(done) << to_line(done.error());
}

TEST(AllReduce, IsTheReductionByEveryAlgorithmOperationAndType) {
  for (const std::uint32_t ranks : kRanks) {
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      for (const std::uint64_t elements : kSizes) {
        const auto before = vectors_of(whole_numbers, ranks, elements);
        for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
          for (const ReduceOp op : kOps) {
            for (const WireType wire : {WireType::kF32, WireType::kF16}) {
              Vector values = before[communicator.rank()];
              if (auto done = communicator.all_reduce(values, op, algorithm, wire); !done) return done;
              const auto wanted = reduced(op, before);
              for (std::uint64_t i = 0; i < elements; ++i) {
                EXPECT_EQ(values[i], static_cast<float>(wanted[i]))
                    << name_of(Collective::kAllReduce, algorithm, ranks, elements, wire) << " "
                    << to_string(op) << ", rank " << communicator.rank() << ", element " << i;
              }
            }
          }
        }
      }
      return {};
    });
  }
}

// A message of 64 KiB and more is read from the vector itself.
TEST(AllReduce, OfLongVectors) {
  for (const std::uint32_t ranks : {2u, 3u, 4u, 7u}) {
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      const std::uint64_t elements = 150'001;
      const auto before = vectors_of(whole_numbers, ranks, elements);
      const auto wanted = reduced(ReduceOp::kSum, before);
      for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
        Vector values = before[communicator.rank()];
        if (auto done = communicator.all_reduce(values, ReduceOp::kSum, algorithm); !done) return done;
        EXPECT_TRUE(std::equal(values.begin(), values.end(), wanted.begin(), wanted.end()))
            << name_of(Collective::kAllReduce, algorithm, ranks, elements, WireType::kF32);
      }
      return {};
    });
  }
}

TEST(AllReduce, LeavesTheSameBitsOnAllRanksNearTheSum) {
  for (const std::uint32_t ranks : kRanks) {
    std::vector<Vector> results(ranks);
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      for (const std::uint64_t elements : {1ul, 7ul, 33ul, 515ul}) {
        const auto before = vectors_of(real_numbers, ranks, elements);
        for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
          for (const WireType wire : kWires) {
            for (const ReduceOp op : kOps) {
              Vector values = before[communicator.rank()];
              if (auto done = communicator.all_reduce(values, op, algorithm, wire); !done) return done;
              results[communicator.rank()] = values;
              if (auto done = communicator.barrier(); !done) return done;
              const std::string name = name_of(Collective::kAllReduce, algorithm, ranks, elements, wire) +
                                       " " + std::string(to_string(op));
              EXPECT_TRUE(same_bits(values, results[0])) << name;
              if (auto done = communicator.barrier(); !done) return done;
              const auto wanted = reduced(op, before);
              const double by = op == ReduceOp::kAvg ? ranks : 1;
              for (std::uint64_t i = 0; i < elements; ++i) {
                EXPECT_LE(std::fabs(values[i] - wanted[i]),
                          bound(wire, roundings(algorithm, ranks), before, i) / by)
                    << name << ", element " << i;
              }
            }
          }
        }
      }
      return {};
    });
  }
}

/// As the schedule's definition has it, on one thread.
std::vector<Vector> executed(const Schedule& schedule, std::vector<Vector> vectors) {
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    const std::vector<Vector> before = vectors;
    for (const Transfer& t : schedule.round(i)) {
      for (std::uint64_t u = t.first_unit; u < t.first_unit + t.units; ++u) {
        vectors[t.to][u] = t.reduce ? vectors[t.to][u] + before[t.from][u] : before[t.from][u];
      }
    }
  }
  return vectors;
}

TEST(AllReduce, IsTheScheduleBitForBitEveryTime) {
  for (const std::uint32_t ranks : {2u, 3u, 6u, 8u}) {
    const std::uint64_t elements = 1009;
    const auto before = vectors_of(real_numbers, ranks, elements);
    for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
      const auto wanted = executed(make_schedule(Collective::kAllReduce, algorithm, ranks, elements), before);
      for (int run = 0; run < 3; ++run) {
        on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
          Vector values = before[communicator.rank()];
          const auto done = communicator.all_reduce(values, ReduceOp::kSum, algorithm);
          EXPECT_TRUE(same_bits(values, wanted[communicator.rank()]))
              << name_of(Collective::kAllReduce, algorithm, ranks, elements, WireType::kF32) << ", run "
              << run;
          return done;
        });
      }
    }
  }
}

TEST(AllReduce, PassesOnWhatIsNotFinite) {
  on_ranks(3, [&](Communicator& communicator) -> Result<void> {
    for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
      for (const WireType wire : kWires) {
        for (const ReduceOp op : kOps) {
          Vector values(40, 1.0f);
          if (communicator.rank() == 1) values[3] = NAN;
          if (auto done = communicator.all_reduce(values, op, algorithm, wire); !done) return done;
          EXPECT_TRUE(std::isnan(values[3]))
              << to_string(algorithm) << " " << to_string(wire) << to_string(op);
          EXPECT_TRUE(std::isfinite(values[39])) << to_string(algorithm) << " " << to_string(wire);
        }
      }
    }
    return {};
  });
}

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

TEST(Send, BringsVectorsInOrder) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    const std::uint64_t sizes[] = {0, 5, 100'000, 33, 1};  // the long one is not copied
    for (const WireType wire : kWires) {
      for (const std::uint64_t elements : sizes) {
        Vector wanted = real_numbers(7, elements);
        if (communicator.rank() == 0) {
          if (auto done = communicator.send(1, wanted, wire); !done) return done;
          continue;
        }
        Vector values(elements);
        if (auto done = communicator.recv(0, values, wire); !done) return done;
        round_to_wire(wire, wanted);
        EXPECT_TRUE(same_bits(values, wanted)) << elements << " as " << to_string(wire);
      }
    }
    return {};
  });
}

// More than can be under way at once, and more than the memory in which they wait.
TEST(Send, MayOverwriteWhatWasSent) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    Vector values(10'000);
    for (int i = 0; i < 300; ++i) {
      const auto number = static_cast<float>(i);
      if (communicator.rank() == 0) {
        std::fill(values.begin(), values.end(), number);
        if (auto done = communicator.send(1, values); !done) return done;
      } else {
        if (auto done = communicator.recv(0, values); !done) return done;
        EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float value) { return value == number; }));
      }
    }
    return {};
  });
}

TEST(Barrier, HoldsEveryRankUntilAllHaveCome) {
  for (const std::uint32_t ranks : {1u, 2u, 5u, 16u}) {
    std::vector<std::atomic<int>> passed(ranks);
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      for (int time = 1; time <= 50; ++time) {
        passed[communicator.rank()] = time;
        if (auto done = communicator.barrier(); !done) return done;
        for (const auto& each : passed) EXPECT_GE(each.load(), time);
      }
      return {};
    });
  }
}

TEST(Group, WorksApartFromTheOthers) {
  on_ranks(7, [&](Communicator& all) -> Result<void> {
    // Two stages of a pipeline, the second in another order than the cards.
    const bool first = all.rank() < 3;
    const std::vector<std::uint32_t> members =
        first ? std::vector<std::uint32_t>{0, 1, 2} : std::vector<std::uint32_t>{6, 4, 3, 5};
    auto stage = all.group(members);
    if (!stage) return Failure(stage.error());
    EXPECT_EQ(stage->size(), members.size());
    EXPECT_EQ(stage->card(stage->rank()), all.rank());
    for (std::uint32_t rank = 0; rank < stage->size(); ++rank) EXPECT_EQ(stage->card(rank), members[rank]);

    for (int time = 0; time < (first ? 30 : 50); ++time) {
      Vector values(100, static_cast<float>(all.rank()));
      const auto done = stage->all_reduce(values, ReduceOp::kSum, Algorithm::kHalvingDoubling);
      if (!done) return done;
      EXPECT_EQ(values[99], first ? 0 + 1 + 2 : 3 + 4 + 5 + 6);
    }
    // A chunk belongs to a rank of the group, not to a card.
    Vector values(stage->size());
    values[stage->rank()] = static_cast<float>(all.rank());
    if (auto done = stage->all_gather(values, {}, Algorithm::kDirect); !done) return done;
    for (std::uint32_t rank = 0; rank < stage->size(); ++rank) {
      EXPECT_EQ(values[rank], static_cast<float>(members[rank]));
    }
    // And a group of a group.
    const std::vector<std::uint32_t> pair = {1, 0};
    if (stage->rank() < 2) {
      auto inner = stage->group(pair);
      if (!inner) return Failure(inner.error());
      EXPECT_EQ(inner->card(0), members[1]);
      Vector one(1, static_cast<float>(all.rank()));
      if (auto done = inner->broadcast(one, 0, Algorithm::kDirect); !done) return done;
      EXPECT_EQ(one[0], static_cast<float>(members[1]));
    }
    return all.barrier();
  });
}

/// One call of a random program that every rank runs.
struct Step {
  int what;
  std::uint64_t elements;
  std::uint32_t peer;
  std::uint32_t choice;
};

Result<void> run_step(Communicator& communicator, const Step& step, int number) {
  const std::uint32_t ranks = communicator.size();
  const std::uint32_t root = step.peer % ranks;
  const auto pick = [&](Collective collective) {
    const auto algorithms = algorithms_of(collective);
    return algorithms[step.choice % algorithms.size()];
  };
  const auto value = [&](std::uint32_t rank) {
    return static_cast<float>(rank * 3 + static_cast<std::uint32_t>(number));
  };
  Vector values(step.elements, value(communicator.rank()));
  double sum = 0;
  for (std::uint32_t rank = 0; rank < ranks; ++rank) sum += static_cast<double>(value(rank));
  const auto expect_all = [&](double wanted) {
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float each) { return each == wanted; }))
        << "step " << number << " of kind " << step.what;
  };
  Result<void> done;
  switch (step.what) {
    case 0:
      done = communicator.all_reduce(values, ReduceOp::kSum, pick(Collective::kAllReduce));
      expect_all(sum);
      return done;
    case 1:
      done = communicator.broadcast(values, root, pick(Collective::kBroadcast));
      expect_all(static_cast<double>(value(root)));
      return done;
    case 2: {
      done = communicator.all_gather(values, {}, pick(Collective::kAllGather));
      for (std::uint32_t rank = 0; rank < ranks; ++rank) {
        const Chunk chunk = communicator.chunk(rank, step.elements);
        for (std::uint64_t i = 0; i < chunk.units; ++i) EXPECT_EQ(values[chunk.first_unit + i], value(rank));
      }
      return done;
    }
    case 3: {
      done = communicator.reduce_scatter(values, {}, ReduceOp::kSum, pick(Collective::kReduceScatter));
      const Chunk chunk = communicator.chunk(communicator.rank(), step.elements);
      for (std::uint64_t i = 0; i < chunk.units; ++i) {
        EXPECT_EQ(static_cast<double>(values[chunk.first_unit + i]), sum);
      }
      return done;
    }
    case 4:
      return communicator.barrier();
    default: {  // round the ring, by way of the root
      const std::uint32_t next = (root + 1) % ranks;
      if (next == root) return {};
      if (communicator.rank() == root) return communicator.send(next, values);
      if (communicator.rank() != next) return {};
      done = communicator.recv(root, values);
      expect_all(static_cast<double>(value(root)));
      return done;
    }
  }
}

RC_GTEST_PROP(Communicator, RunsAnySequenceOfCalls, ()) {
  const auto ranks = *rc::gen::inRange<std::uint32_t>(1, 10);
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  std::vector<Step> steps(count);
  for (Step& step : steps) {
    step = {*rc::gen::inRange(0, 6),
            *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 70), rc::gen::just<std::uint64_t>(40'000)),
            *rc::gen::inRange<std::uint32_t>(0, 10), *rc::gen::inRange<std::uint32_t>(0, 7)};
  }
  const Card card = [&](Communicator& communicator) -> Result<void> {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (auto step = run_step(communicator, steps[i], static_cast<int>(i)); !step) return step;
    }
    return {};
  };
  RC_ASSERT(run_in_process(ranks, card, kPatient));
}

// A new length each time, which must not be remembered for ever, and the old ones again.
TEST(Communicator, TakesEverNewLengths) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    for (int time = 0; time < 2; ++time) {
      for (std::uint64_t elements = 1; elements < 400; ++elements) {
        Vector values(elements, 1);
        const auto done = communicator.all_reduce(values, ReduceOp::kSum, Algorithm::kDirect);
        if (!done) return done;
        EXPECT_EQ(values[elements - 1], 2);
      }
    }
    return {};
  });
}

TEST(Chunk, IsOfWholeUnits) {
  on_ranks(4, [&](Communicator& communicator) -> Result<void> {
    EXPECT_EQ(communicator.chunk(0, 10), (Chunk{0, 3}));
    EXPECT_EQ(communicator.chunk(3, 10), (Chunk{8, 2}));
    EXPECT_EQ(communicator.chunk(0, 100, WireType::kQ8_0), (Chunk{0, 32}));
    EXPECT_EQ(communicator.chunk(3, 100, WireType::kQ8_0), (Chunk{96, 4}));
    EXPECT_EQ(communicator.chunk(3, 40, WireType::kQ8_0), (Chunk{40, 0}));
    return {};
  });
}

}  // namespace
}  // namespace spanker
