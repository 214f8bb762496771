#include "spanker/plan/validate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

using testing::must;
using testing::random_problem;
using testing::small_problem;

/// Five cards, 4 layers, 4 heads, 96 columns in blocks of 32, 100 rows in blocks of 32.
Problem hand_problem() { return small_problem(5, TensorType::kQ4_0); }

/// Layers 0 and 1 on cards 0 and 1, layer 2 on card 2, layer 3 on cards 4 and 3.
Plan hand_plan() {
  Plan plan;
  plan.stages.push_back({0, 1, {0, 1}, {{2, 2}, {64, 32}, {64, 36}}, {}, {}});
  plan.stages.push_back({2, 2, {2}, {{4}, {96}, {0}}, {}, {}});
  plan.stages.push_back({3, 3, {4, 3}, {{0, 4}, {0, 96}, {100, 0}}, {}, {}});
  return plan;
}

std::string refusal(const Problem& problem, const Plan& plan, ErrorKind kind = ErrorKind::kBadInput) {
  const auto sound = validate(problem, plan);
  if (sound) return "accepted";
  EXPECT_EQ(sound.error().kind, kind);
  return to_line(sound.error());
}

TEST(Validate, AcceptsAPlanMadeByHand) { EXPECT_EQ(refusal(hand_problem(), hand_plan()), "accepted"); }

TEST(Validate, AcceptsCardsInAnyOrder) {
  Plan plan = hand_plan();
  std::swap(plan.stages[0].cards[0], plan.stages[2].cards[1]);
  EXPECT_EQ(refusal(hand_problem(), plan), "accepted");
}

struct Mutation {
  const char* name;
  std::function<void(Plan&)> spoil;
  const char* line;
};

class Mutated : public ::testing::TestWithParam<Mutation> {};

TEST_P(Mutated, IsRefusedWithItsPlace) {
  Plan plan = hand_plan();
  GetParam().spoil(plan);
  EXPECT_EQ(refusal(hand_problem(), plan), GetParam().line);
}

constexpr auto kNoSuchAlgorithm = static_cast<Algorithm>(99);

