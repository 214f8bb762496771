#include "spanker/model/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "spanker/model/preset.hpp"
#include "spanker/model/shape.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

// Two layers, grouped queries, heads wider than hidden / heads.
ModelShape small_shape(Architecture architecture) {
  return {architecture, 2, 64, 96, 4, 2, 32, 320, 128, 1e-5, 10000, false};
}

Model small_model(Architecture architecture, TensorType quant = TensorType::kQ4_0) {
  return make_model("small", small_shape(architecture), quant).value();
}

TEST(Model, ArchitectureNames) {
  EXPECT_EQ(to_string(Architecture::kLlama), "llama");
  EXPECT_EQ(to_string(Architecture::kMistral), "mistral");
  EXPECT_EQ(to_string(Architecture::kQwen2), "qwen2");
  EXPECT_EQ(to_string(Architecture::kQwen3), "qwen3");
  EXPECT_EQ(to_string(Architecture::kQwen3Moe), "qwen3moe");
}

TEST(Model, TensorBytesCountBlocks) {
  EXPECT_EQ((Tensor{TensorType::kQ4_0, 64, 3}).row_bytes(), Bytes(36));
  EXPECT_EQ((Tensor{TensorType::kQ4_0, 64, 3}).bytes(), Bytes(108));
  EXPECT_EQ((Tensor{TensorType::kQ6_K, 512, 2}).bytes(), Bytes(2 * 2 * 210));
  EXPECT_EQ((Tensor{TensorType::kF32, 7, 1}).bytes(), Bytes(28));
  EXPECT_EQ((Tensor{TensorType::kF16, 7, 5}).elements(), 35u);
  const Tensor stack{TensorType::kQ4_0, 64, 3, 5};
  EXPECT_EQ(stack.row_bytes(), Bytes(36));
  EXPECT_EQ(stack.matrix_bytes(), Bytes(108));
  EXPECT_EQ(stack.bytes(), Bytes(540));
  EXPECT_EQ(stack.elements(), 64u * 3 * 5);
}

// By hand: embedding 64*320, output the same; a layer has q and o 64*128 each, k and v 64*64 each, three
// 64*96, two norms of 64; then the last norm.
constexpr std::uint64_t kTable = 64 * 320;
constexpr std::uint64_t kLayerMatrices = 2 * 64 * 128 + 2 * 64 * 64 + 3 * 64 * 96;
constexpr std::uint64_t kVectors = 2 * 2 * 64 + 64;

TEST(Model, CountsOfALlama) {
  const Model model = small_model(Architecture::kLlama);
  EXPECT_EQ(parameter_count(model), 2 * kTable + 2 * kLayerMatrices + kVectors);
  EXPECT_EQ(weight_bytes(model), Bytes((2 * kTable + 2 * kLayerMatrices) / 32 * 18 + kVectors * 4));
  EXPECT_EQ(decode_weight_bytes(model),
            Bytes((kTable + 2 * kLayerMatrices) / 32 * 18 + kVectors * 4 + 64 / 32 * 18));
}

TEST(Model, ATiedTableIsReadWholeAndOneRowOnTop) {
  ModelShape shape = small_shape(Architecture::kLlama);
  shape.tie_word_embeddings = true;
  const Model model = make_model("tied", shape, TensorType::kQ4_0).value();
  EXPECT_FALSE(model.output);
  EXPECT_EQ(&model.output_matrix(), &model.token_embedding);
  EXPECT_EQ(parameter_count(model), kTable + 2 * kLayerMatrices + kVectors);
  EXPECT_EQ(decode_weight_bytes(model), Bytes(weight_bytes(model).value + 64 / 32 * 18));
}

TEST(Model, Qwen2HasBiasesAndQwen3HeadNorms) {
  const std::uint64_t llama = parameter_count(small_model(Architecture::kLlama));
  EXPECT_EQ(parameter_count(small_model(Architecture::kMistral)), llama);
  EXPECT_EQ(parameter_count(small_model(Architecture::kQwen2)), llama + 2 * (128 + 64 + 64));
  EXPECT_EQ(parameter_count(small_model(Architecture::kQwen3)), llama + 2 * (32 + 32));
}

