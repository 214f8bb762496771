#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "spanker/base/sanitized_for_test.hpp"
#include "spanker/model/synth.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

// Chosen once by the scalar kernels. What changes these has changed what every model says.

/// By TinyLlama as `spanker synth` writes it.
const std::vector<std::uint32_t> kChosen = {28804, 8272,  8569,  20092, 15586, 8272,  17477, 31621,
                                            17477, 20835, 13086, 31621, 14307, 21492, 6642,  31621,
                                            15719, 10249, 15719, 10249, 6215,  17706, 3277,  15719};
/// By the same with 2 of its 22 layers.
const std::vector<std::uint32_t> kChosenByFewLayers = {
    11294, 8181,  9804,  28296, 15661, 31920, 10817, 9804,  18928, 23105, 27571, 9440,
    31861, 12203, 19526, 22310, 19861, 31705, 3767,  25162, 7239,  19980, 558,   27743};

class FixedTokens : public FolderTest {
 protected:
  ModelFile tinyllama(std::uint32_t layers) const {
    ModelShape shape = find_preset("tinyllama-1.1b")->shape;
    shape.num_hidden_layers = layers;
    const Model model = must_be(make_model("tinyllama-1.1b", shape, TensorType::kQ4_0));
    must_be(write_synthetic_gguf(model, 1, path("m.gguf"), [](Bytes, Bytes) { return true; }));
    return must_be(ModelFile::open(path("m.gguf")));
  }
  static Problem problem(const ModelFile& file) {
    return plain_problem(file, 2, plain_workload(kPrompt.size(), 24, TensorType::kF16));
  }

  static inline const std::vector<std::uint32_t> kPrompt = {1, 15043, 29892, 3186};
};

TEST_F(FixedTokens, OfSyntheticTinyLlama) {
  if (kIsSanitized) GTEST_SKIP() << "takes long under sanitizers, which see the one of few layers";
  const ModelFile file = tinyllama(22);
  EXPECT_EQ(greedy_tokens(file, problem(file), single_plan(problem(file)), kPrompt, 24, 2), kChosen);
}

TEST_F(FixedTokens, OfFewOfItsLayersOnOneCardAndOnTwo) {
  const ModelFile file = tinyllama(2);
  const Problem question = problem(file);
  EXPECT_EQ(greedy_tokens(file, question, single_plan(question), kPrompt, 24), kChosenByFewLayers);
  EXPECT_EQ(greedy_tokens(file, question, plan_of(question, {even(2)}), kPrompt, 24), kChosenByFewLayers);
}

}  // namespace
}  // namespace spanker
