#include "spanker/plan/capacity.hpp"

#include <gtest/gtest.h>

#include "spanker/base/sanitized_for_test.hpp"
#include "spanker/plan/problem_for_test.hpp"

namespace spanker {
namespace {

using testing::must;
using testing::round_cluster;
using testing::small_shape;
using testing::small_workload;

Problem problem_of(std::uint32_t cards, std::uint64_t capacity, Topology topology) {
  Cluster cluster = round_cluster(cards, topology);
  cluster.card.memory_capacity = testing::fixed(Bytes(capacity));
  return must(
      Problem::make(must(make_model("small", small_shape(), TensorType::kF32)), cluster, small_workload()));
}

TEST(CanHold, AgreesWithTheSearchFromTooLittleMemoryToPlenty) {
  for (const Topology topology : {Topology::kRing, Topology::kStar}) {
    for (const std::uint32_t cards : {9u, 11u}) {
      int held = 0;
      int refused = 0;
      int missed = 0;
      for (std::uint64_t capacity = 20'000; capacity < 200'000;
           capacity += testing::kIsSanitized ? 20'000 : 4'000) {
        const Problem problem = problem_of(cards, capacity, topology);
        for (const PlanStrategy strategy : {PlanStrategy::kTensorParallel, PlanStrategy::kPipelineParallel}) {
          const StrategySet only = StrategySet::only(strategy);
          EXPECT_EQ(can_hold(problem, only), search(problem, only).has_value())
              << to_string(strategy) << " on " << cards << " cards of " << capacity << " bytes";
        }
        const bool expected = search(problem).has_value();
        const bool said = can_hold(problem, {});
        EXPECT_TRUE(expected || !said) << cards << " cards of " << capacity << " bytes";
        ++(expected ? held : refused);
        missed += expected && !said ? 1 : 0;
      }
      EXPECT_GT(held, testing::kIsSanitized ? 1 : 10);
      EXPECT_GT(refused, testing::kIsSanitized ? 1 : 10);
      // Hybrids that need uneven shares.
      EXPECT_LT(missed, 5);
    }
  }
}

TEST(CanHold, OneCardOnlyWhereThatIsAskedFor) {
  const StrategySet single = StrategySet::only(PlanStrategy::kSingleCard);
  EXPECT_TRUE(can_hold(problem_of(12, 10'000'000, Topology::kRing), single));
  EXPECT_FALSE(can_hold(problem_of(12, 100'000, Topology::kRing), single));
}

}  // namespace
}  // namespace spanker
