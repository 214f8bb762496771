#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/random_plan_for_test.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"
#include "spanker/run/split_for_test.hpp"

// Any split gives the same answer.

namespace spanker {
namespace {

using namespace testing;

constexpr std::uint64_t kPrompt = 9;

class Split : public ::testing::Test {
 protected:
  ModelFile open(const Model& model, std::uint64_t seed = 5) {
    return must_be(ModelFile::open(folder_.write("model.gguf", random_gguf(model, seed))));
  }

  const Folder folder_;
};

TEST_F(Split, InF32TheTokensAreTheSame) {
  const ModelFile file = open(must_be(make_model("wide", wide_shape(), TensorType::kF32)));
  const Problem problem = plain_problem(file, 8, plain_workload(kPrompt, 64));
  const auto prompt = some_tokens(kPrompt, 300, 1);
  const auto wanted = greedy_tokens(file, problem, single_plan(problem), prompt, 64);
  ASSERT_EQ(wanted.size(), 64u);
  // Where each token is the likeliest, forcing it and choosing it are the same.
  const Forced teacher{prompt, {wanted.begin(), wanted.end() - 1}};
  const auto logits = forced_logits(file, problem, single_plan(problem), teacher);
  for (const Plan& plan : many_plans(problem)) {
    SCOPED_TRACE(shown(plan));
    ASSERT_TRUE(validate(problem, plan).has_value());
    const auto got = forced_logits(file, problem, plan, teacher);
    ASSERT_EQ(got.size(), 64u);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(likeliest(got[i]), wanted[i]) << "token " << i;
      ASSERT_LT(greatest_difference(got[i], logits[i]), 1e-4) << "token " << i;
    }
  }
}

/// By how much the likeliest token leads, in deviations of the logits.
double lead(std::vector<float> logits) {
  const double deviation = moments(logits).deviation;
  std::ranges::nth_element(logits, logits.begin() + 1, std::ranges::greater());
  return (logits[0] - logits[1]) / deviation;
}

TEST_F(Split, QuantisedTheTokensAreTheSameWhereTheyAreClear) {
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kQ8_0}) {
    const ModelShape shape = wider_shape();
    const ModelFile file = open(must_be(make_model("wide", shape, type)));
    const Problem problem = plain_problem(file, 8, plain_workload(kPrompt, 24));
    const auto prompt = some_tokens(kPrompt, 300, 1);
    const auto wanted = greedy_tokens(file, problem, single_plan(problem), prompt, 24);
    const Forced teacher{prompt, {wanted.begin(), wanted.end() - 1}};
    const auto logits = forced_logits(file, problem, single_plan(problem), teacher);
    const double bound = quantised_bound(shape);
    for (const Plan& plan : many_plans(problem)) {
      SCOPED_TRACE(shown(plan));
      const auto got = forced_logits(file, problem, plan, teacher);
      ASSERT_EQ(got.size(), 24u);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_LT(relative_difference(got[i], logits[i]), bound) << "token " << i;
      }
      // The difference of two logits errs by sqrt(2) of one's error; 4 deviations of that are hardly ever
      // seen.
      const double unclear = 4 * std::sqrt(2.0) * bound;
      const auto tokens = greedy_tokens(file, problem, plan, prompt, 24);
      const auto [same, other] = std::ranges::mismatch(wanted, tokens);
      if (same != wanted.end()) {
        EXPECT_LT(lead(logits[static_cast<std::size_t>(same - wanted.begin())]), unclear);
      }
    }
  }
}

TEST_F(Split, TypesOnTheLinks) {
  const ModelFile file = open(must_be(make_model("wide", wide_shape(), TensorType::kF32)));
  Workload workload = plain_workload(kPrompt, 6);
  const Forced teacher{some_tokens(kPrompt, 300, 1), some_tokens(5, 300, 2)};
  const Problem exact = plain_problem(file, 8, workload);
  const auto wanted = forced_logits(file, exact, single_plan(exact), teacher);
  // Each exchange rounds what it carries, a sum of p cards up to p times: by 2^-11 at most as f16, by 1/253
  // of the largest of 32 as q8_0. Two exchanges a layer, one before and one behind, errors as squares; twice
  // for the sums.
  const double exchanges = std::sqrt(2.0 * 4 + 2);
  for (const auto& [type, error] :
       {std::pair(TensorType::kF16, 0x1p-11), std::pair(TensorType::kQ8_0, 2.1 / 253)}) {
    workload.link_type = type;
    const Problem problem = plain_problem(file, 8, workload);
    for (const Plan& plan : many_plans(problem)) {
      SCOPED_TRACE(shown(plan));
      const auto got = forced_logits(file, problem, plan, teacher);
      for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_LT(relative_difference(got[i], wanted[i]), 4 * error * exchanges) << to_string(type);
      }
    }
  }
}