INSTANTIATE_TEST_SUITE_P(
    All, Mutated,
    ::testing::Values(
        Mutation{"NoStages", [](Plan& p) { p.stages.clear(); },
                 "plan.stages: no stages, wanted one or more, got none"},
        Mutation{"NoCards", [](Plan& p) { p.stages[1].cards.clear(); },
                 "plan.stages[1]: no cards, wanted one card or more, got none"},
        Mutation{"CardTwiceInAStage",
                 [](Plan& p) {
                   p.stages[0].cards = {1, 1};
                 },
                 "plan.stages[0]: card is used twice, got 1"},
        Mutation{"CardInTwoStages",
                 [](Plan& p) {
                   p.stages[2].cards = {0, 3};
                 },
                 "plan.stages[2]: card is used twice, got 0"},
        Mutation{"CardOutOfRange", [](Plan& p) { p.stages[1].cards = {5}; },
                 "plan.stages[1]: no such card, wanted 0 to 4, got 5"},
        Mutation{"CardFarOutOfRange", [](Plan& p) { p.stages[1].cards = {4294967295}; },
                 "plan.stages[1]: no such card, wanted 0 to 4, got 4294967295"},
        Mutation{"CardMissing", [](Plan& p) { p.stages[0].cards = {0}; },
                 "plan.stages[0].query_heads: not one share for each card, wanted 1, got 2"},
        Mutation{"CardTooMany",
                 [](Plan& p) {
                   p.stages[1].cards = {2, 3};
                   p.stages[2].cards = {4};
                 },
                 "plan.stages[1].query_heads: not one share for each card, wanted 2, got 1"},
        Mutation{"FirstLayerMissing", [](Plan& p) { p.stages[0].first_layer = 1; },
                 "plan.stages[0]: layers do not follow one another, wanted layers from 0, got 1 to 1"},
        Mutation{"LayerGap", [](Plan& p) { p.stages[0].last_layer = 0; },
                 "plan.stages[1]: layers do not follow one another, wanted layers from 1, got 2 to 2"},
        Mutation{"LayerOverlap", [](Plan& p) { p.stages[0].last_layer = 2; },
                 "plan.stages[1]: layers do not follow one another, wanted layers from 3, got 2 to 2"},
        Mutation{"LayersBackwards", [](Plan& p) { p.stages[1].last_layer = 1; },
                 "plan.stages[1]: layers do not follow one another, wanted layers from 2, got 2 to 1"},
        Mutation{"StagesOutOfOrder", [](Plan& p) { std::swap(p.stages[0], p.stages[1]); },
                 "plan.stages[0]: layers do not follow one another, wanted layers from 0, got 2 to 2"},
        Mutation{"LayerTooMany", [](Plan& p) { p.stages[2].last_layer = 4; },
                 "plan.stages[2]: layers do not follow one another, wanted layers from 3, got 3 to 4"},
        Mutation{
            "LastLayerOverflows", [](Plan& p) { p.stages[2].last_layer = 4294967295; },
            "plan.stages[2]: layers do not follow one another, wanted layers from 3, got 3 to 4294967295"},
        Mutation{"LastStageMissing", [](Plan& p) { p.stages.pop_back(); },
                 "plan.stages: layers are left out, wanted 4 layers, got 3"},
        Mutation{"TooFewHeads",
                 [](Plan& p) {
                   p.stages[0].shares.query_heads = {2, 1};
                 },
                 "plan.stages[0].query_heads: shares do not add up, wanted 4, got 3"},
        Mutation{"TooManyHeads",
                 [](Plan& p) {
                   p.stages[0].shares.query_heads = {2, 3};
                 },
                 "plan.stages[0].query_heads: shares do not add up, wanted 4, got 5"},
        Mutation{"MoreHeadsThanThereAre", [](Plan& p) { p.stages[1].shares.query_heads = {5}; },
                 "plan.stages[1].query_heads: a share is too large, wanted at most 4, got 5"},
        Mutation{"HeadListTooLong",
                 [](Plan& p) {
                   p.stages[0].shares.query_heads = {2, 2, 0};
                 },
                 "plan.stages[0].query_heads: not one share for each card, wanted 2, got 3"},
        Mutation{"ColumnsOffTheUnit",
                 [](Plan& p) {
                   p.stages[0].shares.ffn_columns = {48, 48};
                 },
                 "plan.stages[0].ffn_columns: a share cuts a unit, wanted a multiple of 32, got 48"},
        Mutation{"TooFewColumns",
                 [](Plan& p) {
                   p.stages[0].shares.ffn_columns = {32, 32};
                 },
                 "plan.stages[0].ffn_columns: shares do not add up, wanted 96, got 64"},
        Mutation{"TooManyColumns",
                 [](Plan& p) {
                   p.stages[0].shares.ffn_columns = {64, 64};
                 },
                 "plan.stages[0].ffn_columns: shares do not add up, wanted 96, got 128"},
        Mutation{
            "ColumnsThatOverflow",
            [](Plan& p) {
              p.stages[0].shares.ffn_columns = {UINT64_MAX - 31, 128};
            },
            "plan.stages[0].ffn_columns: a share is too large, wanted at most 96, got 18446744073709551584"},
        Mutation{"ColumnListTooShort", [](Plan& p) { p.stages[0].shares.ffn_columns = {96}; },
                 "plan.stages[0].ffn_columns: not one share for each card, wanted 2, got 1"},
        Mutation{"RowsOffTheUnit",
                 [](Plan& p) {
                   p.stages[0].shares.vocabulary_rows = {50, 50};
                 },
                 "plan.stages[0].vocabulary_rows: a share cuts a unit, wanted a multiple of 32, got 50"},
        Mutation{"LastPieceOfRowsFirst",
                 [](Plan& p) {
                   p.stages[0].shares.vocabulary_rows = {36, 64};
                 },
                 "plan.stages[0].vocabulary_rows: a share cuts a unit, wanted a multiple of 32, got 36"},
        Mutation{"NoRowsInTheFirstStage",
                 [](Plan& p) {
                   p.stages[0].shares.vocabulary_rows = {0, 0};
                 },
                 "plan.stages[0].vocabulary_rows: shares do not add up, wanted 100, got 0"},
        Mutation{"NoRowsInTheLastStage",
                 [](Plan& p) {
                   p.stages[2].shares.vocabulary_rows = {0, 0};
                 },
                 "plan.stages[2].vocabulary_rows: shares do not add up, wanted 100, got 0"},
        Mutation{"RowsInAMiddleStage", [](Plan& p) { p.stages[1].shares.vocabulary_rows = {100}; },
                 "plan.stages[1].vocabulary_rows: a share is too large, wanted at most 0, got 100"},
        Mutation{"RowListEmpty", [](Plan& p) { p.stages[1].shares.vocabulary_rows.clear(); },
                 "plan.stages[1].vocabulary_rows: not one share for each card, wanted 1, got 0"},
        Mutation{"DecodeAllReduce", [](Plan& p) { p.stages[0].decode.all_reduce = kNoSuchAlgorithm; },
                 "plan.stages[0]: all_reduce has no such algorithm"},
        Mutation{"PrefillAllReduce", [](Plan& p) { p.stages[2].prefill.all_reduce = kNoSuchAlgorithm; },
                 "plan.stages[2]: all_reduce has no such algorithm"},
        Mutation{"DecodeBroadcast",
                 [](Plan& p) { p.stages[1].decode.broadcast = Algorithm::kRecursiveDoubling; },
                 "plan.stages[1]: broadcast has no such algorithm, got recursive_doubling"},
        Mutation{"PrefillBroadcast",
                 [](Plan& p) { p.stages[0].prefill.broadcast = Algorithm::kRecursiveDoubling; },
                 "plan.stages[0]: broadcast has no such algorithm, got recursive_doubling"},
        Mutation{"Gather", [](Plan& p) { p.gather = Algorithm::kRing; },
                 "plan.gather: gather has no such algorithm, got ring"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Validate, RefusesHeadsThatCutABlock) {
  ModelShape shape = testing::small_shape();
  shape.head_dim = 16;  // two heads to a block of 32
  const Problem problem = must(Problem::make(must(make_model("narrow", shape, TensorType::kQ4_0)),
                                             testing::round_cluster(2), testing::small_workload()));
  Plan plan;
  plan.stages.push_back({0, 3, {0, 1}, {{2, 2}, {64, 32}, {64, 36}}, {}, {}});
  EXPECT_EQ(refusal(problem, plan), "accepted");
  plan.stages[0].shares.query_heads = {1, 3};
  EXPECT_EQ(refusal(problem, plan),
            "plan.stages[0].query_heads: a share cuts a unit, wanted a multiple of 2, got 1");
}

TEST(Validate, RefusesACardThatIsCutOff) {
  Problem problem = hand_problem();
  // Neither way into or out of card 2: its two cables on the ring.
  for (const auto& [from, to] : {std::pair<CardId, CardId>{1, 2}, {2, 1}, {2, 3}, {3, 2}}) {
    LinkSpec down = problem.cluster.link;
    down.state = LinkState::kDown;
    problem.cluster.link_overrides[{from, to}] = down;
  }
  EXPECT_EQ(refusal(problem, hand_plan()), "plan.stages[1]: card is cut off by links that are not up, got 2");
}

TEST(Validate, SaysWhichCardDoesNotHoldItsPart) {
  Problem problem = hand_problem();
  const auto memory = plan_memory(problem, hand_plan());
  ASSERT_EQ(memory.size(), 5u);
  EXPECT_EQ(memory[3].card, 4u);  // the order of the plan
  CardSpec spec = problem.cluster.card;
  spec.memory_capacity.value = memory[3].total();
  problem.cluster.card_overrides[4] = spec;
  EXPECT_EQ(refusal(problem, hand_plan()), "accepted");

  spec.memory_capacity.value.value -= 1;
  problem.cluster.card_overrides[4] = spec;
  EXPECT_EQ(refusal(problem, hand_plan(), ErrorKind::kInfeasible),
            "plan: card 4: does not hold its part, wanted " + std::to_string(memory[3].total().value) +
                " bytes, got " + std::to_string(memory[3].total().value - 1) + " bytes");
}

TEST(Validate, RefusesSwappedCardsWhereOneIsTooSmall) {
  Problem problem = hand_problem();
  const auto memory = plan_memory(problem, hand_plan());
  CardSpec small = problem.cluster.card;
  // Card 3 holds a whole layer but no rows, card 4 rows only.
  small.memory_capacity.value = memory[3].total();
  problem.cluster.card_overrides[4] = small;
  Plan plan = hand_plan();
  EXPECT_EQ(refusal(problem, plan), "accepted");
  ASSERT_GT(memory[4].total(), memory[3].total());
  std::swap(plan.stages[2].cards[0], plan.stages[2].cards[1]);
  EXPECT_EQ(refusal(problem, plan, ErrorKind::kInfeasible).substr(0, 41),
            "plan: card 4: does not hold its part, wan");
}

RC_GTEST_PROP(Validate, AcceptsEveryPlanThatTheSearchFinds, ()) {
  const Problem problem = random_problem();
  const auto plan = search(problem);
  RC_CLASSIFY(!plan.has_value(), "does not fit");
  if (!plan) return;
  RC_TAG(std::string(to_string(plan->strategy())));
  const auto sound = validate(problem, *plan);
  if (!sound) RC_FAIL(to_line(sound.error()));
}

RC_GTEST_PROP(Validate, AcceptsEveryPlanOfOneStrategy, ()) {
  const Problem problem = random_problem();
  const PlanStrategy strategy = *rc::gen::element(PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                                  PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid);
  const auto plan = search(problem, StrategySet::only(strategy));
  RC_CLASSIFY(!plan.has_value(), "none");
  if (!plan) return;
  RC_ASSERT(plan->strategy() == strategy);
  const auto sound = validate(problem, *plan);
  if (!sound) RC_FAIL(to_line(sound.error()));
}

/// What is wrong afterwards whatever the plan.
using Spoil = std::function<void(const Problem&, Plan&)>;
const std::vector<Spoil>& spoils() {
  static const std::vector<Spoil> all = {
      [](const Problem& problem, Plan& plan) { plan.stages[0].cards[0] = problem.cluster.card_count; },
      [](const Problem&, Plan& plan) { plan.stages.back().cards.push_back(plan.stages[0].cards[0]); },
      [](const Problem&, Plan& plan) { plan.stages.back().cards.pop_back(); },
      [](const Problem&, Plan& plan) { ++plan.stages.back().last_layer; },
      [](const Problem&, Plan& plan) { --plan.stages.back().last_layer; },
      [](const Problem&, Plan& plan) { ++plan.stages.front().first_layer; },
      [](const Problem&, Plan& plan) { plan.stages.push_back(plan.stages.back()); },
      [](const Problem&, Plan& plan) { ++plan.stages.back().shares.query_heads.back(); },
      [](const Problem&, Plan& plan) { ++plan.stages.back().shares.ffn_columns.back(); },
      [](const Problem&, Plan& plan) { ++plan.stages.back().shares.vocabulary_rows.back(); },
      [](const Problem&, Plan& plan) { plan.stages.front().shares.query_heads.push_back(0); },
      [](const Problem&, Plan& plan) { plan.stages.front().shares.ffn_columns.push_back(0); },
      [](const Problem&, Plan& plan) { plan.stages.front().shares.vocabulary_rows.pop_back(); },
      [](const Problem&, Plan& plan) { plan.gather = Algorithm::kRecursiveDoubling; },
      [](const Problem&, Plan& plan) { plan.stages.clear(); },
  };
  return all;
}

RC_GTEST_PROP(Validate, RefusesEveryPlanThatWasSpoiled, ()) {
  const Problem problem = random_problem();
  auto plan = search(problem);
  RC_PRE(plan.has_value());
  spoils()[*rc::gen::inRange<std::size_t>(0, spoils().size())](problem, *plan);
  const auto sound = validate(problem, *plan);
  RC_ASSERT(!sound);
  RC_ASSERT(sound.error().kind == ErrorKind::kBadInput);
}

RC_GTEST_PROP(Validate, RefusesAPlanWhoseFullestCardLacksAByte, ()) {
  Problem problem = random_problem();
  const auto plan = search(problem);
  RC_PRE(plan.has_value());
  const auto memory = plan_memory(problem, *plan);
  const CardMemory& starved = memory[*rc::gen::inRange<std::size_t>(0, memory.size())];
  RC_PRE(starved.total().value > 0);
  CardSpec spec = problem.cluster.card_at(starved.card);
  spec.memory_capacity.value = Bytes(starved.total().value - 1);
  problem.cluster.card_overrides[starved.card] = spec;
  const auto sound = validate(problem, *plan);
  RC_ASSERT(!sound);
  RC_ASSERT(sound.error().kind == ErrorKind::kInfeasible);
  RC_ASSERT(sound.error().where == "plan: card " + std::to_string(starved.card));
}

}  // namespace
}  // namespace spanker
