#include "spanker/plan/explain.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"

namespace spanker {
namespace {

using testing::fixed;
using testing::must;
using testing::preset_problem;
using testing::random_problem;
using testing::round_cluster;
using testing::small_problem;
using testing::small_shape;
using testing::small_workload;

Answer found(const Problem& problem, StrategySet allowed = {}) {
  auto result = answer(problem, allowed);
  if (const auto* none = std::get_if<NoPlan>(&result)) throw std::runtime_error(none->reason);
  return std::get<Answer>(std::move(result));
}

NoPlan not_found(const Problem& problem, StrategySet allowed = {}) {
  return std::get<NoPlan>(answer(problem, allowed));
}

const Alternative* find(const Answer& answer, PlanStrategy strategy) {
  const auto at = std::ranges::find(answer.alternatives, strategy, &Alternative::strategy);
  return at == answer.alternatives.end() ? nullptr : &*at;
}

const Sensitivity* find(const Answer& answer, std::string_view change) {
  const auto at = std::ranges::find(answer.sensitivity, change, &Sensitivity::change);
  return at == answer.sensitivity.end() ? nullptr : &*at;
}

void take_down(Cluster& cluster, CardId a, CardId b) {
  LinkSpec down = cluster.link;
  down.state = LinkState::kDown;
  cluster.link_overrides[{a, b}] = down;
  cluster.link_overrides[{b, a}] = down;
}

// ---- Warnings

TEST(Warnings, NoneWhereNothingIsDoubtful) {
  EXPECT_EQ(found(small_problem(1)).warnings, std::vector<std::string>{});
}

TEST(Warnings, StartWithThoseOfTheProfile) {
  Problem problem = small_problem(1);
  problem.cluster.warnings = {"a doubt", "another"};
  EXPECT_EQ(found(problem).warnings, (std::vector<std::string>{"a doubt", "another"}));
}

TEST(Warnings, CardsThatWouldMakeItWorseAreIdle) {
  Problem problem = small_problem(4);
  problem.cluster.link.latency = fixed(Seconds(1));
  const Answer all_alone = found(problem);
  EXPECT_EQ(all_alone.plan.strategy(), PlanStrategy::kSingleCard);
  ASSERT_EQ(all_alone.warnings.size(), 1u);
  EXPECT_TRUE(all_alone.warnings[0].starts_with("3 of 4 cards idle: ")) << all_alone.warnings[0];
  EXPECT_NE(all_alone.warnings[0].find("; tensor parallel over all 4 is "), std::string::npos);
  EXPECT_NE(all_alone.warnings[0].find(" times as slow: hops over the links between cards takes "),
            std::string::npos);

  problem.cluster.card_count = 2;
  const Answer one_idle = found(problem);
  ASSERT_EQ(one_idle.warnings.size(), 1u);
  EXPECT_TRUE(one_idle.warnings[0].starts_with("card 1 idle: ")) << one_idle.warnings[0];
}

TEST(Warnings, IdleCardsAreNeverSaidToBeSlowerByLessThanNothing) {
  // A pipeline was asked for, and it uses two of the four cards; tensor parallel over all of them would be
  // faster.
  const Answer answer = found(preset_problem("tinyllama-1.1b", "sails-rev-a", 4),
                              StrategySet::only(PlanStrategy::kPipelineParallel));
  ASSERT_LT(answer.plan.cards_used(), 4u);
  for (const std::string& warning : answer.warnings) {
    EXPECT_EQ(warning.find("is -"), std::string::npos) << warning;
  }
}

TEST(Warnings, ContextBeyondTheModels) {
  Problem problem = small_problem(1);
  problem.workload.context = 4096;
  EXPECT_TRUE(found(problem).warnings.empty());
  problem.workload.context = 4097;
  EXPECT_EQ(found(problem).warnings,
            std::vector<std::string>{"context 4097 is longer than the 4096 positions small was made for"});
}

TEST(Warnings, CardsThatAreCutOff) {
  Problem problem = small_problem(4);
  problem.cluster.topology = Topology::kLine;
  take_down(problem.cluster, 2, 3);
  const Answer one = found(problem);
  EXPECT_EQ(one.warnings.front(), "card 3 left out: only links that are not up lead there");
  for (const Stage& stage : one.plan.stages) EXPECT_TRUE(std::ranges::count(stage.cards, 3u) == 0);

  problem.cluster.link_overrides.clear();
  take_down(problem.cluster, 0, 1);
  take_down(problem.cluster, 2, 3);
  const Answer two = found(problem);
  EXPECT_EQ(two.warnings.front(), "cards 0, 3 left out: only links that are not up lead there");
  for (const Stage& stage : two.plan.stages) {
    for (const CardId card : stage.cards) EXPECT_TRUE(card == 1 || card == 2) << card;
  }
}

// ---- Alternatives

TEST(Alternatives, AreTheBestOfEveryOtherStrategy) {
  const Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 4);
  const Answer answer = found(problem);
  EXPECT_EQ(answer.plan.strategy(), PlanStrategy::kTensorParallel);
  ASSERT_EQ(answer.alternatives.size(), 3u);
  EXPECT_EQ(find(answer, PlanStrategy::kTensorParallel), nullptr);
  for (const Alternative& other : answer.alternatives) {
    const auto plan = search(problem, StrategySet::only(other.strategy));
    ASSERT_TRUE(plan);
    EXPECT_EQ(other.cards_used, plan->cards_used());
    EXPECT_DOUBLE_EQ(other.tokens_per_second.value(), predict(problem, *plan).tokens_per_second());
    EXPECT_LT(other.tokens_per_second.value(), answer.prediction.tokens_per_second());
  }
  // 314.1955 ms of memory alone against 78.6876 ms.
  EXPECT_EQ(find(answer, PlanStrategy::kSingleCard)->why_not,
            "3.9 times as slow: reading weights and KV cache takes 235.5 ms more per token");
}

TEST(Alternatives, SayWhatDoesNotFit) {
  const Answer answer = found(preset_problem("llama-2-7b", "sails-rev-a", 4));
  const Alternative* alone = find(answer, PlanStrategy::kSingleCard);
  ASSERT_NE(alone, nullptr);
  EXPECT_EQ(alone->cards_used, 0u);
  EXPECT_EQ(alone->tokens_per_second, std::nullopt);
  // 3.791 GB of weights, 1.074 GB of KV cache, and activations.
  EXPECT_EQ(alone->why_not, "does not fit: card 0 needs 4.961 GB and has 4 GiB");
}

TEST(Alternatives, SayWhatWasNotAskedFor) {
  const Answer answer =
      found(preset_problem("tinyllama-1.1b", "sails-rev-a", 4), StrategySet::only(PlanStrategy::kSingleCard));
  EXPECT_EQ(answer.plan.cards_used(), 1u);
  for (const Alternative& other : answer.alternatives) EXPECT_EQ(other.why_not, "not asked for (--strategy)");
}

TEST(Alternatives, AreOnlyThoseThatTheClusterAndTheModelAllow) {
  EXPECT_TRUE(found(small_problem(1)).alternatives.empty());
  const Answer two_cards = found(small_problem(2));
  EXPECT_EQ(find(two_cards, PlanStrategy::kHybrid), nullptr);
  EXPECT_EQ(two_cards.alternatives.size(), 2u);
  ModelShape shape = small_shape();
  shape.num_hidden_layers = 1;
  const Problem shallow = must(Problem::make(must(make_model("shallow", shape, TensorType::kF16)),
                                             round_cluster(4), small_workload()));
  EXPECT_EQ(find(found(shallow), PlanStrategy::kPipelineParallel), nullptr);
  EXPECT_EQ(find(found(shallow), PlanStrategy::kHybrid), nullptr);
}

// ---- Bottleneck and sensitivity

TEST(Bottleneck, IsTheLargestTerm) {
  EXPECT_EQ(found(preset_problem("tinyllama-1.1b", "sails-rev-a", 4)).bottleneck, "memory");
  Problem problem = small_problem(1);
  problem.cluster.host_link.latency = fixed(Seconds(1));
  EXPECT_EQ(found(problem).bottleneck, "host_link");
  problem.cluster.card.token_overhead = fixed(Seconds(3));
  EXPECT_EQ(found(problem).bottleneck, "overhead");
  problem.cluster.card.compute = fixed(OpsPerSecond(1000));
  EXPECT_EQ(found(problem).bottleneck, "compute");
}

TEST(Sensitivity, OfOneCardWithoutCompute) {
  Problem problem = small_problem(1);
  const Answer answer = found(problem);
  std::vector<std::string> changes;
  for (const Sensitivity& item : answer.sensitivity) changes.push_back(item.change);
  EXPECT_EQ(changes,
            (std::vector<std::string>{"memory bandwidth x 2", "memory capacity x 2",
                                      "host link bandwidth x 2", "host link latency / 2", "one card more"}));
  // Everything but memory stays: half the memory time is gone.
  const double total = answer.prediction.decode.total().count();
  const double quicker = total - answer.prediction.decode.memory.count() / 2;
  EXPECT_NEAR(find(answer, "memory bandwidth x 2")->tokens_per_second, 1 / quicker, 1e-6);
  EXPECT_NEAR(find(answer, "memory bandwidth x 2")->gain, total / quicker - 1, 1e-9);
  EXPECT_NEAR(find(answer, "host link latency / 2")->gain, total / (total - 1e-5) - 1, 1e-9);
  EXPECT_EQ(find(answer, "memory capacity x 2")->gain, 0);
}

TEST(Sensitivity, ToCardsIsASearchOfItsOwn) {
  const Answer answer = found(preset_problem("tinyllama-1.1b", "sails-rev-a", 4));
  const auto rate = [](std::uint32_t cards) {
    return found(preset_problem("tinyllama-1.1b", "sails-rev-a", cards)).prediction.tokens_per_second();
  };
  EXPECT_DOUBLE_EQ(find(answer, "one card more")->tokens_per_second, rate(5));
  EXPECT_DOUBLE_EQ(find(answer, "one card fewer")->tokens_per_second, rate(3));
  EXPECT_LT(find(answer, "one card fewer")->gain, 0);
}

TEST(Sensitivity, LeavesOutAClusterThatWouldNotHoldTheModel) {
  const Answer answer = found(preset_problem("llama-2-7b", "sails-rev-a", 2));
  EXPECT_EQ(find(answer, "one card fewer"), nullptr);
  EXPECT_NE(find(answer, "one card more"), nullptr);
}

TEST(Sensitivity, ChangesATorusByRows) {
  Problem problem = small_problem(6);
  problem.cluster.topology = Topology::kTorus;
  problem.cluster.torus_columns = 3;
  const Answer answer = found(problem);
  EXPECT_NE(find(answer, "a row of 3 cards more"), nullptr);
  EXPECT_NE(find(answer, "a row of 3 cards fewer"), nullptr);
}

RC_GTEST_PROP(Sensitivity, MoreOfAnyResourceIsNeverWorse, ()) {
  const Problem problem = random_problem();
  RC_PRE(search(problem).has_value());
  const auto result = answer(problem);
  const auto* found = std::get_if<Answer>(&result);
  RC_ASSERT(found != nullptr);
  RC_ASSERT(!found->sensitivity.empty());
  for (const Sensitivity& item : found->sensitivity) {
    if (item.change.ends_with(" x 2") || item.change.ends_with(" / 2")) RC_ASSERT(item.gain >= -1e-9);
    RC_ASSERT(std::abs(item.gain - (item.tokens_per_second / found->prediction.tokens_per_second() - 1)) <
              1e-9);
  }
  for (const Alternative& other : found->alternatives) {
    if (other.tokens_per_second) {
      RC_ASSERT(*other.tokens_per_second <= found->prediction.tokens_per_second() * (1 + 1e-9));
    }
    RC_ASSERT(!other.why_not.empty());
  }
  RC_ASSERT(found->memory.size() == found->plan.cards_used());
  for (const CardMemory& card : found->memory) RC_ASSERT(card.fits());
}

// ---- No plan

TEST(NoPlan, SaysWhichCardLacksWhatAndHowManyCardsWouldDo) {
  // 64 MB a card for 619 MB of weights, of which the 45 norms are on every card.
  Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 4);
  problem.cluster.card.memory_capacity = fixed(Bytes(64'000'000));
  const NoPlan none = not_found(problem);
  EXPECT_GT(none.tightest.total(), none.tightest.capacity_bytes);
  EXPECT_EQ(none.tightest.capacity_bytes, Bytes(64'000'000));
  // A quarter of the matrices at least.
  EXPECT_GT(none.tightest.weight_bytes.value, 619094016u / 4 - 45 * 8192);
  EXPECT_TRUE(none.reason.starts_with(
      "tinyllama-1.1b with context 2048 and 1 stream does not fit on 4 cards: card 0 needs "))
      << none.reason;
  EXPECT_TRUE(none.reason.ends_with(" and has 62500 KiB")) << none.reason;
  ASSERT_TRUE(none.smallest_cards);
  for (std::uint32_t cards = 5; cards <= *none.smallest_cards; ++cards) {
    problem.cluster.card_count = cards;
    EXPECT_EQ(search(problem).has_value(), cards == *none.smallest_cards) << cards;
  }
}

