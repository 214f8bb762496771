#include "spanker/graph/operators.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

Model preset_model(std::string_view name, TensorType quant) {
  auto model = make_model(name, find_preset(name)->shape, quant);
  if (!model) throw std::runtime_error(to_line(model.error()));
  return *model;
}

Model tinyllama() { return preset_model("tinyllama-1.1b", TensorType::kQ4_0); }

HeadShare all_heads(const ModelShape& shape) {
  return {shape.num_attention_heads, shape.num_key_value_heads};
}

template <class Operators>
Bytes total_bytes(const Operators& operators) {
  Bytes total;
  for (const Operator& op : operators) total += op.bytes;
  return total;
}

/// What one card alone moves in a pass.
Bytes bytes_of_a_pass(const Model& model, const Pass& pass) {
  Bytes total = embedding_operator(model, pass).bytes;
  for (const LayerTensors& layer : model.layers) {
    total += total_bytes(attention_operators(model.shape, layer, all_heads(model.shape), pass));
    total += total_bytes(ffn_operators(layer, model.shape.intermediate_size, pass));
  }
  return total + total_bytes(logits_operators(model, model.shape.vocab_size, pass));
}

template <class Operators>
std::vector<std::string_view> names(const Operators& operators) {
  std::vector<std::string_view> all;
  for (const Operator& op : operators) all.push_back(to_string(op.kind));
  return all;
}

TEST(Operators, HaveNamesAndAnOrder) {
  const Model model = tinyllama();
  const Pass pass = decode_pass(1, 1, TensorType::kF16);
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(to_string(embedding_operator(model, pass).kind), "embedding");
  EXPECT_EQ(names(attention_operators(model.shape, model.layers[0], all_heads(model.shape), pass)),
            (Names{"attention_norm", "qkv", "attention", "attention_output"}));
  EXPECT_EQ(names(ffn_operators(model.layers[0], 32, pass)),
            (Names{"ffn_norm", "router", "gate_up", "down"}));
  EXPECT_EQ(names(logits_operators(model, 32, pass)), (Names{"output_norm", "logits"}));
}

// TinyLlama in Q4_0 stores 32 weights in 18 bytes: a row of 2048 is 1152 bytes, one of 5632 is 3168.

TEST(Operators, ATinyLlamaLayerInDecode) {
  const Model model = tinyllama();
  const Pass pass = decode_pass(2048, 1, TensorType::kF16);
  const auto [norm, qkv, attention, output] =
      attention_operators(model.shape, model.layers[0], all_heads(model.shape), pass);
  EXPECT_EQ(norm.bytes, Bytes(2048 * 4));
  EXPECT_EQ(norm.ops, Ops(4 * 2048));
  EXPECT_EQ(qkv.bytes, Bytes((2048 + 256 + 256) * 1152));
  EXPECT_EQ(qkv.ops, Ops(10'485'760));  // 2 * 2560 * 2048
  // 4 heads of 64, keys and values, 2 bytes: 1024 bytes for each of 2048 positions read and one written.
  EXPECT_EQ(attention.bytes, Bytes(2'097'152 + 1024));
  EXPECT_EQ(attention.ops, Ops(16'777'216));  // 32 heads, 2048 positions, 2 dot products of 64
  EXPECT_EQ(output.bytes, Bytes(2048 * 1152));
  EXPECT_EQ(output.ops, Ops(8'388'608));

  const auto [ffn_norm, router, gate_up, down] = ffn_operators(model.layers[0], 5632, pass);
  EXPECT_EQ(ffn_norm.bytes, Bytes(8192));
  EXPECT_EQ(ffn_norm.ops, Ops(8192));
  EXPECT_EQ(router.bytes, Bytes(0));
  EXPECT_EQ(router.ops, Ops(0));
  EXPECT_EQ(gate_up.bytes, Bytes(2 * 5632 * 1152));
  EXPECT_EQ(gate_up.ops, Ops(46'137'344));  // 2 * 2 * 5632 * 2048
  EXPECT_EQ(down.bytes, Bytes(2048 * 3168));
  EXPECT_EQ(down.ops, Ops(23'068'672));
}

