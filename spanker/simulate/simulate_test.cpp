#include "spanker/simulate/simulate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/random_plan_for_test.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/simulate/replan.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

using testing::must;
using testing::preset_problem;
using testing::random_plan;
using testing::random_problem;

Problem tinyllama(std::uint32_t cards, std::uint64_t streams = 1) {
  Workload workload;
  workload.streams = streams;
  return preset_problem("tinyllama-1.1b", "sails-rev-a", cards, workload);
}

Plan plan_by(const Problem& problem, PlanStrategy strategy) {
  return search(problem, StrategySet::only(strategy)).value();
}

Scenario tokens(std::uint64_t count) {
  Scenario scenario;
  scenario.tokens = count;
  return scenario;
}

template <class... What>
Scenario with_faults(std::uint64_t count, Seconds at, What... what) {
  Scenario scenario = tokens(count);
  (scenario.faults.push_back({at, what}), ...);
  return scenario;
}

/// Relative.
bool near(double a, double b, double tolerance = 1e-6) { return std::abs(a - b) <= tolerance * std::abs(b); }

class TinyLlamaOver : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(TinyLlamaOver, TakesTheTimeOfTheClosedForm) {
  const Problem problem = tinyllama(GetParam());
  const Plan plan = search(problem).value();
  const Prediction prediction = predict(problem, plan);
  const Simulation simulation = must(simulate(problem, plan, tokens(3)));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kFinished);
  EXPECT_EQ(simulation.steps_done, simulation.steps_total);
  EXPECT_EQ(simulation.tokens_decoded, 3u);
  EXPECT_TRUE(near(simulation.tokens_per_second, prediction.tokens_per_second()))
      << simulation.tokens_per_second << " " << prediction.tokens_per_second();
  ASSERT_EQ(simulation.first_tokens.size(), 1u);
  EXPECT_TRUE(near(simulation.first_tokens[0].count(), prediction.time_to_first_token().count()));
  const double whole = prediction.time_to_first_token().count() + 3 * prediction.decode.total().count();
  EXPECT_TRUE(near(simulation.makespan.count(), whole));
  for (const KindComparison& kind : simulation.kinds) {
    EXPECT_NEAR(kind.simulated.count(), kind.predicted.count(), 1e-6 * kind.predicted.count() + 1e-12)
        << kind.kind;
  }
}

INSTANTIATE_TEST_SUITE_P(Cards, TinyLlamaOver, ::testing::Range(1u, 9u));

/// (T - 1) max(rt, R stage) + rt + (R - 1) stage.
TEST(SimulatePipeline, FollowsTheFormulaOfDeterministicPipelines) {
  Workload workload;
  workload.objective = Objective::kThroughput;
  workload.streams = 4;
  const Plan plan =
      plan_by(preset_problem("tinyllama-1.1b", "sails-rev-a", 4, workload), PlanStrategy::kPipelineParallel);
  ASSERT_EQ(plan.stages.size(), 4u);
  for (const std::uint64_t requests : {1u, 2u, 3u, 4u, 8u}) {
    const Problem problem = tinyllama(4, requests);
    const StepGraph graph = lower_decode(problem, plan);
    // What a micro-batch keeps a card busy with; a stage's transfers keep no card busy.
    std::vector<double> busy(4, 0);
    for (const Step& step : graph.steps()) {
      if (step.kind == StepKind::kKernel) busy[step.card] += static_cast<double>(step.bytes.value) / 2e9;
    }
    const double stage = std::ranges::max(busy);
    const double round_trip = predict(problem, plan).decode.total().count();
    Scenario scenario = tokens(5);
    scenario.micro_batches = requests;
    const Simulation simulation = must(simulate(problem, plan, scenario));
    const auto r = static_cast<double>(requests);
    const double decode = 4 * std::max(round_trip, r * stage) + round_trip + (r - 1) * stage;
    const double simulated = (simulation.makespan - std::ranges::max(simulation.first_tokens)).count();
    EXPECT_TRUE(near(simulated, decode)) << requests << " requests: " << simulated << " and " << decode;
    EXPECT_TRUE(near(simulation.tokens_per_second, r / std::max(round_trip, r * stage)));
  }
}