TEST(NoPlan, HasNoSmallestClusterWhereOneCardWasAskedFor) {
  Problem problem = preset_problem("llama-2-7b", "sails-rev-a", 4);
  problem.workload.streams = 2;
  const NoPlan none = not_found(problem, StrategySet::only(PlanStrategy::kSingleCard));
  EXPECT_EQ(none.smallest_cards, std::nullopt);
  EXPECT_TRUE(none.reason.starts_with(
      "llama-2-7b with context 2048 and 2 streams does not fit on 1 card: card 0 needs "))
      << none.reason;
  // All weights, and 524 288 bytes of KV cache for each position of each stream.
  EXPECT_EQ(none.tightest.weight_bytes, weight_bytes(problem.model));
  EXPECT_EQ(none.tightest.kv_bytes, Bytes(524288ull * 2048 * 2));
}

TEST(NoPlan, HasNoSmallestClusterWhereNoNumberOfCardsWouldDo) {
  Problem problem = small_problem(2);
  problem.cluster.card.memory_capacity = fixed(Bytes(1000));  // less than the residual vectors
  EXPECT_EQ(not_found(problem).smallest_cards, std::nullopt);
}

TEST(NoPlan, GrowsATorusByRows) {
  Problem problem = preset_problem("tinyllama-1.1b", "sails-rev-a", 3);
  problem.cluster.topology = Topology::kTorus;
  problem.cluster.torus_columns = 3;
  problem.cluster.card.memory_capacity = fixed(Bytes(100'000'000));
  const NoPlan none = not_found(problem);
  ASSERT_TRUE(none.smallest_cards);
  EXPECT_EQ(*none.smallest_cards % 3, 0u);
  for (std::uint32_t cards = 6; cards <= *none.smallest_cards; cards += 3) {
    problem.cluster.card_count = cards;
    EXPECT_EQ(search(problem).has_value(), cards == *none.smallest_cards) << cards;
  }
}

