#include "spanker/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "spanker/comm/collectives_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace spanker