// Five experts instead of one network, and a router with a row for each.
constexpr std::uint64_t kMoreMatrices = 2 * 4 * 3 * 64 * 96;
constexpr std::uint64_t kRouters = 2 * 5 * 64;

ModelShape shape_with_experts(Architecture architecture) {
  ModelShape shape = small_shape(architecture);
  shape.num_experts = 5;
  shape.num_experts_per_tok = 2;
  return shape;
}

TEST(Model, CountsOfAMixtureOfExperts) {
  const Model model =
      make_model("small", shape_with_experts(Architecture::kLlama), TensorType::kQ4_0).value();
  const Model dense = small_model(Architecture::kLlama);
  EXPECT_EQ(parameter_count(model), parameter_count(dense) + kMoreMatrices + kRouters);
  EXPECT_EQ(weight_bytes(model), weight_bytes(dense) + Bytes(kMoreMatrices / 32 * 18 + kRouters * 4));
  // A token reads two experts where it read one network.
  EXPECT_EQ(decode_weight_bytes(model),
            decode_weight_bytes(dense) + Bytes(2 * 3 * 64 * 96 / 32 * 18 + kRouters * 4));
  const Model qwen =
      make_model("small", shape_with_experts(Architecture::kQwen3Moe), TensorType::kQ4_0).value();
  EXPECT_EQ(parameter_count(qwen), parameter_count(model) + 2 * (32 + 32));
}

TEST(Model, ExpertsAreStacksBesideARouterInF32) {
  const Model model =
      make_model("small", shape_with_experts(Architecture::kQwen3Moe), TensorType::kQ8_0).value();
  const LayerTensors& layer = model.layers[1];
  EXPECT_EQ(layer.router, (Tensor{TensorType::kF32, 64, 5}));
  EXPECT_EQ(layer.gate, (Tensor{TensorType::kQ8_0, 64, 96, 5}));
  EXPECT_EQ(layer.up, (Tensor{TensorType::kQ8_0, 64, 96, 5}));
  EXPECT_EQ(layer.down, (Tensor{TensorType::kQ8_0, 96, 64, 5}));
  EXPECT_EQ(layer.experts_per_token, 2u);
  EXPECT_EQ(layer.query_norm, (Tensor{TensorType::kF32, 32, 1}));

  std::vector<std::string> names;
  for (const NamedTensor& named : named_tensors(model)) {
    if (named.name.starts_with("blk.0.ffn") && named.purpose == TensorPurpose::kFfn)
      names.push_back(named.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"blk.0.ffn_gate_inp.weight", "blk.0.ffn_gate_exps.weight",
                                             "blk.0.ffn_up_exps.weight", "blk.0.ffn_down_exps.weight"}));
}

TEST(Model, ADenseLayerIsOneExpertWithoutARouter) {
  const Model model = small_model(Architecture::kLlama);
  EXPECT_EQ(model.shape.experts(), 1u);
  EXPECT_EQ(model.shape.experts_per_token(), 1u);
  EXPECT_FALSE(model.layers[0].router);
  EXPECT_EQ(model.layers[0].experts_per_token, 1u);
}