TEST(Operators, TinyLlamasEnds) {
  const Model model = tinyllama();
  const Pass pass = decode_pass(2048, 1, TensorType::kF16);
  EXPECT_EQ(embedding_operator(model, pass).bytes, Bytes(1152));
  EXPECT_EQ(embedding_operator(model, pass).ops, Ops(0));
  const auto [norm, logits] = logits_operators(model, 32000, pass);
  EXPECT_EQ(norm.bytes, Bytes(8192));
  EXPECT_EQ(norm.ops, Ops(8192));
  EXPECT_EQ(logits.bytes, Bytes(36'864'000));
  EXPECT_EQ(logits.ops, Ops(131'072'000));
}

TEST(Operators, AQuarterOfATinyLlamaLayer) {
  const Model model = tinyllama();
  const Pass pass = decode_pass(100, 1, TensorType::kF16);
  const auto attention = attention_operators(model.shape, model.layers[0], {8, 1}, pass);
  EXPECT_EQ(attention[0].bytes, Bytes(8192));  // the norm is on every card
  EXPECT_EQ(attention[1].bytes, Bytes((512 + 64 + 64) * 1152));
  EXPECT_EQ(attention[2].bytes, Bytes(256 * 101));
  EXPECT_EQ(attention[2].ops, Ops(8 * 100 * 4 * 64));
  EXPECT_EQ(attention[3].bytes, Bytes(2048 * 288));  // 512 columns: 16 blocks of 18 bytes in each row
  const auto ffn = ffn_operators(model.layers[0], 1408, pass);
  EXPECT_EQ(ffn[2].bytes, Bytes(2 * 1408 * 1152));
  EXPECT_EQ(ffn[3].bytes, Bytes(2048 * 44 * 18));
  EXPECT_EQ(ffn[3].ops, Ops(2 * 1408 * 2048));
}

TEST(Operators, StreamsShareTheWeightsAndNothingElse) {
  const Model model = tinyllama();
  const Pass one = decode_pass(300, 1, TensorType::kF16);
  const Pass five = decode_pass(300, 5, TensorType::kF16);
  const auto alone = attention_operators(model.shape, model.layers[0], {32, 4}, one);
  const auto together = attention_operators(model.shape, model.layers[0], {32, 4}, five);
  for (const std::size_t weights : {0u, 1u, 3u}) EXPECT_EQ(together[weights].bytes, alone[weights].bytes);
  EXPECT_EQ(together[2].bytes, alone[2].bytes * 5);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(together[i].ops, alone[i].ops * 5);
  EXPECT_EQ(embedding_operator(model, five).bytes, Bytes(5 * 1152));
  EXPECT_EQ(logits_operators(model, 32000, five)[1].ops, Ops(5 * 131'072'000ull));
  EXPECT_EQ(logits_operators(model, 32000, five)[1].bytes, Bytes(36'864'000));
}

TEST(Operators, PrefillReadsTheWeightsOnceAndMakesLogitsOnce) {
  const Model model = tinyllama();
  const Pass pass = prefill_pass(512, TensorType::kF16);
  const auto attention = attention_operators(model.shape, model.layers[0], {32, 4}, pass);
  EXPECT_EQ(attention[1].bytes, Bytes(2560 * 1152));
  EXPECT_EQ(attention[1].ops, Ops(512 * 10'485'760ull));
  EXPECT_EQ(attention[2].bytes, Bytes(2 * 512 * 1024));
  EXPECT_EQ(attention[2].ops, Ops(4 * 32 * 64 * (512 * 513 / 2)));  // 1 + 2 + ... + 512 positions
  EXPECT_EQ(ffn_operators(model.layers[0], 5632, pass)[3].ops, Ops(512 * 23'068'672ull));
  EXPECT_EQ(embedding_operator(model, pass).bytes, Bytes(512 * 1152));
  EXPECT_EQ(logits_operators(model, 32000, pass)[0].ops, Ops(8192));
  EXPECT_EQ(logits_operators(model, 32000, pass)[1].ops, Ops(131'072'000));
}