TEST(Simulate, ContentionTakesLongerThanTheClosedForm) {
  // Requests read their prompts while others decode: the closed form knows of neither.
  const Problem problem = tinyllama(4, 4);
  const Plan plan = search(problem).value();
  Scenario scenario;
  for (int i = 0; i < 4; ++i) scenario.requests.push_back({Seconds(0.2 * i), 512, 6});
  const Simulation simulation = must(simulate(problem, plan, scenario));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kFinished);
  EXPECT_EQ(simulation.tokens_decoded, 24u);
  EXPECT_LT(simulation.tokens_per_second, predict(problem, plan).throughput.tokens_per_second);
  EXPECT_GT(std::ranges::max(simulation.first_tokens), predict(problem, plan).time_to_first_token());
}

TEST(Simulate, RequestsFarApartDoNotSeeEachOther) {
  const Problem problem = tinyllama(4, 2);
  const Plan plan = search(problem).value();
  const Prediction prediction = predict(problem, plan);
  Scenario scenario;
  for (int i = 0; i < 3; ++i) scenario.requests.push_back({Seconds(10.0 * i), 512, 2});
  const Simulation simulation = must(simulate(problem, plan, scenario));
  ASSERT_EQ(simulation.first_tokens.size(), 3u);
  for (const Seconds first : simulation.first_tokens) {
    EXPECT_TRUE(near(first.count(), prediction.time_to_first_token().count()));
  }
  for (const Seconds token : simulation.token_seconds) {
    EXPECT_TRUE(near(token.count(), prediction.decode.total().count()));
  }
}

TEST(Simulate, JitterIsReproducible) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  Scenario scenario = tokens(4);
  scenario.jitter = 0.2;
  scenario.seed = 7;
  const Simulation a = must(simulate(problem, plan, scenario));
  const Simulation b = must(simulate(problem, plan, scenario));
  scenario.seed = 8;
  const Simulation c = must(simulate(problem, plan, scenario));
  EXPECT_EQ(a.makespan, b.makespan);
  EXPECT_NE(a.makespan, c.makespan);
  // Cards wait for the slowest: slower than without, by less than the most.
  EXPECT_LT(a.tokens_per_second, predict(problem, plan).tokens_per_second());
  EXPECT_GT(a.tokens_per_second, predict(problem, plan).tokens_per_second() / 1.2);
}

TEST(SimulateFaults, AStragglerSlowsEveryToken) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  const Prediction prediction = predict(problem, plan);
  const Simulation simulation =
      must(simulate(problem, plan, with_faults(3, Seconds(0), CardSlowFault{2, 2.0})));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kFinished);
  // All cards wait for the one that needs twice the time for its kernels.
  const Cost decode = prediction.decode;
  EXPECT_TRUE(near(1 / simulation.tokens_per_second, (decode.total() + decode.memory).count()));
}

TEST(SimulateFaults, ALostLinkStallsAndIsNamed) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  const Prediction prediction = predict(problem, plan);
  const Seconds middle = prediction.time_to_first_token() + 1.5 * prediction.decode.total();
  const Simulation simulation =
      must(simulate(problem, plan, with_faults(8, middle, LinkStateFault{{1, 2, false}, LinkState::kDown})));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kStalled);
  EXPECT_EQ(simulation.tokens_decoded, 1u);
  EXPECT_LT(simulation.steps_done, simulation.steps_total);
  ASSERT_FALSE(simulation.unfinished.empty());
  bool names_link = false;
  for (const UnfinishedStep& step : simulation.unfinished) {
    names_link |= step.because == "link 1->2 is down" || step.because == "link 2->1 is down";
    EXPECT_NE(step.what.find("send for "), std::string::npos) << step.what;
  }
  EXPECT_TRUE(names_link);
}

