#include "spanker/run/model_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/model/tensor_table.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"
#include "spanker/run/same_model.hpp"

namespace spanker {
namespace {

using namespace testing;

ModelShape small_shape(Architecture architecture = Architecture::kLlama) {
  return {architecture, 2, 64, 96, 4, 2, 16, 300, 128, 1e-5, 10000, false};
}

Model small_model() { return must_be(make_model("small", small_shape(), TensorType::kF32)); }

class ModelFiles : public ::testing::Test {
 protected:
  Result<ModelFile> open(const std::string& bytes) { return ModelFile::open(folder_.write("m.gguf", bytes)); }

  void expect_refused(const std::string& bytes, const std::string& line) {
    const auto file = open(bytes);
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(to_line(file.error()), folder_.path("m.gguf") + ": " + line);
  }

  const Folder folder_;
};

TEST_F(ModelFiles, TypesThatKernelsDoNotHave) {
  Model model =
      must_be(make_model("small", {Architecture::kLlama, 1, 256, 256, 4, 2, 64, 300, 128, 1e-5, 10000, false},
                         TensorType::kF32));
  model.layers[0].up.type = TensorType::kQ5_K;
  GgufWriter writer;
  put_model(writer, model);
  std::string bytes = writer.header();
  bytes.resize(writer.file_bytes());
  expect_refused(
      bytes,
      "tensor blk.0.ffn_up.weight: weights of that type cannot be run, wanted f32, f16, bf16, q8_0, q4_0, "
      "q4_k or q6_k, got q5_k");
}

TEST_F(ModelFiles, MixturesOfExperts) {
  ModelShape shape = small_shape();
  shape.num_experts = 4;
  shape.num_experts_per_tok = 2;
  expect_refused(random_gguf(must_be(make_model("small", shape, TensorType::kF32)), 1),
                 "mixtures of experts cannot be run, wanted a dense model, got 4 experts");
}

TEST_F(ModelFiles, TruncatedData) {
  const std::string bytes = random_gguf(small_model(), 1);
  for (const std::size_t cut : {bytes.size() - 1, bytes.size() / 2, std::size_t{100}, std::size_t{0}}) {
    const auto file = open(bytes.substr(0, cut));
    ASSERT_FALSE(file.has_value()) << cut;
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
  }
}

TEST_F(ModelFiles, RotaryScalingThatIsNotLinear) {
  const auto scaled = [](const char* type) {
    return random_gguf(small_model(), 1, [&](GgufWriter& writer) {
      writer.put_string("llama.rope.scaling.type", type);
      writer.put_float32("llama.rope.scaling.factor", 4);
    });
  };
  expect_refused(
      scaled("yarn"),
      "llama.rope.scaling.type: rotary scaling cannot be run, wanted none or linear, got \"yarn\"");
  EXPECT_TRUE(open(scaled("linear")).has_value());
  EXPECT_TRUE(open(scaled("none")).has_value());
}

/// The angle, in radians, by which pair 0 of a head at position 1 is turned.
double first_angle(const ModelFile& file) {
  const std::vector<float> angles = file.rope.angles(1, 1);
  return std::atan2(angles[1], angles[0]);
}

TEST_F(ModelFiles, LinearScalingDividesPositions) {
  const auto with_keys = [&](const std::function<void(GgufWriter&)>& keys) {
    return first_angle(must_be(open(random_gguf(small_model(), 1, keys))));
  };
  EXPECT_FLOAT_EQ(static_cast<float>(with_keys([](GgufWriter&) {})), 1.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(with_keys([](GgufWriter& writer) {
                    writer.put_string("llama.rope.scaling.type", "linear");
                    writer.put_float32("llama.rope.scaling.factor", 4);
                  })),
                  0.25f);
  EXPECT_FLOAT_EQ(static_cast<float>(with_keys(
                      [](GgufWriter& writer) { writer.put_float32("llama.rope.scale_linear", 2); })),
                  0.5f);
  EXPECT_FLOAT_EQ(static_cast<float>(with_keys([](GgufWriter& writer) {
                    writer.put_string("llama.rope.scaling.type", "none");
                    writer.put_float32("llama.rope.scaling.factor", 4);
                  })),
                  1.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(with_keys(
                      [](GgufWriter& writer) { writer.put_float32("llama.rope.scaling.factor", 0); })),
                  1.0f);
}

TEST_F(ModelFiles, ScalingFactorsThatCannotBe) {
  for (const float factor : {-1.0f, std::numeric_limits<float>::infinity()}) {
    const auto file = open(random_gguf(small_model(), 1, [&](GgufWriter& writer) {
      writer.put_float32("llama.rope.scaling.factor", factor);
    }));
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(to_line(file.error()).find("m.gguf: rotary embedding"), std::string::npos);
  }
}

TEST(SameModel, TellsWhatDiffers) {
  const Model model = small_model();
  EXPECT_TRUE(check_same_model(model, model, "plan.json").has_value());
  Model renamed = model;
  renamed.name = "another";
  EXPECT_TRUE(check_same_model(renamed, model, "plan.json").has_value());

  const auto expect_differs = [&](const Model& planned, const std::string& line) {
    const auto same = check_same_model(planned, model, "plan.json");
    ASSERT_FALSE(same.has_value());
    EXPECT_EQ(same.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(to_line(same.error()), "plan.json: the plan is for another model: " + line);
  };
  expect_differs(must_be(make_model("small", small_shape(), TensorType::kF16)),
                 "token_embd.weight, wanted f32 of 64 x 300, got f16 of 64 x 300");
  expect_differs(must_be(make_model("small", small_shape(Architecture::kQwen2), TensorType::kF32)),
                 "architecture, wanted llama, got qwen2");
  ModelShape shape = small_shape();
  shape.num_hidden_layers = 3;
  expect_differs(must_be(make_model("small", shape, TensorType::kF32)),
                 "tensors, wanted output_norm.weight, got blk.2.attn_norm.weight");
  shape = small_shape();
  shape.num_attention_heads = 8;
  shape.num_key_value_heads = 4;
  shape.head_dim = 8;
  expect_differs(must_be(make_model("small", shape, TensorType::kF32)),
                 "attention, wanted 4 heads over 2, got 8 heads over 4");
  shape = small_shape();
  shape.rope_theta = 500000;
  expect_differs(must_be(make_model("small", shape, TensorType::kF32)), "hyperparameters");
}

}  // namespace
}  // namespace spanker
