// Mixtures of experts through memory, prediction and search, against sums by hand.
#include <gtest/gtest.h>

#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using testing::must;
using testing::round_cluster;
using testing::small_shape;
using testing::small_workload;

/// The small model with three experts of 96 columns, of which a token uses two.
Problem problem_with_experts(std::uint32_t cards, std::uint64_t streams = 1) {
  ModelShape shape = small_shape();
  shape.num_experts = 3;
  shape.num_experts_per_tok = 2;
  Workload workload = small_workload();
  workload.streams = streams;
  return must(
      Problem::make(must(make_model("experts", shape, TensorType::kF16)), round_cluster(cards), workload));
}

// In f16: attention is 128 + 64 + 64 rows of 64, 64 of 128 and a norm of 64 in f32; an expert three times 64
// * 96.
constexpr std::uint64_t kAttention = 2 * (256 * 64 + 64 * 128) + 256;
constexpr std::uint64_t kRouterAndNorm = 3 * 64 * 4 + 256;
constexpr std::uint64_t kGateUp = 2 * 2 * 64 * 96;
constexpr std::uint64_t kDown = 2 * 64 * 96;
constexpr std::uint64_t kTable = 2 * 100 * 64;
constexpr std::uint64_t kPosition = 2 * 2 * 32 * 2;  // keys and values of one layer

TEST(ExpertsPlan, ACardHoldsEveryExpert) {
  const Problem problem = problem_with_experts(1);
  const auto memory = plan_memory(problem, *search(problem));
  ASSERT_EQ(memory.size(), 1u);
  EXPECT_EQ(memory[0].weight_bytes,
            Bytes(4 * (kAttention + kRouterAndNorm + 3 * (kGateUp + kDown)) + 2 * kTable + 256));
  EXPECT_EQ(memory[0].kv_bytes, Bytes(4 * 32 * kPosition));
  // 16 rows: two vectors of 64, 4 + 2 heads of 32 twice, gate and up of two experts; logits twice.
  EXPECT_EQ(memory[0].activation_bytes,
            Bytes(4 * (2 * 16 * 64 + 16 * (2 * 32 * 6 + 2 * 2 * 96) + 100 + 100)));
}

TEST(ExpertsPlan, ATokenReadsTheExpertsItUses) {
  const Problem problem = problem_with_experts(1);
  const Prediction prediction = predict(problem, *search(problem));
  const std::uint64_t bytes =
      4 * (kAttention + kRouterAndNorm + 2 * (kGateUp + kDown) + 33 * kPosition) + kTable + 256 + 128;
  EXPECT_DOUBLE_EQ(prediction.decode.memory.count(), static_cast<double>(bytes) / 1e9);
}

TEST(ExpertsPlan, StreamsTogetherReadMore) {
  const Problem problem = problem_with_experts(1, 3);
  const Prediction prediction = predict(problem, *search(problem));
  // 3 * (1 - (1/3)^3) = 26/9 experts: 70997.33 and 35498.67 bytes.
  const std::uint64_t bytes =
      4 * (kAttention + kRouterAndNorm + 70'997 + 35'499 + 3 * 33 * kPosition) + kTable + 256 + 3 * 128;
  const double seconds = static_cast<double>(bytes) / 1e9 + 2e-5 + 24 / 1e7;
  EXPECT_NEAR(prediction.throughput.tokens_per_second, 3 / seconds, 1e-6);
}

TEST(ExpertsPlan, CardsShareTheColumnsOfEveryExpertAndEachHasTheRouter) {
  const Problem problem = problem_with_experts(2);
  const auto plan = search(problem, StrategySet::only(PlanStrategy::kTensorParallel));
  ASSERT_TRUE(plan);
  ASSERT_TRUE(validate(problem, *plan)) << to_line(validate(problem, *plan).error());
  EXPECT_EQ(plan->stages[0].shares.ffn_columns, (std::vector<std::uint64_t>{48, 48}));
  const auto memory = plan_memory(problem, *plan);
  const std::uint64_t half_of_experts = 3 * (kGateUp + kDown) / 2;
  const std::uint64_t half_of_attention = (kAttention - 256) / 2 + 256;
  for (const CardMemory& card : memory) {
    EXPECT_EQ(card.weight_bytes,
              Bytes(4 * (half_of_attention + kRouterAndNorm + half_of_experts) + kTable + 256));
  }
}

TEST(ExpertsPlan, AFewOfManyExpertsDecodeFasterThanADenseModelOfThatSize) {
  const Problem mixture = testing::preset_problem("mixtral-8x7b", "sails-rev-a", 16);
  const Problem dense = testing::preset_problem("llama-2-70b", "sails-rev-a", 16);
  EXPECT_LT(predict(mixture, *search(mixture)).decode.total() * 3,
            predict(dense, *search(dense)).decode.total());
}

TEST(ExpertsPlan, OperationsOfManyExpertsMustBeCountable) {
  ModelShape shape = small_shape();
  shape.hidden_size = 1u << 14;
  shape.intermediate_size = 1u << 10;
  shape.num_experts = 1u << 12;
  Workload workload = small_workload();
  workload.prompt = 1u << 23;
  workload.context = 1u << 24;
  shape.num_experts_per_tok = 1;
  EXPECT_TRUE(
      Problem::make(must(make_model("experts", shape, TensorType::kF16)), round_cluster(1), workload));
  shape.num_experts_per_tok = 1u << 12;
  const auto problem =
      Problem::make(must(make_model("experts", shape, TensorType::kF16)), round_cluster(1), workload);
  ASSERT_FALSE(problem);
  EXPECT_EQ(to_line(problem.error()),
            "--prompt: operations too many to count, wanted a shorter prompt, got 8388608");
}

}  // namespace
}  // namespace spanker
