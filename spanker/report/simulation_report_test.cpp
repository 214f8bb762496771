#include "spanker/report/simulation_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spanker/plan/problem_for_test.hpp"
#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

using testing::expect_keys;
using testing::kHostile;
using testing::parse_document;
using testing::small_problem;

/// What a run over two cards might be: stalled, with differences.
Simulation stalled() {
  Simulation simulation;
  simulation.outcome = SimulationOutcome::kStalled;
  simulation.unfinished = {{"send for ffn_all_reduce of layer 3 from card 0 to card 1", "link 0->1 is down"}};
  simulation.steps_done = 90;
  simulation.steps_total = 120;
  simulation.sends_repeated = 2;
  simulation.collapsed = 5;
  simulation.makespan = Seconds(2);
  simulation.tokens_per_second = 50;
  simulation.tokens_decoded = 3;
  simulation.tokens_wanted = 4;
  simulation.first_tokens = {Seconds(0.5), Seconds(0.7)};
  simulation.token_seconds = {Seconds(0.02), Seconds(0.03), Seconds(0.025)};
  simulation.card_busy = {0.75, 0.5};
  simulation.links = {{"0->1", Bytes(100), Seconds(1), Seconds(0.004)}};
  simulation.compared_batch = 2;
  simulation.kinds = {{"qkv", 4, Seconds(0.01), Seconds(0.01)},
                      {"ffn_all_reduce", 4, Seconds(0.002), Seconds(0.003)}};
  return simulation;
}

class SimulationReportTest : public ::testing::Test {
 protected:
  SimulationReport report() {
    return {
        problem, plan, scenario, predict(problem, plan), stalled(), std::nullopt, {std::string(kHostile)}};
  }
  Problem problem = small_problem(2);
  Plan plan = search(problem).value();
  Scenario scenario;
};

TEST(Percentile, IsTheNearestRank) {
  EXPECT_EQ(percentile({}, 0.5), Seconds(0));
  EXPECT_EQ(percentile({Seconds(3)}, 0.99), Seconds(3));
  const std::vector<Seconds> four = {Seconds(4), Seconds(1), Seconds(3), Seconds(2)};
  EXPECT_EQ(percentile(four, 0.5), Seconds(2));
  EXPECT_EQ(percentile(four, 0.51), Seconds(3));
  EXPECT_EQ(percentile(four, 0.95), Seconds(4));
  EXPECT_EQ(percentile(four, 0), Seconds(1));
}

TEST_F(SimulationReportTest, JsonHasStableKeys) {
  const auto json = parse_document(to_json(report()));
  expect_keys(json, {{"/schema", "string"},
                     {"/model/name", "string"},
                     {"/cluster/cards", "number"},
                     {"/workload/streams", "number"},
                     {"/plan/strategy", "string"},
                     {"/outcome", "string"},
                     {"/tokens_per_second", "number"},
                     {"/closed_form_tokens_per_second", "number"},
                     {"/makespan_seconds", "number"},
                     {"/time_to_first_token_seconds", "number"},
                     {"/token_seconds/p50", "number"},
                     {"/token_seconds/p95", "number"},
                     {"/token_seconds/p99", "number"},
                     {"/steps_done", "number"},
                     {"/steps_total", "number"},
                     {"/cards/1/busy", "number"},
                     {"/links/0/link", "string"},
                     {"/links/0/busy", "number"},
                     {"/kinds/1/simulated_seconds", "number"},
                     {"/unfinished/0/because", "string"},
                     {"/replan", "null"},
                     {"/warnings", "array"}});
  EXPECT_EQ(json["outcome"], "stalled");
  EXPECT_EQ(json["time_to_first_token_seconds"], 0.5);
  EXPECT_EQ(json["token_seconds"]["p50"], 0.025);
  EXPECT_EQ(json["links"][0]["busy"], 0.5);
  EXPECT_EQ(json["collapsed_collectives"], 5);
}

TEST_F(SimulationReportTest, JsonWithoutAnyTokenHasNulls) {
  SimulationReport nothing = report();
  nothing.simulation = Simulation();
  const auto json = parse_document(to_json(nothing));
  EXPECT_TRUE(json["time_to_first_token_seconds"].is_null());
  EXPECT_TRUE(json["token_seconds"].is_null());
  EXPECT_EQ(json["tokens_per_second"], 0);
}

TEST_F(SimulationReportTest, JsonOfAReplan) {
  SimulationReport again = report();
  again.replan = Replan{plan, 40, 20, 9, Seconds(3)};
  auto json = parse_document(to_json(again));
  EXPECT_EQ(json["replan"]["feasible"], true);
  EXPECT_EQ(json["replan"]["tokens_per_second_after"], 20);
  EXPECT_EQ(json["replan"]["tokens_affected"], 9);
  again.replan->plan.reset();
  json = parse_document(to_json(again));
  EXPECT_EQ(json["replan"]["feasible"], false);
  EXPECT_TRUE(json["replan"]["cards_used"].is_null());
}

TEST_F(SimulationReportTest, TextTellsOutcomeDifferencesAndTheLink) {
  const std::string text = to_text(report(), true, Style{});
  for (const char* part :
       {"3 of 4 tokens in 2 s; 90 of 120 steps", "Outcome: stalled",
        "send for ffn_all_reduce of layer 3 from card 0 to card 1: link 0->1 is down",
        "2 sends were interrupted", "5 collectives were taken as one step",
        "ffn_all_reduce: 3 ms instead of 2 ms per pass of 2",
        "most was lost on link 0->1: sends over it took 4 ms longer than alone", "+50.00 %", "50.0 %"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(to_text(report(), false, Style{}).find("predicted and simulated"), std::string::npos);
}

}  // namespace
}  // namespace spanker