RC_GTEST_PROP(Operators, AttentionCountsEveryPairOfPositions, ()) {
  const auto tokens = *rc::gen::inRange<std::uint64_t>(1, 40);
  const auto context = tokens + *rc::gen::inRange<std::uint64_t>(0, 40);
  const auto streams = *rc::gen::inRange<std::uint64_t>(1, 5);
  const auto heads = *rc::gen::inRange<std::uint32_t>(1, 33);
  const Model model = tinyllama();
  const HeadShare share = head_share(model.shape, 0, heads);
  const Pass pass{tokens, context, streams, TensorType::kF16};

  std::uint64_t ops = 0;
  for (std::uint64_t position = context - tokens; position < context; ++position) {
    for (std::uint64_t attended = 0; attended <= position; ++attended) {
      constexpr std::uint64_t kScore = 2 * 64;
      constexpr std::uint64_t kMix = 2 * 64;
      ops += streams * heads * (kScore + kMix);
    }
  }
  RC_ASSERT(attention_operators(model.shape, model.layers[0], share, pass)[2].ops.value == ops);
}

TEST(Operators, ATinyLlamaTokenReadsItsWeightsAndItsCache) {
  const Model model = tinyllama();
  // 22 layers read 2048 positions of 1024 bytes and write one.
  const std::uint64_t cache = 22 * 2049 * 1024;
  EXPECT_EQ(bytes_of_a_pass(model, decode_pass(2048, 1, TensorType::kF16)), Bytes(582'231'168 + cache));
}

TEST(Operators, EveryPresetsTokenReadsItsWeightsAndItsCache) {
  for (const Preset& preset : presets()) {
    const Model model = preset_model(preset.name, TensorType::kQ8_0);
    const ModelShape& shape = model.shape;
    const std::uint64_t position =
        std::uint64_t{2} * shape.num_hidden_layers * shape.num_key_value_heads * shape.head_dim * 2;
    // Several streams read more experts than one.
    const std::uint64_t streams = shape.num_experts > 0 ? 1 : 3;
    EXPECT_EQ(bytes_of_a_pass(model, decode_pass(1000, streams, TensorType::kF16)),
              decode_weight_bytes(model) + model.token_embedding.row_bytes() * (streams - 1) +
                  Bytes(streams * 1001 * position))
        << preset.name;
  }
}