TEST(SimulateFaults, ALinkThatComesBackOnlyCostsTime) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  const Simulation whole = must(simulate(problem, plan, tokens(8)));
  const FaultyLink link{1, 2, false};
  Scenario scenario = with_faults(8, Seconds(0.45), LinkStateFault{link, LinkState::kDown});
  scenario.faults.push_back({Seconds(5), LinkStateFault{link, LinkState::kUp}});
  const Simulation simulation = must(simulate(problem, plan, scenario));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kFinished);
  EXPECT_EQ(simulation.steps_done, simulation.steps_total);
  EXPECT_GT(simulation.makespan, Seconds(5));
  EXPECT_LT(simulation.makespan, Seconds(5) + whole.makespan);
}

TEST(SimulateFaults, ALostCardFailsAndIsNamed) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  const Scenario scenario = with_faults(8, Seconds(0.5), CardLostFault{2});
  const Simulation simulation = must(simulate(problem, plan, scenario));
  EXPECT_EQ(simulation.outcome, SimulationOutcome::kFailed);
  ASSERT_FALSE(simulation.unfinished.empty());
  EXPECT_TRUE(std::ranges::any_of(simulation.unfinished,
                                  [](const auto& step) { return step.because == "card 2 is lost"; }));

  const Replan again = must(replan(problem, plan, {}, scenario, simulation));
  ASSERT_TRUE(again.plan.has_value());
  for (const Stage& stage : again.plan->stages) {
    EXPECT_EQ(std::ranges::count(stage.cards, 2u), 0);
  }
  EXPECT_EQ(again.tokens_affected, 8 - simulation.tokens_decoded);
  EXPECT_LT(again.tokens_per_second_after, again.tokens_per_second_before);
  EXPECT_GT(again.tokens_per_second_after, 0);
  EXPECT_TRUE(near(again.tokens_per_second_before, predict(problem, plan).tokens_per_second()));
}

TEST(SimulateFaults, LoadingOverTheHostLinkDelaysTokens) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  const Simulation quiet = must(simulate(problem, plan, tokens(4)));
  const Simulation loading =
      must(simulate(problem, plan, with_faults(4, Seconds(0), HostLoadFault{1, Bytes(600'000'000)})));
  EXPECT_EQ(loading.outcome, SimulationOutcome::kFinished);
  EXPECT_GT(loading.makespan, quiet.makespan);
  // Ids are 4 bytes: sharing the port costs them next to nothing.
  EXPECT_TRUE(near(loading.tokens_per_second, quiet.tokens_per_second, 1e-3));
}

TEST(SimulateFaults, ASlowerLinkSlowsOnlyWhatCrossesIt) {
  const Problem problem = tinyllama(2);
  const Plan plan = plan_by(problem, PlanStrategy::kTensorParallel);
  const Simulation simulation = must(simulate(
      problem, plan, with_faults(3, Seconds(0), LinkBandwidthFault{{0, 1, false}, {10.0, std::nullopt}})));
  for (const KindComparison& kind : simulation.kinds) {
    const bool crosses = kind.kind.find("all_reduce") != std::string::npos || kind.kind == "logits_gather" ||
                         kind.kind == "stage_input";
    EXPECT_EQ(kind.simulated > kind.predicted * 1.01, crosses) << kind.kind;
  }
}

TEST(Simulate, KeepsATimelineWhereAsked) {
  const Problem problem = tinyllama(4);
  const Plan plan = search(problem).value();
  Scenario scenario = tokens(2);
  scenario.keep_timeline = true;
  const Simulation simulation = must(simulate(problem, plan, scenario));
  EXPECT_EQ(simulation.passes.size(), 3u);
  EXPECT_EQ(simulation.passes[0].label, "prefill of request 0");
  EXPECT_EQ(simulation.passes[2].label, "token 1 of batch 0");
  EXPECT_EQ(simulation.timeline.entries.size(), simulation.steps_total);
  EXPECT_EQ(simulation.timeline.makespan(), simulation.makespan);
  std::vector<double> busy(4, 0);
  for (const TimelineEntry& entry : simulation.timeline.entries) {
    const Step& step = simulation.graphs[simulation.passes[entry.instance].graph].step(entry.step);
    EXPECT_LE(entry.start, entry.end);
    if (step.kind == StepKind::kKernel) busy[step.card] += (entry.end - entry.start).count();
  }
  for (std::size_t card = 0; card < 4; ++card) {
    EXPECT_TRUE(near(simulation.card_busy[card] * simulation.makespan.count(), busy[card]));
  }
}