TEST(NoPlan, KeepsTheWarnings) {
  Problem problem = small_problem(4);
  problem.cluster.topology = Topology::kLine;
  take_down(problem.cluster, 2, 3);
  std::uint64_t capacity = 1'000'000;
  while (search(problem)) problem.cluster.card.memory_capacity = fixed(Bytes(capacity = capacity * 9 / 10));
  const NoPlan none = not_found(problem);
  EXPECT_EQ(none.warnings,
            std::vector<std::string>{"card 3 left out: only links that are not up lead there"});
  EXPECT_NE(none.reason.find("does not fit on 3 cards"), std::string::npos) << none.reason;
}

TEST(NoPlan, Llama70bNeedsTenSails) {
  const NoPlan none = not_found(preset_problem("llama-2-70b", "sails-rev-a", 8));
  EXPECT_GT(none.tightest.total(), none.tightest.capacity_bytes);
  EXPECT_EQ(none.tightest.capacity_bytes, Bytes(std::uint64_t{4} << 30));
  EXPECT_EQ(none.smallest_cards, 10u);
  EXPECT_NE(none.reason.find("does not fit on 8 cards"), std::string::npos) << none.reason;
}

TEST(NoPlan, Llama70bPlansOnTwelveSails) {
  const Problem problem = preset_problem("llama-2-70b", "sails-rev-a", 12);
  const auto plan = search(problem);
  ASSERT_TRUE(plan);
  for (const CardMemory& card : plan_memory(problem, *plan)) EXPECT_TRUE(card.fits());
}

}  // namespace
}  // namespace spanker
