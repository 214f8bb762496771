#include "spanker/steps/lower.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/random_plan_for_test.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

using testing::preset_problem;
using testing::random_plan;
using testing::random_problem;

std::size_t count(const StepGraph& graph, StepKind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(graph.steps(), [kind](const Step& step) { return step.kind == kind; }));
}

TEST(Lower, TinyLlamaOverFourSails) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 4);
  const StepGraph graph = lower_decode(problem, search(problem).value());
  // 22 layers of 7 operators, an embedding, a norm and the logits: docs/cost-model.md.
  EXPECT_EQ(count(graph, StepKind::kKernel), 4 * 157u);
  EXPECT_EQ(graph.exchanges().size(), 46u);  // 44 all_reduces, a broadcast, a gather
  // Both ways round: 6 rounds of 8 sends an all_reduce. The broadcast passes 4 pieces over 3 hops, each in
  // two halves. The gather is direct.
  EXPECT_EQ(count(graph, StepKind::kSend), 44 * 48u + 24 + 3);
  EXPECT_EQ(count(graph, StepKind::kUpload), 1u);
  EXPECT_EQ(count(graph, StepKind::kDownload), 1u);
  EXPECT_EQ(count(graph, StepKind::kPassOverhead), 1u);
  std::uint64_t read_by_card_0 = 0;
  for (const Step& step : graph.steps()) {
    if (step.kind == StepKind::kKernel && step.card == 0) read_by_card_0 += step.bytes.value;
  }
  EXPECT_EQ(read_by_card_0, 157375104u);  // docs/cost-model.md
}

TEST(Lower, OneCardHasNoExchanges) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 1);
  const StepGraph graph = lower_decode(problem, search(problem).value());
  EXPECT_TRUE(graph.exchanges().empty());
  EXPECT_EQ(graph.size(), 157u + 3);
}

/// The steps that must have ended before each, by following the edges.
std::vector<std::set<StepId>> ancestors_of(const StepGraph& graph) {
  std::vector<std::set<StepId>> ancestors(graph.size());
  for (StepId id = 0; id < graph.size(); ++id) {
    for (const StepId other : graph.waits_for(id)) {
      ancestors[id].insert(other);
      ancestors[id].insert(ancestors[other].begin(), ancestors[other].end());
    }
  }
  return ancestors;
}

Problem random_small_problem() {
  Problem problem = random_problem();
  const ModelShape& shape = problem.model.shape;
  RC_PRE(shape.num_hidden_layers <= 3);
  return problem;
}

RC_GTEST_PROP(Lower, WaitsForAllThatItsDataComesFrom, ()) {
  const Problem problem = random_small_problem();
  const Plan plan = random_plan(problem);
  const StepGraph graph = lower_decode(problem, plan);
  const auto ancestors = ancestors_of(graph);
  for (const Exchange& exchange : graph.exchanges()) {
    const auto cards = graph.group(exchange.group);
    // The exchange as its schedule says.
    const Schedule schedule =
        make_schedule(exchange.collective, exchange.algorithm, static_cast<std::uint32_t>(cards.size()),
                      exchange.payload.units());
    RC_ASSERT(exchange.rounds == schedule.round_count());
    std::vector<StepId> earlier;  // sends of the rounds before
    for (std::uint32_t round = 0; round < exchange.rounds; ++round) {
      std::vector<StepId> sends;
      const auto [begin, end] = graph.round(exchange, round);
      for (StepId id = begin; id < end; ++id) {
        if (graph.step(id).kind == StepKind::kSend) sends.push_back(id);
      }
      const auto transfers = schedule.round(round);
      RC_ASSERT(sends.size() == transfers.size());
      for (std::size_t i = 0; i < sends.size(); ++i) {
        const Step& send = graph.step(sends[i]);
        RC_ASSERT(send.card == cards[transfers[i].from]);
        RC_ASSERT(send.to == cards[transfers[i].to]);
        RC_ASSERT(send.bytes == exchange.payload.unit_bytes() * transfers[i].units);
        RC_ASSERT(ancestors[sends[i]].contains(exchange.first_step));
        for (const StepId other : earlier) RC_ASSERT(ancestors[sends[i]].contains(other));
        for (const StepId other : sends) RC_ASSERT(!ancestors[sends[i]].contains(other));
      }
      earlier.insert(earlier.end(), sends.begin(), sends.end());
    }
    for (StepId id = exchange.first_step; id + 1 < exchange.end_step; ++id) {
      RC_ASSERT(ancestors[exchange.end_step - 1].contains(id));
    }
  }
  // Each card does one thing after the other, and the last step comes after all others.
  std::map<CardId, StepId> last;
  for (StepId id = 0; id < graph.size(); ++id) {
    const Step& step = graph.step(id);
    if (step.kind != StepKind::kKernel) continue;
    if (last.contains(step.card)) RC_ASSERT(ancestors[id].contains(last[step.card]));
    last[step.card] = id;
  }
  RC_ASSERT(ancestors.back().size() + 1 == graph.size());
}

TEST(Lower, CollapsesOnlyWideExchangesAndOnlyWhereThereAreTooManySends) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 100);
  Plan wide = search(preset_problem("tinyllama-1.1b", "sails-rev-a", 2),
                     StrategySet::only(PlanStrategy::kTensorParallel))
                  .value();
  Stage& stage = wide.stages.front();
  for (CardId card = 2; card < 100; ++card) {
    stage.cards.push_back(card);
    stage.shares.query_heads.push_back(0);
    stage.shares.ffn_columns.push_back(0);
    stage.shares.vocabulary_rows.push_back(0);
  }
  stage.decode.all_reduce = Algorithm::kRing;
  const StepGraph all = lower_pass(problem, wide, problem.decode(), &Stage::decode);
  EXPECT_EQ(count(all, StepKind::kCollective), 0u);
  const StepGraph few = lower_pass(problem, wide, problem.decode(), &Stage::decode, 1000);
  EXPECT_EQ(count(few, StepKind::kCollective), 46u);
  EXPECT_EQ(count(few, StepKind::kSend), 0u);
  EXPECT_EQ(count(few, StepKind::kKernel), count(all, StepKind::kKernel));

  const Problem narrow = preset_problem("tinyllama-1.1b", "sails-rev-a", 4);
  const StepGraph never = lower_pass(narrow, search(narrow).value(), narrow.decode(), &Stage::decode, 1);
  EXPECT_EQ(count(never, StepKind::kCollective), 0u);
}

}  // namespace
}  // namespace spanker
