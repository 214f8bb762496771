#include "spanker/plan/problem.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"

namespace spanker {
namespace {

using testing::must;
using testing::round_cluster;
using testing::small_problem;
using testing::small_shape;
using testing::small_workload;

Model small_model() { return must(make_model("small", small_shape(), TensorType::kF16)); }

struct WrongWorkload {
  const char* name;
  std::function<void(Workload&)> spoil;
  const char* line;
};

class WorkloadError : public ::testing::TestWithParam<WrongWorkload> {};

TEST_P(WorkloadError, NamesTheFlagAndWhatWouldDo) {
  Workload workload = small_workload();
  GetParam().spoil(workload);
  const auto problem = Problem::make(small_model(), round_cluster(2), workload);
  ASSERT_FALSE(problem);
  EXPECT_EQ(problem.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(problem.error()), GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    All, WorkloadError,
    ::testing::Values(
        WrongWorkload{"NoContext", [](Workload& w) { w.context = 0; },
                      "--context: out of range, wanted 1 to 16777216, got 0"},
        WrongWorkload{"HugeContext", [](Workload& w) { w.context = 16777217; },
                      "--context: out of range, wanted 1 to 16777216, got 16777217"},
        WrongWorkload{"NoPrompt", [](Workload& w) { w.prompt = 0; },
                      "--prompt: out of range, wanted 1 to 16777216, got 0"},
        WrongWorkload{"HugePrompt", [](Workload& w) { w.prompt = UINT64_MAX; },
                      "--prompt: out of range, wanted 1 to 16777216, got 18446744073709551615"},
        WrongWorkload{"NothingGenerated", [](Workload& w) { w.generate = 0; },
                      "--generate: out of range, wanted 1 to 16777216, got 0"},
        WrongWorkload{"HugeGenerate", [](Workload& w) { w.generate = UINT64_MAX; },
                      "--generate: out of range, wanted 1 to 16777216, got 18446744073709551615"},
        WrongWorkload{"NoStreams", [](Workload& w) { w.streams = 0; },
                      "--streams: out of range, wanted 1 to 65536, got 0"},
        WrongWorkload{"ManyStreams", [](Workload& w) { w.streams = 65537; },
                      "--streams: out of range, wanted 1 to 65536, got 65537"},
        WrongWorkload{"KvType", [](Workload& w) { w.kv_type = TensorType::kQ4_0; },
                      "--kv-dtype: type not supported here, wanted f32, f16 or q8_0, got q4_0"},
        WrongWorkload{"LinkType", [](Workload& w) { w.link_type = TensorType::kBF16; },
                      "--link-dtype: type not supported here, wanted f32, f16 or q8_0, got bf16"},
        WrongWorkload{
            "ContextTooShort", [](Workload& w) { w.context = w.prompt + w.generate - 1; },
            "--context: too short for the prompt and what is generated, wanted 24 or more, got 23"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Problem, RefusesAKvBlockThatDoesNotDivideAHead) {
  ModelShape shape = small_shape();
  shape.head_dim = 48;
  Workload workload = small_workload();
  workload.kv_type = TensorType::kQ8_0;
  const auto problem =
      Problem::make(must(make_model("small", shape, TensorType::kF16)), round_cluster(2), workload);
  ASSERT_FALSE(problem);
  EXPECT_EQ(problem.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(problem.error()),
            "--kv-dtype: q8_0 does not divide a head, wanted a head size that is a multiple of 32, got 48");
}

TEST(Problem, TakesTheLastNumbersThatAreInRange) {
  Workload workload = small_workload();
  workload.context = workload.prompt + workload.generate;
  workload.streams = 65536;
  EXPECT_TRUE(Problem::make(small_model(), round_cluster(2), workload));
  workload.context = 16777216;
  EXPECT_TRUE(Problem::make(small_model(), round_cluster(2), workload));
}

TEST(LayerKinds, OneKindWhereAllLayersAreStoredAlike) {
  const Problem problem = small_problem(1);
  EXPECT_EQ(problem.layers.kinds.size(), 1u);
  EXPECT_EQ(problem.layers.kind_of_layer, std::vector<std::uint32_t>(4, 0));
  EXPECT_EQ(problem.layers.count(0, 3), std::vector<std::uint32_t>{4});
  EXPECT_EQ(problem.layers.count(2, 2), std::vector<std::uint32_t>{1});
}

TEST(LayerKinds, CountsMixedLayersInEveryRange) {
  ModelShape shape = small_shape();
  shape.num_hidden_layers = 7;
  Model model = must(make_model("mixed", shape, TensorType::kF16));
  // Kinds by first appearance: a b a c b a a.
  const std::vector<std::uint32_t> kinds = {0, 1, 0, 2, 1, 0, 0};
  for (std::size_t layer = 0; layer < kinds.size(); ++layer) {
    if (kinds[layer] == 1) model.layers[layer].down.type = TensorType::kQ8_0;
    if (kinds[layer] == 2) model.layers[layer].value.type = TensorType::kF32;
  }
  const Problem problem = must(Problem::make(model, round_cluster(1), small_workload()));
  ASSERT_EQ(problem.layers.kinds.size(), 3u);
  EXPECT_EQ(problem.layers.kind_of_layer, kinds);
  for (std::size_t layer = 0; layer < kinds.size(); ++layer) {
    EXPECT_EQ(problem.layers.kinds[kinds[layer]], model.layers[layer]);
  }
  for (std::uint32_t first = 0; first < 7; ++first) {
    for (std::uint32_t last = first; last < 7; ++last) {
      std::vector<std::uint32_t> naive(3, 0);
      for (std::uint32_t layer = first; layer <= last; ++layer) ++naive[kinds[layer]];
      EXPECT_EQ(problem.layers.count(first, last), naive) << first << " to " << last;
    }
  }
}

TEST(Problem, KnowsTheUnitsThatSharesMayBeCutAt) {
  const Problem plain = small_problem(1);
  EXPECT_EQ(plain.head_unit, 1u);
  EXPECT_EQ(plain.column_unit, 1u);
  EXPECT_EQ(plain.row_unit, 1u);
  const Problem blocks = small_problem(1, TensorType::kQ4_0);
  EXPECT_EQ(blocks.head_unit, 1u);  // a head of 32 is a whole block
  EXPECT_EQ(blocks.column_unit, 32u);
  EXPECT_EQ(blocks.row_unit, 32u);
  ModelShape shape = small_shape();
  shape.head_dim = 16;
  const Problem narrow = must(Problem::make(must(make_model("narrow", shape, TensorType::kQ4_0)),
                                            round_cluster(1), small_workload()));
  EXPECT_EQ(narrow.head_unit, 2u);  // two heads of 16 to a block
}

TEST(Problem, DecodesAtTheContextAndPrefillsThePrompt) {
  const Problem problem = small_problem(1);
  const Pass decode = problem.decode(3);
  EXPECT_EQ(decode.tokens, 1u);
  EXPECT_EQ(decode.context, 32u);
  EXPECT_EQ(decode.streams, 3u);
  const Pass prefill = problem.prefill();
  EXPECT_EQ(prefill.tokens, 16u);
  EXPECT_EQ(prefill.context, 16u);
  EXPECT_EQ(prefill.streams, 1u);
}

}  // namespace
}  // namespace spanker