TEST(Model, MakesEachTensorWithItsDimensions) {
  const Model model = small_model(Architecture::kQwen3, TensorType::kQ8_0);
  EXPECT_EQ(model.name, "small");
  ASSERT_EQ(model.layers.size(), 2u);
  const LayerTensors& layer = model.layers[1];
  EXPECT_EQ(model.token_embedding, (Tensor{TensorType::kQ8_0, 64, 320}));
  EXPECT_EQ(model.output, (Tensor{TensorType::kQ8_0, 64, 320}));
  EXPECT_EQ(layer.query, (Tensor{TensorType::kQ8_0, 64, 128}));
  EXPECT_EQ(layer.key, (Tensor{TensorType::kQ8_0, 64, 64}));
  EXPECT_EQ(layer.value, (Tensor{TensorType::kQ8_0, 64, 64}));
  EXPECT_EQ(layer.attention_output, (Tensor{TensorType::kQ8_0, 128, 64}));
  EXPECT_EQ(layer.gate, (Tensor{TensorType::kQ8_0, 64, 96}));
  EXPECT_EQ(layer.up, (Tensor{TensorType::kQ8_0, 64, 96}));
  EXPECT_EQ(layer.down, (Tensor{TensorType::kQ8_0, 96, 64}));
  EXPECT_EQ(layer.attention_norm, (Tensor{TensorType::kF32, 64, 1}));
  EXPECT_EQ(layer.ffn_norm, (Tensor{TensorType::kF32, 64, 1}));
  EXPECT_EQ(layer.query_norm, (Tensor{TensorType::kF32, 32, 1}));
  EXPECT_EQ(layer.key_norm, (Tensor{TensorType::kF32, 32, 1}));
  EXPECT_FALSE(layer.query_bias);
  EXPECT_FALSE(layer.attention_output_bias);
  EXPECT_FALSE(model.rope_frequencies);
}

TEST(Model, NamesTensorsAsGgufDoes) {
  Model model = small_model(Architecture::kQwen2);
  model.rope_frequencies = Tensor{TensorType::kF32, 16, 1};
  const auto tensors = named_tensors(model);
  ASSERT_EQ(tensors.size(), 1 + 2 * 12 + 3u);
  EXPECT_EQ(tensors.front().name, "token_embd.weight");
  EXPECT_EQ(tensors[1].name, "blk.0.attn_norm.weight");
  EXPECT_EQ(tensors[1 + 12 + 5].name, "blk.1.attn_q.bias");
  EXPECT_EQ(tensors[1 + 12 + 5].tensor, *model.layers[1].query_bias);
  EXPECT_EQ(tensors[25].name, "output_norm.weight");
  EXPECT_EQ(tensors[26].name, "output.weight");
  EXPECT_EQ(tensors[27].name, "rope_freqs.weight");
}

TEST(Model, GroupsTensorsByPurposeAndType) {
  Model model = small_model(Architecture::kQwen2);
  model.layers[1].down.type = TensorType::kQ8_0;
  model.output->type = TensorType::kQ8_0;
  const auto groups = tensor_groups(model);
  ASSERT_EQ(groups.size(), 5u);
  using Totals = std::vector<TypeTotal>;
  EXPECT_EQ(groups[0].name, "token embedding");
  EXPECT_EQ(groups[0].types, (Totals{{TensorType::kQ4_0, 1, kTable, Bytes(kTable / 32 * 18)}}));
  EXPECT_EQ(groups[1].name, "attention");
  const std::uint64_t attention = 2 * (2 * 64 * 128 + 2 * 64 * 64);
  EXPECT_EQ(groups[1].types, (Totals{{TensorType::kF32, 6, 2 * 256, Bytes(2 * 256 * 4)},
                                     {TensorType::kQ4_0, 8, attention, Bytes(attention / 32 * 18)}}));
  EXPECT_EQ(groups[2].name, "ffn");
  EXPECT_EQ(groups[2].types, (Totals{{TensorType::kQ4_0, 5, 5 * 6144, Bytes(5 * 6144 / 32 * 18)},
                                     {TensorType::kQ8_0, 1, 6144, Bytes(6144 / 32 * 34)}}));
  EXPECT_EQ(groups[3].name, "norms");
  EXPECT_EQ(groups[3].types, (Totals{{TensorType::kF32, 5, kVectors, Bytes(kVectors * 4)}}));
  EXPECT_EQ(groups[4].name, "output");
  EXPECT_EQ(groups[4].types, (Totals{{TensorType::kQ8_0, 1, kTable, Bytes(kTable / 32 * 34)}}));
}

TEST(Model, ATiedModelHasNoOutputGroup) {
  ModelShape shape = small_shape(Architecture::kLlama);
  shape.tie_word_embeddings = true;
  const auto groups = tensor_groups(make_model("tied", shape, TensorType::kF16).value());
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups.back().name, "norms");
}

