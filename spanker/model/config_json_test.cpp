#include "spanker/model/config_json.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

Result<Model> read(const Json& json, TensorType quant = TensorType::kQ4_0) {
  return model_from_config_json(json.dump(), "folder/config.json", quant);
}

std::string error_line(const std::string& text) {
  const auto model = model_from_config_json(text, "folder/config.json", TensorType::kQ4_0);
  if (model) return "no error";
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  return to_line(model.error());
}
std::string error_line(const Json& json) { return error_line(json.dump()); }

/// What transformers' LlamaConfig cannot do without, and the number of key/value heads.
Json llama() {
  return {{"model_type", "llama"},   {"num_hidden_layers", 2},        {"hidden_size", 64},
          {"intermediate_size", 96}, {"num_attention_heads", 4},      {"num_key_value_heads", 2},
          {"vocab_size", 100},       {"max_position_embeddings", 128}};
}

Json with(Json json, const std::string& key, const Json& value) {
  json[key] = value;
  return json;
}

Json as(const std::string& type) { return with(llama(), "model_type", type); }

Json with_experts(const std::string& type) {
  Json json = as(type);
  json["num_experts"] = 6;
  json["num_experts_per_tok"] = 2;
  json["moe_intermediate_size"] = 32;
  return json;
}

// The files' numbers are those of the publishers' config.json; that they make the right model is told by the
// published numbers of parameters.
const std::map<std::string, std::uint64_t> kPublished = {
    {"tinyllama-1.1b", 1'100'048'384}, {"llama-3.2-1b", 1'235'814'400}, {"mistral-7b", 7'241'732'096},
    {"qwen2.5-0.5b", 494'032'768},     {"qwen3-8b", 8'190'735'360},     {"mixtral-8x7b", 46'702'792'704},
    {"qwen3-30b-a3b", 30'532'122'624},
};

TEST(ConfigJson, PublishedFilesAreThePresetsOfTheirNames) {
  const std::filesystem::path folder =
      std::filesystem::path(SPANKER_SOURCE_DIR) / "tests/fuzz_seeds/config_json_fuzz";
  for (const auto& [name, parameters] : kPublished) {
    const std::string file = (folder / (name + ".json")).string();
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    const auto model = model_from_config_json(text.str(), file, TensorType::kQ8_0);
    ASSERT_TRUE(model) << to_line(model.error());
    EXPECT_EQ(parameter_count(*model), parameters) << name;
    EXPECT_EQ(model->shape, find_preset(name)->shape) << name;
    EXPECT_EQ(model->layers[0].query.type, TensorType::kQ8_0);
  }
}

TEST(ConfigJson, WhatIsMissingIsAsInTransformers) {
  const auto shape = [](const std::string& type, std::uint32_t heads) {
    Json json = type == "qwen3_moe" || type == "mixtral" ? with_experts(type) : as(type);
    json.erase("num_key_value_heads");
    json["num_attention_heads"] = heads;
    json["hidden_size"] = heads * 16;
    return read(json, TensorType::kF16)->shape;
  };
  EXPECT_EQ(shape("llama", 4),
            (ModelShape{Architecture::kLlama, 2, 64, 96, 4, 4, 16, 100, 128, 1e-6, 10000, false}));
  EXPECT_EQ(shape("mistral", 16),
            (ModelShape{Architecture::kMistral, 2, 256, 96, 16, 8, 16, 100, 128, 1e-6, 10000, false}));
  EXPECT_EQ(shape("mixtral", 16),
            (ModelShape{Architecture::kLlama, 2, 256, 96, 16, 8, 16, 100, 128, 1e-5, 1e6, false, 6, 2}));
  EXPECT_EQ(shape("qwen2", 32),
            (ModelShape{Architecture::kQwen2, 2, 512, 96, 32, 32, 16, 100, 128, 1e-6, 10000, false}));
  EXPECT_EQ(shape("qwen3", 32),
            (ModelShape{Architecture::kQwen3, 2, 512, 96, 32, 32, 128, 100, 128, 1e-6, 10000, false}));
  EXPECT_EQ(shape("qwen3_moe", 8),
            (ModelShape{Architecture::kQwen3Moe, 2, 128, 32, 8, 4, 16, 100, 128, 1e-6, 10000, false, 6, 2}));
}

TEST(ConfigJson, NullIsMissing) {
  Json json = as("mistral");
  for (const char* key : {"head_dim", "num_key_value_heads", "rope_theta", "rope_parameters", "rms_norm_eps",
                          "tie_word_embeddings", "attention_bias", "mlp_bias", "_name_or_path"}) {
    json[key] = nullptr;
  }
  const auto model = read(json);
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_EQ(model->shape.num_key_value_heads,
            4u);  // transformers: then as many as heads, not the class' default
  EXPECT_EQ(model->shape.head_dim, 16u);
  EXPECT_EQ(error_line(with(llama(), "hidden_size", nullptr)),
            "folder/config.json: hidden_size: key is missing, wanted a whole number");
}

TEST(ConfigJson, WhatIsThereCounts) {
  Json json = llama();
  json["head_dim"] = 32;
  json["rms_norm_eps"] = 1e-4;
  json["rope_theta"] = 5e5;
  json["tie_word_embeddings"] = true;
  EXPECT_EQ(read(json)->shape,
            (ModelShape{Architecture::kLlama, 2, 64, 96, 4, 2, 32, 100, 128, 1e-4, 5e5, true}));
  json["rope_parameters"] = {{"rope_theta", 7e5}, {"rope_type", "default"}};
  EXPECT_EQ(read(json)->shape.rope_theta, 7e5);
  json["rope_parameters"] = {{"rope_theta", "x"}};
  EXPECT_EQ(
      error_line(json),
      "folder/config.json: rope_parameters: rope_theta: value of a wrong type, wanted a number, got \"x\"");
  json["rope_parameters"] = 3;
  EXPECT_EQ(error_line(json),
            "folder/config.json: rope_parameters: value of a wrong type, wanted an object, got 3");
}

TEST(ConfigJson, HowItWasStoredDoesNotMatter) {
  Json json = llama();
  json["torch_dtype"] = "bfloat16";
  json["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}};
  EXPECT_EQ(named_tensors(*read(json)), named_tensors(*read(llama())));
  EXPECT_EQ(read(json, TensorType::kF16)->layers[0].up.type, TensorType::kF16);
}

TEST(ConfigJson, NamesComeFromTheKeyOrTheFolder) {
  const auto name = [](const Json& from, const std::string& file) {
    return model_from_config_json(with(llama(), "_name_or_path", from).dump(), file, TensorType::kF16)->name;
  };
  EXPECT_EQ(name("Qwen/Qwen3-8B", "x/config.json"), "Qwen3-8B");
  EXPECT_EQ(name("/models/mine/", "x/config.json"), "mine");
  EXPECT_EQ(name("two\nlines", "x/config.json"), "two\\nlines");
  for (const Json& none : {Json(), Json(""), Json("/"), Json(".."), Json("./"), Json(3)}) {
    EXPECT_EQ(name(none, "models/here/config.json"), "here");
  }
  EXPECT_EQ(name("", "./here/../there/config.json"), "there");
  EXPECT_EQ(name("", "config.json"), std::filesystem::current_path().filename().string());
  EXPECT_EQ(name("", "/config.json"), "llama");
  EXPECT_EQ(name(std::string(5000, 'n'), "x/config.json"), std::string(80, 'n') + "...");
}

TEST(ConfigJson, AttentionBiasesWhereTheModelHasThem) {
  for (const char* type : {"llama", "qwen3", "qwen3_moe"}) {
    const Json json = with(with_experts(type), "attention_bias", true);
    const auto model = read(json);
    ASSERT_TRUE(model) << to_line(model.error());
    const LayerTensors& layer = model->layers[1];
    EXPECT_EQ(layer.query_bias, (Tensor{TensorType::kF32, layer.query.rows}));
    EXPECT_EQ(layer.key_bias, (Tensor{TensorType::kF32, layer.key.rows}));
    EXPECT_EQ(layer.value_bias, (Tensor{TensorType::kF32, layer.value.rows}));
    EXPECT_EQ(layer.attention_output_bias, (Tensor{TensorType::kF32, 64}));
  }
  // Classes that do not know the key: qwen2 always has three of them, mistral none.
  const auto qwen2 = read(with(as("qwen2"), "attention_bias", true));
  EXPECT_TRUE(qwen2->layers[0].query_bias);
  EXPECT_FALSE(qwen2->layers[0].attention_output_bias);
  EXPECT_FALSE(read(with(as("mistral"), "attention_bias", true))->layers[0].query_bias);
  EXPECT_FALSE(read(with(llama(), "attention_bias", false))->layers[0].query_bias);
  EXPECT_EQ(error_line(with(llama(), "mlp_bias", true)),
            "folder/config.json: mlp_bias: networks with biases are not read, wanted false, got true");
  EXPECT_EQ(error_line(with(llama(), "attention_bias", 1)),
            "folder/config.json: attention_bias: value of a wrong type, wanted true or false, got 1");
}

TEST(ConfigJson, MixturesOfExperts) {
  const auto qwen = read(with_experts("qwen3_moe"));
  ASSERT_TRUE(qwen) << to_line(qwen.error());
  EXPECT_EQ(qwen->shape.num_experts, 6u);
  EXPECT_EQ(qwen->shape.intermediate_size, 32u);
  EXPECT_EQ(qwen->layers[0].gate, (Tensor{TensorType::kQ4_0, 64, 32, 6}));
  const auto mixtral = read(with_experts("mixtral"));
  EXPECT_EQ(mixtral->layers[0].gate, (Tensor{TensorType::kQ4_0, 64, 96, 6}));
  EXPECT_EQ(read(with(with_experts("mixtral"), "num_local_experts", 3))->shape.num_experts, 3u);
  // Of a class without experts the keys mean nothing.
  EXPECT_EQ(read(with_experts("llama"))->shape, read(llama())->shape);

  const auto line = [](const char* key, const Json& value) {
    return error_line(with(with_experts("qwen3_moe"), key, value));
  };
  EXPECT_EQ(line("decoder_sparse_step", 1), "no error");
  EXPECT_EQ(line("mlp_only_layers", Json::array()), "no error");
  EXPECT_EQ(line("decoder_sparse_step", 2),
            "folder/config.json: decoder_sparse_step: dense layers beside mixtures of experts are not read, "
            "wanted 1, got 2");
  EXPECT_EQ(
      line("mlp_only_layers", {0, 1}),
      "folder/config.json: mlp_only_layers: dense layers beside mixtures of experts are not read, wanted [], "
      "got [0,1]");
  EXPECT_EQ(line("num_experts_per_tok", 7),
            "folder/config.json: num_experts_per_tok out of range, wanted 1 to 6, got 7");
  EXPECT_EQ(line("num_experts", 0),
            "folder/config.json: num_experts out of range for qwen3moe, wanted 1 to 65536, got 0");
  for (const char* key : {"num_experts", "num_experts_per_tok", "moe_intermediate_size"}) {
    EXPECT_EQ(line(key, nullptr),
              std::string("folder/config.json: ") + key + ": key is missing, wanted a whole number");
  }
}

TEST(ConfigJson, EveryRequiredKey) {
  const Json whole = llama();
  for (const auto& [key, value] : whole.items()) {
    if (key == "model_type" || key == "num_key_value_heads") continue;
    Json json = llama();
    json.erase(key);
    EXPECT_EQ(error_line(json), "folder/config.json: " + key + ": key is missing, wanted a whole number");
    const auto got = [&, of = key](const Json& wrong) { return error_line(with(llama(), of, wrong)); };
    const std::string type =
        "folder/config.json: " + key + ": value of a wrong type, wanted a whole number, got ";
    EXPECT_EQ(got("64"), type + "\"64\"");
    EXPECT_EQ(got(64.5), type + "64.5");
    EXPECT_EQ(got(64.0), type + "64.0");
    EXPECT_EQ(got(1e30), type + "1e+30");
    EXPECT_EQ(got(true), type + "true");
    EXPECT_EQ(got({64}), type + "[64]");
    EXPECT_EQ(got(std::string(5000, 'x')), type + "\"" + std::string(79, 'x') + "...");
    const std::string range =
        "folder/config.json: " + key + ": number out of range, wanted 0 to 4294967295, got ";
    EXPECT_EQ(got(-1), range + "-1");
    EXPECT_EQ(got(4'294'967'296), range + "4294967296");
    EXPECT_NE(got(0).find("out of range"), std::string::npos) << got(0);
  }
}

TEST(ConfigJson, OtherModelTypes) {
  const std::string wanted = ", wanted llama, mistral, mixtral, qwen2, qwen3 or qwen3_moe";
  EXPECT_EQ(error_line(as("gemma3")),
            "folder/config.json: model_type: model type is not read" + wanted + ", got \"gemma3\"");
  EXPECT_EQ(error_line(with(llama(), "model_type", 3)),
            "folder/config.json: model_type: model type is not read" + wanted + ", got 3");
  EXPECT_EQ(error_line(Json::object()), "folder/config.json: model_type: key is missing" + wanted);
  EXPECT_NE(error_line(as("qwen2_moe")).find("not read"), std::string::npos);
}

TEST(ConfigJson, ShapesThatCannotBe) {
  EXPECT_EQ(error_line(with(llama(), "num_attention_heads", 5)),
            "folder/config.json: num_attention_heads: hidden_size is not a multiple of it, and there is no "
            "head_dim, "
            "wanted a divisor of 64, got 5");
  EXPECT_EQ(error_line(with(llama(), "num_key_value_heads", 3)),
            "folder/config.json: query heads cannot be shared out over key/value heads, wanted "
            "num_attention_heads a "
            "multiple of num_key_value_heads, got 4 and 3");
  EXPECT_EQ(error_line(with(llama(), "rms_norm_eps", -1)),
            "folder/config.json: rms_norm_eps out of range, wanted above 0 and below 1, got -1");
  EXPECT_EQ(error_line(with(llama(), "rms_norm_eps", "1e-5")),
            "folder/config.json: rms_norm_eps: value of a wrong type, wanted a number, got \"1e-5\"");
  EXPECT_EQ(error_line(with(llama(), "head_dim", 0)),
            "folder/config.json: head_dim out of range, wanted 1 to 65536, got 0");
  EXPECT_EQ(error_line(with(llama(), "num_hidden_layers", 4'000'000'000)),
            "folder/config.json: num_hidden_layers out of range, wanted 1 to 4096, got 4000000000");
  const auto k_quant = read(llama(), TensorType::kQ4_K);
  ASSERT_FALSE(k_quant);
  EXPECT_EQ(to_line(k_quant.error()),
            "folder/config.json: tensor token_embd.weight: cannot be stored as q4_k, wanted columns a "
            "multiple of 256 (q4_0 or "
            "q8_0 would do), got 64 columns");
}

}  // namespace
}  // namespace spanker