TEST(KvCache, SizesOfEveryTypeThatHoldsIt) {
  const ModelShape shape = tinyllama().shape;
  // One head's keys of one position: 64 elements; in q8_0 two blocks of 34 bytes.
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kF32, 1, 1), Bytes(2 * 256));
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kF16, 1, 1), Bytes(2 * 128));
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kQ8_0, 1, 1), Bytes(2 * 68));
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kQ8_0, 3, 2048), Bytes(2 * 68 * 3 * 2048));
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kF16, 0, 2048), Bytes(0));
  EXPECT_EQ(kv_cache_bytes(shape, TensorType::kF16, 4, 0), Bytes(0));
  EXPECT_EQ(kv_bytes_per_token(shape, TensorType::kF16), Bytes(22'528));
  EXPECT_EQ(kv_bytes_per_token(shape, TensorType::kQ8_0), Bytes(11'968));
  // 80 layers of 8 heads of 128 in f16: the 320 KiB that grouped queries are known for.
  EXPECT_EQ(kv_bytes_per_token(find_preset("llama-2-70b")->shape, TensorType::kF16), Bytes(320 * 1024));
}

TEST(HeadShares, HoldTheKeyValueHeadsTheyUse) {
  const ModelShape shape = tinyllama().shape;  // groups of 8
  const auto key_value_heads = [&](std::uint32_t first, std::uint32_t count) {
    return head_share(shape, first, count).key_value_heads;
  };
  EXPECT_EQ(key_value_heads(0, 32), 4u);
  EXPECT_EQ(key_value_heads(0, 8), 1u);
  EXPECT_EQ(key_value_heads(8, 8), 1u);
  EXPECT_EQ(key_value_heads(4, 8), 2u);
  EXPECT_EQ(key_value_heads(7, 2), 2u);
  EXPECT_EQ(key_value_heads(7, 10), 3u);
  EXPECT_EQ(key_value_heads(31, 1), 1u);
  EXPECT_EQ(head_share(shape, 4, 8).query_heads, 8u);
}

TEST(HeadShares, OfNoHeadsAreEmpty) {
  for (const std::uint32_t first : {0u, 8u, 32u}) {
    const HeadShare share = head_share(tinyllama().shape, first, 0);
    EXPECT_EQ(share.query_heads, 0u);
    EXPECT_EQ(share.key_value_heads, 0u);
  }
}

TEST(Shares, OfNothingCostNothing) {
  Model model = preset_model("qwen2.5-7b", TensorType::kQ8_0);  // with biases
  const Pass pass = decode_pass(2048, 4, TensorType::kF16);
  const auto expect_nothing = [](const auto& operators) {
    for (const Operator& op : operators) {
      EXPECT_EQ(op.bytes, Bytes(0)) << to_string(op.kind);
      EXPECT_EQ(op.ops, Ops(0)) << to_string(op.kind);
    }
  };
  expect_nothing(attention_operators(model.shape, model.layers[0], {}, pass));
  expect_nothing(ffn_operators(model.layers[0], 0, pass));
  expect_nothing(logits_operators(model, 0, pass));
  EXPECT_EQ(attention_weight_bytes(model.shape, model.layers[0], {}), Bytes(0));
  EXPECT_EQ(ffn_weight_bytes(model.layers[0], 0), Bytes(0));
  EXPECT_EQ(logits_weight_bytes(model, 0), Bytes(0));
}

TEST(Units, AHeadIsCutOnlyBetweenQuantisationBlocks) {
  const auto unit = [](std::string_view preset, TensorType quant) {
    return query_head_unit(preset_model(preset, quant));
  };
  EXPECT_EQ(unit("llama-3.2-1b", TensorType::kQ4_K), 4u);  // heads of 64, blocks of 256
  EXPECT_EQ(unit("llama-3-8b", TensorType::kQ4_K), 2u);    // heads of 128
  EXPECT_EQ(unit("llama-3-8b", TensorType::kQ4_0), 1u);
  EXPECT_EQ(unit("llama-3-8b", TensorType::kF32), 1u);

  Model mixed = preset_model("llama-3.2-1b", TensorType::kQ4_0);
  EXPECT_EQ(query_head_unit(mixed), 1u);
  mixed.layers[3].attention_output.type = TensorType::kQ6_K;
  EXPECT_EQ(query_head_unit(mixed), 4u);
  mixed.layers[3].query.type = TensorType::kQ6_K;  // cut between rows
  mixed.layers[3].attention_output.type = TensorType::kQ4_0;
  EXPECT_EQ(query_head_unit(mixed), 1u);

  ModelShape odd = find_preset("tinyllama-1.1b")->shape;
  odd.head_dim = 80;  // 32 heads of 80 make 2560; two heads end on a block of 32, of 160 columns
  EXPECT_EQ(query_head_unit(*make_model("odd", odd, TensorType::kQ8_0)), 2u);
}

TEST(Units, ColumnsAreCutBetweenTheDownProjectionsBlocks) {
  Model model = preset_model("llama-3.2-1b", TensorType::kF16);
  EXPECT_EQ(ffn_column_unit(model), 1u);
  model.layers[0].down.type = TensorType::kQ8_0;
  EXPECT_EQ(ffn_column_unit(model), 32u);
  model.layers[5].down.type = TensorType::kQ6_K;
  EXPECT_EQ(ffn_column_unit(model), 256u);
  model.layers[5].down.type = TensorType::kF16;
  model.layers[5].gate.type = TensorType::kQ6_K;
  EXPECT_EQ(ffn_column_unit(model), 32u);
}

TEST(Units, VocabularyRowsComeInTheOutputMatrixsBlocks) {
  Model model = tinyllama();
  EXPECT_EQ(vocabulary_row_unit(model), 32u);
  model.output->type = TensorType::kQ6_K;
  EXPECT_EQ(vocabulary_row_unit(model), 256u);
  model.output.reset();
  EXPECT_EQ(vocabulary_row_unit(model), 32u);  // of the table, which serves instead
  model.token_embedding.type = TensorType::kF32;
  EXPECT_EQ(vocabulary_row_unit(model), 1u);
}

// What follows: any split of any model adds up to the model, but for what the cards hold twice.

TensorType random_type(std::uint64_t columns) {
  std::vector<TensorType> types;
  for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kQ4_0, TensorType::kQ8_0,
                                TensorType::kQ4_K, TensorType::kQ6_K}) {
    if (columns % block_shape(type).elements == 0) types.push_back(type);
  }
  return *rc::gen::elementOf(types);
}

Model random_model() {
  ModelShape shape = find_preset("tinyllama-1.1b")->shape;
  shape.architecture = *rc::gen::element(Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3,
                                         Architecture::kQwen3Moe);
  if (shape.architecture == Architecture::kQwen3Moe) {
    shape.num_experts = *rc::gen::inRange(1u, 10u);
    shape.num_experts_per_tok = *rc::gen::inRange(1u, shape.num_experts + 1);
  }
  shape.num_hidden_layers = 2;
  shape.hidden_size = 32 * *rc::gen::inRange<std::uint32_t>(1, 20);
  shape.intermediate_size = 32 * *rc::gen::inRange<std::uint32_t>(1, 40);
  shape.num_key_value_heads = *rc::gen::inRange<std::uint32_t>(1, 6);
  shape.num_attention_heads = shape.num_key_value_heads * *rc::gen::inRange<std::uint32_t>(1, 9);
  shape.head_dim = *rc::gen::element(32u, 64u, 80u, 128u, 256u);
  shape.vocab_size = *rc::gen::inRange<std::uint32_t>(1, 500);
  shape.tie_word_embeddings = *rc::gen::arbitrary<bool>();
  auto model = make_model("random", shape, TensorType::kF16);
  if (!model) throw std::runtime_error(to_line(model.error()));
  for (LayerTensors& layer : model->layers) {
    for (Tensor* tensor : {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate,
                           &layer.up, &layer.down}) {
      tensor->type = random_type(tensor->columns);
    }
    if (*rc::gen::arbitrary<bool>()) {
      layer.attention_output_bias = Tensor{TensorType::kF32, shape.hidden_size, 1};
    }
  }
  return *model;
}

/// `total` dealt to some cards in multiples of `unit`; some may get nothing.
template <class Count>
std::vector<Count> random_split(Count total, Count unit) {
  std::vector<Count> cuts =
      *rc::gen::container<std::vector<Count>>(rc::gen::inRange<Count>(0, (total + unit - 1) / unit + 1));
  for (Count& cut : cuts) cut = std::min<Count>(cut * unit, total);
  cuts.push_back(total);
  std::ranges::sort(cuts);
  std::adjacent_difference(cuts.begin(), cuts.end(), cuts.begin());
  return cuts;
}

std::uint64_t bytes_of(const std::optional<Tensor>& tensor) { return tensor ? tensor->bytes().value : 0; }

std::uint64_t bytes_of_an_element(const std::optional<Tensor>& vector) {
  return vector ? block_shape(vector->type).bytes : 0;
}

RC_GTEST_PROP(Shares, HeadsAddUpToTheLayer, ()) {
  const Model model = random_model();
  const ModelShape& shape = model.shape;
  const LayerTensors& layer = model.layers[1];
  const Pass pass = decode_pass(77, 2, TensorType::kF16);
  const auto whole = attention_operators(shape, layer, all_heads(shape), pass);

  std::uint64_t weights = 0;
  std::uint64_t holders = 0;
  std::uint64_t key_value_heads = 0;
  Ops attention_ops;
  Ops output_ops;
  std::uint32_t first = 0;
  for (const std::uint32_t heads : random_split(shape.num_attention_heads, query_head_unit(model))) {
    std::set<std::uint32_t> used;
    for (std::uint32_t head = first; head < first + heads; ++head) {
      used.insert(head / (shape.num_attention_heads / shape.num_key_value_heads));
    }
    const HeadShare share = head_share(shape, first, heads);
    RC_ASSERT(share.query_heads == heads);
    RC_ASSERT(share.key_value_heads == used.size());
    first += heads;

    const auto operators = attention_operators(shape, layer, share, pass);
    const std::uint64_t cache = std::uint64_t{2} * 78 * 2 * shape.head_dim * 2 * used.size();
    const std::uint64_t stored = attention_weight_bytes(shape, layer, share).value;
    RC_ASSERT(total_bytes(operators).value == stored + cache);
    weights += stored;
    holders += heads > 0 ? 1 : 0;
    key_value_heads += used.size();
    attention_ops += operators[2].ops;
    output_ops += operators[3].ops;
  }
  RC_ASSERT(first == shape.num_attention_heads);

  const std::uint64_t on_each_card = layer.attention_norm.bytes().value +
                                     bytes_of(layer.attention_output_bias) + bytes_of(layer.query_norm) +
                                     bytes_of(layer.key_norm);
  const std::uint64_t key_value_row = layer.key.row_bytes().value + layer.value.row_bytes().value +
                                      bytes_of_an_element(layer.key_bias) +
                                      bytes_of_an_element(layer.value_bias);
  RC_ASSERT(weights == layer.query.bytes().value + bytes_of(layer.query_bias) +
                           layer.attention_output.bytes().value +
                           key_value_heads * shape.head_dim * key_value_row + holders * on_each_card);
  RC_ASSERT(attention_ops == whole[2].ops);
  RC_ASSERT(output_ops == whole[3].ops);
}

RC_GTEST_PROP(Shares, ColumnsAddUpToTheLayer, ()) {
  const Model model = random_model();
  const LayerTensors& layer = model.layers[0];
  const Pass pass = prefill_pass(7, TensorType::kF16);
  const std::uint64_t width = model.shape.intermediate_size;
  std::uint64_t weights = 0;
  std::uint64_t holders = 0;
  std::uint64_t ops = 0;
  for (const std::uint64_t columns : random_split(width, ffn_column_unit(model))) {
    const auto operators = ffn_operators(layer, columns, pass);
    const Bytes stored = ffn_weight_bytes(layer, columns);
    const bool all_are_read = model.shape.num_experts == model.shape.num_experts_per_tok;
    if (all_are_read) RC_ASSERT(total_bytes(operators) == stored);
    RC_ASSERT(total_bytes(operators) <= stored);
    weights += stored.value;
    holders += columns > 0 ? 1 : 0;
    ops += operators[2].ops.value + operators[3].ops.value;
  }
  RC_ASSERT(weights == layer.gate.bytes().value + layer.up.bytes().value + layer.down.bytes().value +
                           holders * (layer.ffn_norm.bytes().value + bytes_of(layer.router)));
  const std::uint64_t used = std::max(model.shape.num_experts_per_tok, 1u);
  RC_ASSERT(ops == 7 * 2 * 3 * width * model.shape.hidden_size * used);
}

RC_GTEST_PROP(Shares, RowsAddUpToTheOutputMatrix, ()) {
  const Model model = random_model();
  const Pass pass = decode_pass(5, 3, TensorType::kF16);
  const std::uint64_t vocabulary = model.shape.vocab_size;
  std::uint64_t weights = 0;
  std::uint64_t holders = 0;
  std::uint64_t ops = 0;
  for (const std::uint64_t rows : random_split(vocabulary, vocabulary_row_unit(model))) {
    const auto operators = logits_operators(model, rows, pass);
    const Bytes stored = logits_weight_bytes(model, rows);
    RC_ASSERT(total_bytes(operators) == stored);
    weights += stored.value;
    holders += rows > 0 ? 1 : 0;
    ops += operators[1].ops.value;
  }
  const Tensor& matrix = model.shape.tie_word_embeddings ? model.token_embedding : model.output.value();
  RC_ASSERT(weights == matrix.bytes().value + holders * model.output_norm.bytes().value);
  RC_ASSERT(ops == 3 * 2 * vocabulary * model.shape.hidden_size);
}

}  // namespace
}  // namespace spanker
