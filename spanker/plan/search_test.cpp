// The search against a brute force (brute_force_for_test.hpp).
#include "spanker/plan/search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "spanker/plan/brute_force_for_test.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/random_problem_for_test.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using testing::BruteForce;
using testing::problem_count;
using testing::random_problem;

struct Case {
  const char* name;
  Objective objective;
  bool unequal;
  std::uint32_t problems;
};

class SearchOf : public ::testing::TestWithParam<Case> {};

TEST_P(SearchOf, EqualsBruteForceOnThousandsOfSmallProblems) {
  const Case& asked = GetParam();
  int infeasible = 0;
  int with_own_ports_and_no_choice = 0;
  std::map<PlanStrategy, int> found;
  const std::uint32_t problems = problem_count(asked.problems);
  for (std::uint32_t seed = 0; seed < problems; ++seed) {
    const Problem problem = random_problem(seed, asked.objective, asked.unequal);
    BruteForce brute_force(problem);
    const double expected = brute_force.best();
    const auto plan = search(problem);
    ASSERT_EQ(plan.has_value(), std::isfinite(expected)) << "seed " << seed;
    if (!plan) {
      ++infeasible;
      continue;
    }
    ++found[plan->strategy()];
    const auto sound = validate(problem, *plan);
    ASSERT_TRUE(sound.has_value()) << "seed " << seed << ": " << to_line(sound.error());
    const double seconds = objective_seconds(problem.workload, predict(problem, *plan));
    const bool own_ports = asked.objective == Objective::kSession && !problem.cluster.host_link.shared;
    if (!own_ports) {
      ASSERT_NEAR(seconds / expected, 1, 1e-9) << "seed " << seed;
      continue;
    }
    // Equally quick deals are not told apart there: the plan lies between the best with either choice.
    const double at_most = brute_force.best(BruteForce::Ties::kSlowestLoad);
    ASSERT_GE(seconds, expected * (1 - 1e-9)) << "seed " << seed;
    ASSERT_LE(seconds, at_most * (1 + 1e-9)) << "seed " << seed;
    if (at_most <= expected * (1 + 1e-9)) ++with_own_ports_and_no_choice;
  }
  // The problems must be worth asking: every kind of answer comes up.
  const auto some = static_cast<int>(problems / 100);
  EXPECT_GT(infeasible, some);
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    EXPECT_GT(found[strategy], some) << to_string(strategy);
  }
  if (asked.objective == Objective::kSession) {
    EXPECT_GT(with_own_ports_and_no_choice, static_cast<int>(problems / 4));
  }
}

INSTANTIATE_TEST_SUITE_P(All, SearchOf,
                         ::testing::Values(Case{"LatencyOfEqualCards", Objective::kLatency, false, 3000},
                                           Case{"Latency", Objective::kLatency, true, 3000},
                                           Case{"Throughput", Objective::kThroughput, true, 1500},
                                           Case{"FirstToken", Objective::kFirstToken, true, 2000},
                                           Case{"Session", Objective::kSession, true, 2000}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace spanker
