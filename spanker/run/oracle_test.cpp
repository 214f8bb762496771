#include "spanker/run/oracle_for_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

/// Every quantised type's blocks fit; grouped queries, and a head size that is not hidden size / heads.
ModelShape shape_of(Architecture architecture, bool tied = false) {
  return {architecture, 2, 256, 512, 8, 2, 64, 300, 128, 1e-5, 10000, tied};
}

const Forced kTeacher{{3, 1, 4, 1, 5, 299, 2, 6, 5, 3, 5}, {8, 9, 7, 9, 3}};

std::vector<std::uint32_t> all_tokens(const Forced& teacher) {
  std::vector<std::uint32_t> tokens = teacher.prompt;
  tokens.insert(tokens.end(), teacher.forced.begin(), teacher.forced.end());
  return tokens;
}

/// The root of the mean square of the differences, in deviations of the logits.
double relative_error(const std::vector<float>& got, const std::vector<float>& wanted) {
  double errors = 0;
  for (std::size_t i = 0; i < got.size(); ++i) errors += std::pow(got[i] - wanted[i], 2);
  return std::sqrt(errors / static_cast<double>(got.size())) / moments(wanted).deviation;
}

/// Runs the file on one card, and expects all logits to be within `tolerance` of the oracle's.
void expect_like_the_oracle(const std::string& bytes, double tolerance, TensorType kv_type = TensorType::kF32,
                            std::size_t threads = 1) {
  const Folder folder;
  const ModelFile file = must_be(ModelFile::open(folder.write("model.gguf", bytes)));
  const Problem problem =
      plain_problem(file, 1, plain_workload(kTeacher.prompt.size(), kTeacher.forced.size() + 1, kv_type));
  const auto got = forced_logits(file, problem, single_plan(problem), kTeacher, threads);
  const auto wanted = Oracle(file.files, file.model).logits(all_tokens(kTeacher));
  ASSERT_EQ(got.size(), kTeacher.forced.size() + 1);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = relative_error(got[i], wanted[kTeacher.prompt.size() - 1 + i]);
    EXPECT_LT(error, tolerance) << "after token " << kTeacher.prompt.size() + i;
  }
}

/// Sums of up to 512 products in float round by 2^-24 each, at worst in the same direction: 3e-5, and as much
/// again for each of the 4 matrices of 2 layers and the output. What is seen is far below it.
constexpr double kFloatTolerance = 1e-4;

/// Rounding activations to 8 bits in blocks of 32 makes an error of greatest magnitude / 127 / sqrt(12),
/// uniform; the greatest of 32 normal numbers is about 2.1 deviations, so each product has a relative error
/// of 0.0048. On the residual meet those of the 2 layers' products, 4 each, and of the output: at most
/// sqrt(9) of them, where all contributions are as large as the residual itself. Twice that for how attention
/// and SwiGLU may widen them.
constexpr double kQuantisedTolerance = 2 * 3 * 0.0048;

TEST(Oracle, AgreesInEveryTypeOfWeights) {
  for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kBF16, TensorType::kQ8_0,
                                TensorType::kQ4_0, TensorType::kQ4_K, TensorType::kQ6_K}) {
    SCOPED_TRACE(to_string(type));
    const Model model = must_be(make_model("small", shape_of(Architecture::kLlama), type));
    const bool quantised = block_shape(type).elements > 1;
    expect_like_the_oracle(random_gguf(model, 7), quantised ? kQuantisedTolerance : kFloatTolerance);
  }
}

TEST(Oracle, AgreesOnEveryArchitecture) {
  for (const bool tied : {false, true}) {
    for (const Architecture architecture :
         {Architecture::kLlama, Architecture::kMistral, Architecture::kQwen2, Architecture::kQwen3}) {
      SCOPED_TRACE(to_string(architecture));
      const Model model = must_be(make_model("small", shape_of(architecture, tied), TensorType::kF32));
      expect_like_the_oracle(random_gguf(model, 11), kFloatTolerance);
    }
  }
}

}  // namespace
}  // namespace spanker
