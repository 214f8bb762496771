#include "spanker/model/gguf_writer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "spanker/model/gguf_bytes_for_test.hpp"
#include "spanker/model/gguf_files_for_test.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using testing::GgufBytes;

TEST(GgufWriter, PacksAsByHand) {
  GgufWriter writer;
  writer.put_uint32("u", 7);
  writer.put_float32("f", 1.0f);
  writer.put_bool("b", true);
  writer.put_string("s", "text");
  const std::string words[] = {"x", ""};
  writer.put_strings("words", words);
  const float scores[] = {1.0f, -2.0f};
  writer.put_float32s("scores", scores);
  const std::int32_t types[] = {1, -1};
  writer.put_int32s("types", types);
  writer.put_tensor("m", {TensorType::kQ4_0, 64, 3});
  writer.put_tensor("v", {TensorType::kF32, 4, 1});
  writer.put_tensor("stack", {TensorType::kF16, 4, 1, 6});

  GgufBytes by_hand;
  by_hand.header(3, 7)
      .u32_key("u", 7)
      .key("f", 6)
      .u32(0x3F800000)
      .key("b", 7)
      .number(1, 1)
      .string_key("s", "text");
  by_hand.key("words", 9).u32(8).u64(2).text("x").text("");
  by_hand.key("scores", 9).u32(6).u64(2).u32(0x3F800000).u32(0xC0000000);
  by_hand.key("types", 9).u32(5).u64(2).u32(1).u32(0xFFFFFFFF);
  by_hand.tensor("m", {64, 3}, 2, 0).tensor("v", {4}, 0, 128);  // 108 bytes, padded
  by_hand.tensor("stack", {4, 1, 6}, 1, 160).pad();
  EXPECT_EQ(writer.header(), by_hand.str());
  EXPECT_EQ(writer.file_bytes(), by_hand.size() + 128 + 32 + 64);
}

TEST(GgufWriter, PadsToAlignment) {
  EXPECT_EQ(gguf_padded(0), 0u);
  EXPECT_EQ(gguf_padded(1), 32u);
  EXPECT_EQ(gguf_padded(32), 32u);
  EXPECT_EQ(gguf_padded(33), 64u);
}

/// What comes back from a file of `model`.
Model round_trip(const Model& model) {
  const std::string bytes = testing::gguf_of(model);
  auto read = testing::one_gguf(std::as_bytes(std::span(bytes)), "written.gguf").and_then(model_from_gguf);
  EXPECT_TRUE(read) << to_line(read.error());
  return *read;
}

TEST(GgufWriter, ModelsReadBackAsTheyWere) {
  for (const auto architecture : {Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3}) {
    for (const bool tied : {false, true}) {
      const ModelShape shape{architecture, 3, 64, 96, 4, 2, 32, 100, 128, 1e-5, 500000, tied};
      Model model = make_model("round trip", shape, TensorType::kQ4_0).value();
      model.rope_frequencies = Tensor{TensorType::kF32, 16, 1};
      model.layers[1].attention_output_bias = Tensor{TensorType::kF32, 64, 1};
      model.layers[2].down.type = TensorType::kQ8_0;
      const Model read = round_trip(model);
      EXPECT_EQ(read.name, model.name);
      EXPECT_EQ(read.shape, model.shape);
      EXPECT_EQ(named_tensors(read), named_tensors(model));
      EXPECT_EQ(read.layers, model.layers);
    }
  }
}

TEST(GgufWriter, MixturesOfExpertsReadBackAsTheyWere) {
  for (const auto architecture : {Architecture::kLlama, Architecture::kQwen3Moe}) {
    for (const std::uint32_t experts : {1u, 6u}) {
      const ModelShape shape{architecture, 2, 64, 96, 4, 2, 32, 100, 128, 1e-5, 500000, true, experts, 1};
      Model model = make_model("round trip", shape, TensorType::kQ4_0).value();
      model.layers[0].router->type = TensorType::kF16;
      model.layers[1].down.type = TensorType::kQ8_0;
      const Model read = round_trip(model);
      EXPECT_EQ(read.shape, model.shape);
      EXPECT_EQ(named_tensors(read), named_tensors(model));
      EXPECT_EQ(read.layers, model.layers);
    }
  }
}

TEST(GgufWriter, AMistralIsWrittenAsALlama) {
  ModelShape shape{Architecture::kMistral, 1, 64, 96, 4, 2, 16, 100, 128, 1e-5, 10000, false};
  const Model read = round_trip(make_model("mistral", shape, TensorType::kF16).value());
  shape.architecture = Architecture::kLlama;
  EXPECT_EQ(read.shape, shape);
}

}  // namespace
}  // namespace spanker