struct BadShape {
  const char* fault;
  void (*spoil)(ModelShape&);
};

TEST(CheckShape, NamesTheHyperparameterThatIsWrong) {
  const BadShape bad_shapes[] = {
      {"num_hidden_layers", [](ModelShape& s) { s.num_hidden_layers = 0; }},
      {"num_hidden_layers", [](ModelShape& s) { s.num_hidden_layers = 4097; }},
      {"hidden_size", [](ModelShape& s) { s.hidden_size = 0; }},
      {"hidden_size", [](ModelShape& s) { s.hidden_size = UINT32_MAX; }},
      {"intermediate_size", [](ModelShape& s) { s.intermediate_size = 0; }},
      {"intermediate_size", [](ModelShape& s) { s.intermediate_size = UINT32_MAX; }},
      {"num_attention_heads", [](ModelShape& s) { s.num_attention_heads = 0; }},
      {"num_attention_heads", [](ModelShape& s) { s.num_attention_heads = UINT32_MAX; }},
      {"num_key_value_heads", [](ModelShape& s) { s.num_key_value_heads = 0; }},
      {"head_dim", [](ModelShape& s) { s.head_dim = 0; }},
      {"head_dim", [](ModelShape& s) { s.head_dim = UINT32_MAX; }},
      {"num_attention_heads * head_dim",
       [](ModelShape& s) { s.num_attention_heads = s.head_dim = 1u << 16; }},
      {"vocab_size", [](ModelShape& s) { s.vocab_size = 0; }},
      {"vocab_size", [](ModelShape& s) { s.vocab_size = UINT32_MAX; }},
      {"max_position_embeddings", [](ModelShape& s) { s.max_position_embeddings = 0; }},
      {"max_position_embeddings", [](ModelShape& s) { s.max_position_embeddings = UINT32_MAX; }},
      {"key/value heads", [](ModelShape& s) { s.num_key_value_heads = 3; }},
      {"key/value heads", [](ModelShape& s) { s.num_key_value_heads = 8; }},
      {"rms_norm_eps", [](ModelShape& s) { s.rms_norm_eps = 0; }},
      {"rms_norm_eps", [](ModelShape& s) { s.rms_norm_eps = 1; }},
      {"rms_norm_eps", [](ModelShape& s) { s.rms_norm_eps = std::nan(""); }},
      {"rope_theta", [](ModelShape& s) { s.rope_theta = -1; }},
      {"rope_theta", [](ModelShape& s) { s.rope_theta = std::nan(""); }},
      {"rope_theta", [](ModelShape& s) { s.rope_theta = std::numeric_limits<double>::infinity(); }},
  };
  ASSERT_TRUE(check_shape(small_shape(Architecture::kLlama), "here"));
  for (const BadShape& bad : bad_shapes) {
    ModelShape shape = small_shape(Architecture::kLlama);
    bad.spoil(shape);
    const auto checked = check_shape(shape, "here");
    ASSERT_FALSE(checked) << bad.fault;
    EXPECT_EQ(checked.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(checked.error().where, "here");
    EXPECT_NE(checked.error().what.find(bad.fault), std::string::npos) << to_line(checked.error());
    EXPECT_FALSE(make_model("here", shape, TensorType::kQ4_0));
  }
}

TEST(CheckShape, ExpertsWhereTheArchitectureHasThem) {
  const auto line = [](Architecture architecture, std::uint32_t experts, std::uint32_t used) {
    ModelShape shape = small_shape(architecture);
    shape.num_experts = experts;
    shape.num_experts_per_tok = used;
    const auto checked = check_shape(shape, "here");
    return checked ? std::string("sound") : to_line(checked.error());
  };
  using enum Architecture;
  EXPECT_EQ(line(kLlama, 8, 8), "sound");
  EXPECT_EQ(line(kQwen3Moe, 1, 1), "sound");
  EXPECT_EQ(line(kLlama, 65536, 1),
            "here: num_experts * intermediate_size out of range, wanted 1 to 4194304, got 6291456");
  EXPECT_EQ(line(kMistral, 8, 2),
            "here: num_experts out of range for mistral, wanted 0: a dense model, got 8");
  EXPECT_EQ(line(kQwen2, 8, 2), "here: num_experts out of range for qwen2, wanted 0: a dense model, got 8");
  EXPECT_EQ(line(kQwen3, 1, 1), "here: num_experts out of range for qwen3, wanted 0: a dense model, got 1");
  EXPECT_EQ(line(kQwen3Moe, 0, 0), "here: num_experts out of range for qwen3moe, wanted 1 to 65536, got 0");
  EXPECT_EQ(line(kLlama, 8, 0), "here: num_experts_per_tok out of range, wanted 1 to 8, got 0");
  EXPECT_EQ(line(kLlama, 8, 9), "here: num_experts_per_tok out of range, wanted 1 to 8, got 9");
  EXPECT_EQ(line(kLlama, 0, 1), "here: num_experts_per_tok out of range, wanted 0 to 0, got 1");
  ModelShape narrow = small_shape(kLlama);
  narrow.intermediate_size = 1;
  narrow.num_experts = 65537;
  narrow.num_experts_per_tok = 1;
  const auto checked = check_shape(narrow, "here");
  ASSERT_FALSE(checked);
  EXPECT_EQ(to_line(checked.error()),
            "here: num_experts out of range for llama, wanted 0 to 65536, got 65537");
}

TEST(CheckShape, TheLargestShapeDoesNotOverflow) {
  const ModelShape largest{Architecture::kQwen2,
                           4096,
                           1u << 20,
                           1u << 22,
                           1u << 16,
                           1u << 16,
                           16,
                           1u << 24,
                           1u << 30,
                           1e-5,
                           1e4,
                           false};
  const Model model = make_model("largest", largest, TensorType::kF64).value();
  const double hidden = 0x1p20;
  const double layer = 4 * hidden * hidden + 3 * hidden * 0x1p22;
  const double elements = 2 * hidden * 0x1p24 + 4096 * layer;
  EXPECT_NEAR(static_cast<double>(weight_bytes(model).value) / (8 * elements), 1, 1e-3);

  ModelShape experts = largest;
  experts.architecture = Architecture::kLlama;
  experts.num_experts = experts.num_experts_per_tok = 1u << 16;
  experts.intermediate_size = 1u << 6;
  const Model mixture = make_model("largest", experts, TensorType::kF64).value();
  const double routers = 4096 * hidden * 0x1p16;
  EXPECT_NEAR(static_cast<double>(weight_bytes(mixture).value) / (8 * elements + 4 * routers), 1, 1e-3);
}

TEST(MakeModel, NamesTheTensorThatDoesNotFitTheQuantisation) {
  ModelShape shape = small_shape(Architecture::kLlama);
  const auto k_quant = make_model("small", shape, TensorType::kQ4_K);
  ASSERT_FALSE(k_quant);
  EXPECT_EQ(k_quant.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(k_quant.error()),
            "small: tensor token_embd.weight: cannot be stored as q4_k, wanted columns a multiple of 256 "
            "(q4_0 or q8_0 "
            "would do), got 64 columns");
  shape.intermediate_size = 100;
  const auto odd = make_model("small", shape, TensorType::kQ4_0);
  ASSERT_FALSE(odd);
  EXPECT_EQ(to_line(odd.error()),
            "small: tensor blk.0.ffn_down.weight: cannot be stored as q4_0, wanted columns a multiple of 32 "
            "(f16 would "
            "do), got 100 columns");
  EXPECT_TRUE(make_model("small", shape, TensorType::kF16));
}

TEST(MakeModel, RefusesPlainIntegers) {
  const auto model = make_model("small", small_shape(Architecture::kLlama), TensorType::kI8);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(model.error().got, "i8");
}

}  // namespace
}  // namespace spanker