TEST(Simulate, RefusesRequestsThatTheContextDoesNotHold) {
  const Problem problem = tinyllama(2);
  Scenario scenario;
  scenario.requests.push_back({Seconds(0), 2000, 100});
  const auto result = simulate(problem, search(problem).value(), scenario);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(to_line(result.error()),
            "simulate: requests: prompt and generated tokens are more than the context holds, wanted at most "
            "2048, got 2100");
}

Fault random_fault(const Problem& problem) {
  const Network network(problem.cluster);
  Fault fault{Seconds(*rc::gen::inRange(0, 2000) * 1e-3), CardSlowFault{0, 2.0}};
  const CardId card = *rc::gen::inRange(0u, problem.cluster.card_count);
  const int kind = *rc::gen::inRange(0, network.link_count() > 0 ? 6 : 4);
  switch (kind) {
    case 0:
      fault.what = CardLostFault{card};
      break;
    case 1:
      fault.what = CardSlowFault{card, 1.0 + *rc::gen::inRange(0, 100)};
      break;
    case 2:
      fault.what = HostLinkFault{{1.0 + *rc::gen::inRange(0, 100), std::nullopt}};
      break;
    case 3:
      fault.what = HostLoadFault{card, Bytes(*rc::gen::inRange<std::uint64_t>(1, 10'000'000))};
      break;
    default: {
      const auto [from, to] = network.ends(*rc::gen::inRange(0u, static_cast<LinkId>(network.link_count())));
      const FaultyLink link{from, to, *rc::gen::arbitrary<bool>()};
      if (kind == 4) {
        fault.what = LinkStateFault{link, *rc::gen::element(LinkState::kDown, LinkState::kUp)};
      } else {
        fault.what = LinkBandwidthFault{link, {1.0 + *rc::gen::inRange(0, 100), std::nullopt}};
      }
    }
  }
  return fault;
}

RC_GTEST_PROP(SimulateFaults, EveryOutcomeIsNamedWhateverHappens, ()) {
  const Problem problem = random_problem();
  const Plan plan = random_plan(problem);
  RC_PRE(validate(problem, plan).has_value());
  Scenario scenario = tokens(*rc::gen::inRange<std::uint64_t>(1, 4));
  for (int count = *rc::gen::inRange(0, 4); count > 0; --count) {
    scenario.faults.push_back(random_fault(problem));
  }
  const Simulation simulation = must(simulate(problem, plan, scenario));
  const bool finished = simulation.outcome == SimulationOutcome::kFinished;
  RC_ASSERT(finished == (simulation.steps_done == simulation.steps_total));
  RC_ASSERT(finished == (simulation.tokens_decoded == simulation.tokens_wanted));
  RC_ASSERT(finished == simulation.unfinished.empty());
  const bool loses = std::ranges::any_of(
      scenario.faults, [](const Fault& fault) { return std::holds_alternative<CardLostFault>(fault.what); });
  if (simulation.outcome == SimulationOutcome::kFailed) RC_ASSERT(loses);
  if (scenario.faults.empty()) RC_ASSERT(finished);
}

/// Where every pair of cards has its own cable, nothing ever waits for a link.
RC_GTEST_PROP(Simulate, TakesWhatTheClosedFormSaysWhereNothingContends, ()) {
  Problem problem = random_problem();
  problem.cluster.topology = Topology::kFullMesh;
  problem.cluster.torus_columns = 0;
  problem.cluster.link_overrides.clear();
  problem.workload.streams = 1;
  const Plan plan = random_plan(problem);
  RC_PRE(validate(problem, plan).has_value());
  const Prediction prediction = predict(problem, plan);
  const Simulation simulation = must(simulate(problem, plan, tokens(2)));
  RC_ASSERT(simulation.outcome == SimulationOutcome::kFinished);
  RC_ASSERT(near(simulation.tokens_per_second, prediction.tokens_per_second()));
  RC_ASSERT(near(simulation.first_tokens[0].count(), prediction.time_to_first_token().count()));
}

}  // namespace
}  // namespace spanker
