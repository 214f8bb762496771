#include "spanker/report/model_report.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "spanker/model/preset.hpp"
#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

using testing::expect_clean_text;
using testing::expect_keys;
using testing::kHostile;
using testing::parse_document;

Model tinyllama() {
  auto model = make_model("tinyllama-1.1b", find_preset("tinyllama-1.1b")->shape, TensorType::kQ4_0);
  if (!model) throw std::runtime_error(to_line(model.error()));
  return *model;
}

TEST(ModelJson, HasTheShapeInHuggingFacesNames) {
  const auto json = parse_document(to_json(tinyllama(), TensorType::kF16));
  expect_keys(json, {{"/schema", "string"},
                     {"/model/name", "string"},
                     {"/model/architecture", "string"},
                     {"/model/parameters", "number"},
                     {"/model/weight_bytes", "number"},
                     {"/model/decode_weight_bytes", "number"},
                     {"/model/kv_bytes_per_token", "number"}});
  // config.json of TinyLlama/TinyLlama-1.1B-Chat-v1.0
  EXPECT_EQ(json["shape"], (nlohmann::json{{"num_hidden_layers", 22},
                                           {"hidden_size", 2048},
                                           {"intermediate_size", 5632},
                                           {"num_attention_heads", 32},
                                           {"num_key_value_heads", 4},
                                           {"head_dim", 64},
                                           {"vocab_size", 32000},
                                           {"max_position_embeddings", 2048},
                                           {"rms_norm_eps", 1e-5},
                                           {"rope_theta", 10000.0},
                                           {"tie_word_embeddings", false},
                                           {"num_experts", nullptr},
                                           {"num_experts_per_tok", nullptr}}));
  EXPECT_EQ(json["model"]["decode_weight_bytes"], 582'231'168);
  EXPECT_EQ(json["model"]["kv_bytes_per_token"], 22'528);
}

TEST(ModelJson, QuantisationAddsUpToTheModel) {
  Model model = tinyllama();
  model.layers[3].down.type = TensorType::kQ8_0;
  const auto json = parse_document(to_json(model, TensorType::kF16));
  std::uint64_t bytes = 0;
  std::uint64_t elements = 0;
  std::uint64_t tensors = 0;
  bool has_the_other_type = false;
  for (const auto& group : json["quantisation"]) {
    bytes += group["bytes"].get<std::uint64_t>();
    elements += group["elements"].get<std::uint64_t>();
    tensors += group["tensors"].get<std::uint64_t>();
    has_the_other_type |= group["group"] == "ffn" && group["type"] == "q8_0" && group["tensors"] == 1;
  }
  EXPECT_EQ(bytes, json["model"]["weight_bytes"]);
  EXPECT_EQ(elements, 1'100'048'384u);
  EXPECT_EQ(tensors, 22u * 9 + 3);
  EXPECT_TRUE(has_the_other_type);
}

TEST(ModelText, TellsShapeQuantisationAndBytes) {
  const std::string text = to_text(tinyllama(), TensorType::kQ8_0, {});
  expect_clean_text(text);
  for (const char* wanted :
       {"tinyllama-1.1b (llama, 1.1 billion parameters)", "num_key_value_heads", "5632", "q4_0", "4.5",
        "582231168 bytes", "KV cache per position (q8_0)", "11968 bytes"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
}

TEST(ModelReport, TellsExpertsWhereThereAreAny) {
  const auto mixtral = make_model("mixtral-8x7b", find_preset("mixtral-8x7b")->shape, TensorType::kQ4_0);
  ASSERT_TRUE(mixtral);
  const auto json = parse_document(to_json(*mixtral, TensorType::kF16));
  EXPECT_EQ(json["shape"]["num_experts"], 8);
  EXPECT_EQ(json["shape"]["num_experts_per_tok"], 2);
  EXPECT_EQ(json["shape"]["intermediate_size"], 14336);
  EXPECT_EQ(json["model"]["parameters"], 46'702'792'704);
  const std::string text = to_text(*mixtral, TensorType::kF16, {});
  EXPECT_NE(text.find("num_experts_per_tok"), std::string::npos) << text;
  EXPECT_EQ(to_text(tinyllama(), TensorType::kF16, {}).find("expert"), std::string::npos);
}

TEST(ModelReport, AHostileNameBreaksNothing) {
  Model model = tinyllama();
  model.name = kHostile;
  const std::string name = parse_document(to_json(model, TensorType::kF16))["model"]["name"];
  EXPECT_TRUE(name.starts_with("a\x1b[31m\n")) << name;
  expect_clean_text(to_text(model, TensorType::kF16, {}));
  EXPECT_NE(to_text(model, TensorType::kF16, {true}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace spanker
