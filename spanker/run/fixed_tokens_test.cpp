#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "spanker/model/synth.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

/// TinyLlama with 2 of its 22 layers, so that the file is small enough for every build.
Model short_tinyllama() {
  ModelShape shape = find_preset("tinyllama-1.1b")->shape;
  shape.num_hidden_layers = 2;
  return must_be(make_model("short tinyllama", shape, TensorType::kQ4_0));
}

// Chosen once by the scalar kernels. What changes these has changed what every model says.
const std::vector<std::uint32_t> kChosen = {11294, 8181,  9804,  28296, 15661, 31920, 10817, 9804,
                                            18928, 23105, 27571, 9440,  31861, 12203, 19526, 22310,
                                            19861, 31705, 3767,  25162, 7239,  19980, 558,   27743};

TEST(FixedTokens, OfSyntheticTinyLlama) {
  const Folder folder;
  const std::string path = folder.path("m.gguf");
  must_be(write_synthetic_gguf(short_tinyllama(), 1, path, [](Bytes, Bytes) { return true; }));
  const ModelFile file = must_be(ModelFile::open(path));
  const std::vector<std::uint32_t> prompt = {1, 15043, 29892, 3186};
  const Problem problem = plain_problem(file, 2, plain_workload(prompt.size(), 24, TensorType::kF16));
  EXPECT_EQ(greedy_tokens(file, problem, single_plan(problem), prompt, 24), kChosen);
  EXPECT_EQ(greedy_tokens(file, problem, plan_of(problem, {even(2)}), prompt, 24), kChosen);
}

}  // namespace
}  // namespace spanker
