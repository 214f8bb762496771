#include "spanker/steps/predict_steps.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/random_plan_for_test.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

using testing::preset_problem;
using testing::random_plan;
using testing::random_problem;

double makespan(const Problem& problem, const StepGraph& graph) {
  return predict_steps(graph, ClusterRates(problem.cluster, Bound::kValue)).makespan().count();
}

bool agree(double a, double b) { return a == b || std::abs(a - b) <= 1e-12 * std::max(a, b); }

RC_GTEST_PROP(PredictSteps, MakesWhatThePlannerPrices, ()) {
  const Problem problem = random_problem();
  const Plan plan = random_plan(problem);
  const Prediction prediction = predict(problem, plan);
  RC_ASSERT(agree(makespan(problem, lower_decode(problem, plan)), prediction.decode.total().count()));
  RC_ASSERT(agree(makespan(problem, lower_prefill(problem, plan)), prediction.prefill.total().count()));

  const std::uint64_t streams = *rc::gen::inRange<std::uint64_t>(2, 7);
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const PassPricer pricer(problem, rates, links, problem.decode(streams));
  const double price = price_pass(problem, pricer, plan, nullptr).total().total().count();
  RC_ASSERT(agree(makespan(problem, lower_decode(problem, plan, streams)), price));
  // Collapsed collectives take the same time.
  RC_ASSERT(agree(makespan(problem, lower_pass(problem, plan, problem.decode(), &Stage::decode, 0)),
                  prediction.decode.total().count()));
}

TEST(PredictSteps, CollapsedCollectivesTakeTheirClosedFormTime) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 80);
  Plan plan = search(preset_problem("tinyllama-1.1b", "sails-rev-a", 2),
                     StrategySet::only(PlanStrategy::kTensorParallel))
                  .value();
  Stage& stage = plan.stages.front();
  for (CardId card = 2; card < 80; ++card) {
    stage.cards.push_back(card);
    stage.shares.query_heads.push_back(0);
    stage.shares.ffn_columns.push_back(0);
    stage.shares.vocabulary_rows.push_back(0);
  }
  stage.decode = {Algorithm::kHalvingDoubling, Algorithm::kTree};
  const double expanded = makespan(problem, lower_pass(problem, plan, problem.decode(), &Stage::decode));
  const double collapsed = makespan(problem, lower_pass(problem, plan, problem.decode(), &Stage::decode, 0));
  EXPECT_NEAR(collapsed, expanded, 1e-12 * expanded);
}

TEST(PredictSteps, TellsWhereATokenOfTinyLlamaGoes) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 4);
  const StepGraph graph = lower_decode(problem, search(problem).value());
  const Timeline timeline = predict_steps(graph, ClusterRates(problem.cluster, Bound::kValue));
  const auto kinds = seconds_by_kind(graph, timeline);
  const auto of = [&](std::string_view kind) {
    for (const KindSeconds& each : kinds) {
      if (each.kind == kind) return each;
    }
    return KindSeconds{};
  };
  // docs/cost-model.md: 22 gate_up of 3 244 032 bytes at 2 GB/s; all_reduces of 18.288 us; a gather of 130
  // us.
  EXPECT_EQ(of("gate_up").times, 22u);
  EXPECT_NEAR(of("gate_up").seconds.count(), 22 * 3244032 / 2e9, 1e-12);
  EXPECT_EQ(of("ffn_all_reduce").times, 22u);
  EXPECT_NEAR(of("ffn_all_reduce").seconds.count(), 22 * 18.288e-6, 1e-12);
  EXPECT_NEAR(of("logits_gather").seconds.count(), 130e-6, 1e-12);
  double sum = 0;
  for (const KindSeconds& each : kinds) sum += each.seconds.count();
  EXPECT_NEAR(sum, timeline.makespan().count(), 1e-12);
}

}  // namespace
}  // namespace spanker
