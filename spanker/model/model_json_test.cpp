#include "spanker/model/model_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

/// 4 layers, 4 heads of 32 over 2 key/value heads, 64 hidden, 96 columns, 100 rows; layers 1 and 2 stored in
/// another way than 0 and 3.
Model mixed(Architecture architecture = Architecture::kLlama, std::uint32_t experts = 0) {
  const ModelShape shape{architecture, 4,    64,      96,      4,     2,       32,
                         100,          4096, 1.25e-5, 10000.5, false, experts, experts / 2};
  Model model = *make_model("mixed", shape, TensorType::kQ4_0);
  for (const int layer : {1, 2}) model.layers[static_cast<std::size_t>(layer)].down.type = TensorType::kQ8_0;
  model.output->type = TensorType::kF16;
  return model;
}

void expect_start(const std::string& line, const std::string& start) {
  EXPECT_EQ(line.substr(0, start.size()), start);
}

Json json_of(const Model& model) { return Json::parse(model_values_json(model).dump()); }

Model reread(const Model& model) {
  const Json json = json_of(model);
  FirstFault fault;
  Model read = read_model(StrictObject(json, "f.json", "", fault));
  EXPECT_FALSE(fault.error()) << to_line(*fault.error());
  return read;
}

std::string fault_of(const Json& built) {
  const Json json = Json::parse(built.dump());  // in which no whole number is signed
  FirstFault fault;
  read_model(StrictObject(json, "f.json", "model", fault));
  return fault.error() ? to_line(*fault.error()) : "none";
}

void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(named_tensors(a), named_tensors(b));
  EXPECT_EQ(a.layers, b.layers);
}

TEST(ModelJson, EveryPresetComesBack) {
  for (const Preset& preset : presets()) {
    SCOPED_TRACE(preset.name);
    const auto model = make_model(preset.name, preset.shape, TensorType::kQ8_0);
    expect_same(reread(*model), *model);
    EXPECT_EQ(model_values_json(*model)["layers"].size(), 1u);
  }
}

TEST(ModelJson, LayersThatDifferAndOptionalTensorsComeBack) {
  for (const auto& [architecture, experts] :
       {std::pair(Architecture::kLlama, 0u), std::pair(Architecture::kLlama, 4u),
        std::pair(Architecture::kMistral, 0u), std::pair(Architecture::kQwen2, 0u),
        std::pair(Architecture::kQwen3, 0u), std::pair(Architecture::kQwen3Moe, 6u)}) {
    Model model = mixed(architecture, experts);
    model.rope_frequencies = Tensor{TensorType::kF32, 16};
    model.layers[2].attention_output_bias = Tensor{TensorType::kF16, 64};
    expect_same(reread(model), model);
  }
}

TEST(ModelJson, LayersStoredAlikeAreOneEntry) {
  const Json json = json_of(mixed());
  ASSERT_EQ(json["layers"].size(), 3u);
  EXPECT_EQ(json["layers"][1]["first_layer"], 1);
  EXPECT_EQ(json["layers"][1]["last_layer"], 2);
  EXPECT_EQ(json["layers"][1]["tensors"]["ffn_down.weight"], "q8_0");
  EXPECT_EQ(json["layers"][2]["tensors"]["ffn_down.weight"], "q4_0");
  EXPECT_EQ(json["tensors"]["output.weight"], "f16");
}

TEST(ModelJson, RefusesModelsThatCannotBe) {
  const Json whole = json_of(mixed());
  ASSERT_EQ(fault_of(whole), "none");
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json json = whole;
    json[Json::json_pointer(pointer)] = value;
    return fault_of(json);
  };
  const auto without = [&](const std::string& pointer, const std::string& key) {
    Json json = whole;
    json[Json::json_pointer(pointer)].erase(key);
    return fault_of(json);
  };
  const std::string at = "f.json: model.";
  EXPECT_EQ(with("/name", ""), at + "name: empty, wanted a name");
  EXPECT_EQ(with("/parameters", 1),
            at + "parameters: unknown key, wanted one of name, architecture, shape, tensors, layers");
  EXPECT_EQ(with("/architecture", "bert"),
            at + "architecture: unknown, wanted one of llama, mistral, qwen2, qwen3, qwen3moe, got \"bert\"");
  expect_start(with("/shape/hidden", 1), at + "shape.hidden: unknown key, ");
  EXPECT_EQ(with("/shape/num_hidden_layers", 4097),
            at + "shape: num_hidden_layers out of range, wanted 1 to 4096, got 4097");
  EXPECT_EQ(with("/shape/num_hidden_layers", 4294967296),
            at + "shape.num_hidden_layers: out of range, wanted a whole number from 1 to 4294967295, got "
                 "4294967296");
  EXPECT_EQ(with("/shape/rms_norm_eps", "1e-5"),
            at + "shape.rms_norm_eps: wrong type, wanted a number above 0, got \"1e-5\"");
  EXPECT_EQ(with("/shape/num_experts", 0),
            at + "shape.num_experts: out of range, wanted a whole number from 1 to 4294967295, got 0");
  expect_start(with("/shape/tie_word_embeddings", true), at + "tensors.output.weight: unknown key, ");
  EXPECT_EQ(without("/tensors", "output.weight"), at + "tensors.output.weight: missing, wanted text");
  EXPECT_EQ(without("/layers/1/tensors", "attn_q.weight"),
            at + "layers[1].tensors.attn_q.weight: missing, wanted text");
  expect_start(with("/layers/0/tensors/attn_w.weight", "f32"),
               at + "layers[0].tensors.attn_w.weight: unknown key, ");
  expect_start(with("/layers/0/tensors/attn_q_norm.weight", "f32"),
               at + "layers[0].tensors.attn_q_norm.weight: unknown key, ");
  EXPECT_EQ(with("/tensors/output.weight", "q4_k"),
            at + "tensors.output.weight: cannot be stored as q4_k, wanted columns a multiple of 256, got 64 "
                 "columns");
  EXPECT_EQ(with("/tensors/output_norm.weight", "q4_0"),
            at + "tensors.output_norm.weight: wrong type, wanted f32 or f16, got q4_0");
  EXPECT_EQ(with("/tensors/output.weight", "i8"),
            at + "tensors.output.weight: wrong type, wanted a floating-point or quantised type, got i8");
  expect_start(with("/tensors/output.weight", "q4"), at + "tensors.output.weight: unknown tensor");
  EXPECT_LT(with("/tensors/output.weight", std::string(100'000, 'q')).size(), 1000u);
  EXPECT_EQ(with("/layers/1/first_layer", 2),
            at + "layers[1].first_layer: layers do not follow one another, wanted 1, got 2");
  EXPECT_EQ(with("/layers/1/last_layer", 0),
            at + "layers[1].last_layer: out of range, wanted a whole number from 1 to 3, got 0");
  EXPECT_EQ(with("/layers/2/last_layer", 4),
            at + "layers[2].last_layer: out of range, wanted a whole number from 3 to 3, got 4");
  EXPECT_EQ(with("/layers/3", whole["layers"][2]),
            at + "layers[3].first_layer: layers do not follow one another, wanted no more layers, got 3");
  EXPECT_EQ(with("/layers", Json::array()), at + "layers: layers are left out, wanted 4 layers, got 0");
  EXPECT_EQ(with("/layers/0/layer", 1),
            at + "layers[0].layer: unknown key, wanted one of first_layer, last_layer, tensors");
}

}  // namespace
}  // namespace spanker
