#include "spanker/steps/step_graph.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace spanker {
namespace {

TEST(StepGraph, KeepsWhatEachStepWaitsFor) {
  StepGraph graph;
  const StepId first = graph.add({}, {});
  const StepId second = graph.add({}, {});
  const StepId both[] = {first, second};
  const StepId third = graph.add({}, both);
  EXPECT_TRUE(graph.waits_for(first).empty());
  EXPECT_TRUE(graph.waits_for(second).empty());
  EXPECT_EQ(std::vector<StepId>(graph.waits_for(third).begin(), graph.waits_for(third).end()),
            (std::vector<StepId>{first, second}));
}

TEST(StepGraph, GroupsOfTheSameCardsAreOne) {
  StepGraph graph;
  const std::vector<CardId> a = {3, 1};
  const std::vector<CardId> b = {1, 3};
  EXPECT_EQ(graph.add_group(a), 0u);
  EXPECT_EQ(graph.add_group(b), 1u);
  EXPECT_EQ(graph.add_group(a), 0u);
  EXPECT_EQ(graph.group(1)[0], 1u);
}

TEST(StepGraph, RoundsOfAnExchange) {
  StepGraph graph;
  graph.add({}, {});
  graph.begin_exchange({});
  const StepId start = graph.add({}, {});
  const StepId send = graph.add({}, {});
  graph.add({}, {});
  graph.end_round();
  const StepId answer = graph.add({}, {});
  graph.add({}, {});
  graph.end_round();
  graph.end_exchange();
  const Exchange& exchange = graph.exchanges()[0];
  EXPECT_EQ(exchange.first_step, start);
  EXPECT_EQ(exchange.end_step, 6u);
  EXPECT_EQ(exchange.rounds, 2u);
  EXPECT_EQ(graph.round(exchange, 0).begin, send);
  EXPECT_EQ(graph.round(exchange, 0).end, answer);
  EXPECT_EQ(graph.round(exchange, 1).begin, answer);
  EXPECT_EQ(graph.round(exchange, 1).end, 6u);
}

TEST(StepGraph, NamesKindsAndUses) {
  EXPECT_EQ(to_string(StepKind::kPassOverhead), "pass_overhead");
  EXPECT_EQ(to_string(StepKind::kUpload), "upload");
  EXPECT_EQ(to_string(ExchangeUse::kAttentionOutput), "attention_all_reduce");
  EXPECT_EQ(to_string(ExchangeUse::kBoundary), "boundary");
}

}  // namespace
}  // namespace spanker