TEST_F(Split, TheHostMayKeepTheEmbedding) {
  for (const TensorType type : {TensorType::kF32, TensorType::kQ4_0}) {
    const ModelFile file = open(must_be(make_model("wide", wide_shape(), type)));
    Workload workload = plain_workload(kPrompt, 4);
    const Forced teacher{some_tokens(kPrompt, 300, 1), some_tokens(3, 300, 2)};
    for (const auto& stages : {std::vector{even(1)}, std::vector{even(3)}, std::vector{even(2), even(1)}}) {
      workload.embedding = EmbeddingPlace::kCards;
      const Problem on_cards = plain_problem(file, 8, workload);
      const auto wanted = forced_logits(file, on_cards, plan_of(on_cards, stages), teacher);
      workload.embedding = EmbeddingPlace::kHost;
      const Problem on_host = plain_problem(file, 8, workload);
      EXPECT_EQ(forced_logits(file, on_host, plan_of(on_host, stages), teacher), wanted);
    }
  }
}

TEST_F(Split, ALongPromptIsTheSameAsTokenAfterToken) {
  const ModelShape shape{Architecture::kQwen3, 2, 32, 64, 2, 1, 32, 50, 2048, 1e-5, 10000, true};
  constexpr std::size_t kTokens = 2 * kActivationTileRows + 37;
  const auto tokens = some_tokens(kTokens, 50, 4);
  for (const TensorType type : {TensorType::kF32, TensorType::kQ8_0}) {
    const ModelFile file = open(must_be(make_model("long", shape, type)));
    const Problem whole = plain_problem(file, 1, plain_workload(kTokens, 1));
    const Problem single = plain_problem(file, 1, plain_workload(1, kTokens));
    const auto at_once = forced_logits(file, whole, single_plan(whole), {tokens, {}}, 2);
    const auto one_by_one = forced_logits(file, single, single_plan(single),
                                          {{tokens.front()}, {tokens.begin() + 1, tokens.end()}});
    EXPECT_EQ(at_once.back(), one_by_one.back());
  }
}

TEST_F(Split, MoreThreadsGiveTheSameBits) {
  for (const TensorType type : {TensorType::kF16, TensorType::kQ4_0}) {
    const ModelFile file = open(must_be(make_model("wide", wide_shape(), type)));
    const Problem problem = plain_problem(file, 2, plain_workload(kPrompt, 8, TensorType::kF16));
    const Forced teacher{some_tokens(kPrompt, 300, 1), some_tokens(7, 300, 2)};
    for (const Plan& plan : {single_plan(problem), plan_of(problem, {even(2)})}) {
      const auto one = forced_logits(file, problem, plan, teacher, 1);
      for (const std::size_t threads : {2u, 3u, 5u, 16u}) {
        EXPECT_EQ(forced_logits(file, problem, plan, teacher, threads), one) << threads << " threads";
      }
    }
  }
}

// Any model of few sizes, any plan that is valid, any algorithms.
RC_GTEST_PROP(AnySplit, GivesTheSameLogits, ()) {
  Model model = random_model();
  const bool in_f32 = *rc::gen::arbitrary<bool>();
  if (in_f32) model = must_be(make_model("random", model.shape, TensorType::kF32));
  const Folder folder;
  const ModelFile file = must_be(
      ModelFile::open(folder.write("m.gguf", random_gguf(model, *rc::gen::inRange<std::uint64_t>(0, 1000)))));
  Workload workload = plain_workload(*rc::gen::inRange<std::uint64_t>(1, 12), 4);
  workload.embedding = *rc::gen::element(EmbeddingPlace::kCards, EmbeddingPlace::kHost);
  const Problem problem = plain_problem(file, *rc::gen::inRange(1u, 8u), workload);
  const Plan plan = random_plan(problem);
  RC_ASSERT(validate(problem, plan).has_value());
  const Forced teacher{some_tokens(workload.prompt, model.shape.vocab_size, 1),
                       some_tokens(3, model.shape.vocab_size, 2)};
  const auto wanted = forced_logits(file, problem, single_plan(problem), teacher);
  const auto got = forced_logits(file, problem, plan, teacher, *rc::gen::inRange<std::size_t>(1, 10));
  RC_ASSERT(got.size() == wanted.size());
  if (!in_f32 && (model.shape.vocab_size < 30)) return;  // too few for a deviation
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (in_f32) {
      RC_ASSERT(greatest_difference(got[i], wanted[i]) < 1e-4);
    } else {
      // Small models: twice, for how far a bound of averages may be missed by a few numbers.
      RC_ASSERT(relative_difference(got[i], wanted[i]) < 2 * quantised_bound(model.shape));
    }
  }
}

}  // namespace
}  // namespace spanker
