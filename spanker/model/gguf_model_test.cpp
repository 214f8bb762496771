#include "spanker/model/gguf_model.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "spanker/model/gguf_bytes_for_test.hpp"
#include "spanker/model/gguf_files_for_test.hpp"

namespace spanker {
namespace {

using testing::GgufBytes;

struct Info {
  std::vector<std::uint64_t> dimensions;
  std::uint32_t type;
};

/// A model file in parts, to be spoiled one at a time: packed keys and tensors by name.
struct Parts {
  std::map<std::string, std::string> keys;
  std::map<std::string, Info> tensors;

  void put(const std::string& key, std::uint32_t value) { keys[key] = GgufBytes().u32_key(key, value).str(); }
  void put(const std::string& key, float value) {
    keys[key] = GgufBytes().key(key, 6).u32(std::bit_cast<std::uint32_t>(value)).str();
  }
  void put(const std::string& key, const char* value) {
    keys[key] = GgufBytes().string_key(key, value).str();
  }
  void put(const std::string& key, const std::vector<std::uint32_t>& values) {
    GgufBytes bytes;
    bytes.key(key, 9).u32(5).u64(values.size());
    for (const std::uint32_t value : values) bytes.u32(value);
    keys[key] = bytes.str();
  }

  std::string pack() const {
    GgufBytes bytes;
    bytes.header(tensors.size(), keys.size());
    for (const auto& [key, packed] : keys) bytes.raw(packed);
    // Widths of the types that these tests use: f32, f16, q4_0 (18 bytes for 32), and 4 bytes at most for
    // others.
    std::uint64_t offset = 0;
    for (const auto& [name, info] : tensors) {
      bytes.text(name).u32(info.dimensions.size());
      std::uint64_t elements = 1;
      for (const std::uint64_t dimension : info.dimensions) {
        bytes.u64(dimension);
        elements *= dimension;
      }
      bytes.u32(info.type).u64(offset);
      offset += (4 * elements + 31) / 32 * 32;
    }
    return bytes.pad().zeros(offset).str();
  }
};

/// Two layers of a llama: hidden 64, ffn 96, 4 heads over 2 of size 16, 100 words, matrices q4_0, as written
/// by hand.
Parts llama() {
  Parts parts;
  parts.put("general.architecture", "llama");
  parts.put("general.name", "hand made");
  parts.put("llama.block_count", 2u);
  parts.put("llama.embedding_length", 64u);
  parts.put("llama.feed_forward_length", 96u);
  parts.put("llama.attention.head_count", 4u);
  parts.put("llama.attention.head_count_kv", 2u);
  parts.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  parts.put("llama.context_length", 512u);
  parts.put("llama.vocab_size", 100u);
  parts.tensors["token_embd.weight"] = {{64, 100}, 2};
  parts.tensors["output.weight"] = {{64, 100}, 8};
  parts.tensors["output_norm.weight"] = {{64}, 0};
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    parts.tensors[layer + "attn_norm.weight"] = {{64}, 0};
    parts.tensors[layer + "attn_q.weight"] = {{64, 64}, 2};
    parts.tensors[layer + "attn_k.weight"] = {{64, 32}, 2};
    parts.tensors[layer + "attn_v.weight"] = {{64, 32}, 2};
    parts.tensors[layer + "attn_output.weight"] = {{64, 64}, 2};
    parts.tensors[layer + "ffn_norm.weight"] = {{64}, 0};
    parts.tensors[layer + "ffn_gate.weight"] = {{64, 96}, 2};
    parts.tensors[layer + "ffn_up.weight"] = {{64, 96}, 2};
    parts.tensors[layer + "ffn_down.weight"] = {{96, 64}, 2};
  }
  return parts;
}

/// The same as another architecture, whose keys carry its name.
Parts as(const std::string& architecture) {
  const Parts from = llama();
  Parts parts;
  parts.tensors = from.tensors;
  for (const auto& [key, packed] : from.keys) {
    if (!key.starts_with("llama.")) {
      parts.keys[key] = packed;
      continue;
    }
    const std::string renamed = architecture + key.substr(5);
    parts.keys[renamed] = GgufBytes().text(renamed).raw(packed.substr(8 + key.size())).str();
  }
  parts.put("general.architecture", architecture.c_str());
  return parts;
}

Result<Model> read(const Parts& parts, const std::string& name = "dir/f.gguf") {
  const std::string bytes = parts.pack();
  return testing::one_gguf(std::as_bytes(std::span(bytes)), name).and_then(model_from_gguf);
}

std::string error_line(const Parts& parts) {
  const auto model = read(parts);
  if (model) return "no error";
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  return to_line(model.error());
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(GgufModel, ReadsALlama) {
  const auto model = read(llama());
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_EQ(model->name, "hand made");
  EXPECT_EQ(model->shape,
            (ModelShape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 100, 512, 1e-5, 10000, false}));
  EXPECT_EQ(model->token_embedding, (Tensor{TensorType::kQ4_0, 64, 100}));
  EXPECT_EQ(model->output, (Tensor{TensorType::kQ8_0, 64, 100}));
  EXPECT_EQ(model->output_norm, (Tensor{TensorType::kF32, 64, 1}));
  EXPECT_FALSE(model->rope_frequencies);
  ASSERT_EQ(model->layers.size(), 2u);
  EXPECT_EQ(model->layers[0], model->layers[1]);
  EXPECT_EQ(model->layers[1].key, (Tensor{TensorType::kQ4_0, 64, 32}));
  EXPECT_EQ(model->layers[1].down, (Tensor{TensorType::kQ4_0, 96, 64}));
  EXPECT_FALSE(model->layers[0].query_bias);
}

TEST(GgufModel, Architectures) {
  const auto mistral = read(as("mistral"));
  ASSERT_TRUE(mistral) << to_line(mistral.error());
  EXPECT_EQ(mistral->shape.architecture, Architecture::kMistral);

  Parts qwen2 = as("qwen2");
  EXPECT_HAS(error_line(qwen2), "tensor blk.0.attn_q.bias: tensor is missing, wanted 64");
  Parts qwen3 = as("qwen3");
  EXPECT_HAS(error_line(qwen3), "tensor blk.0.attn_q_norm.weight: tensor is missing, wanted 16");
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    qwen2.tensors[layer + "attn_q.bias"] = {{64}, 0};
    qwen2.tensors[layer + "attn_k.bias"] = {{32}, 0};
    qwen2.tensors[layer + "attn_v.bias"] = {{32}, 1};
    qwen3.tensors[layer + "attn_q_norm.weight"] = {{16}, 0};
    qwen3.tensors[layer + "attn_k_norm.weight"] = {{16}, 0};
  }
  const auto with_biases = read(qwen2);
  ASSERT_TRUE(with_biases) << to_line(with_biases.error());
  EXPECT_EQ(with_biases->shape.architecture, Architecture::kQwen2);
  EXPECT_EQ(with_biases->layers[1].query_bias, (Tensor{TensorType::kF32, 64, 1}));
  EXPECT_EQ(with_biases->layers[1].value_bias, (Tensor{TensorType::kF16, 32, 1}));
  const auto with_norms = read(qwen3);
  ASSERT_TRUE(with_norms) << to_line(with_norms.error());
  EXPECT_EQ(with_norms->layers[0].query_norm, (Tensor{TensorType::kF32, 16, 1}));

  EXPECT_HAS(error_line(as("gemma3")),
             "dir/f.gguf: general.architecture: architecture is not read, wanted llama, mistral, "
             "qwen2, qwen3 or qwen3moe, got \"gemma3\"");
}

/// The same with six experts for each network, of which a token uses two.
Parts with_experts(Parts parts, const std::string& architecture) {
  parts.put(architecture + ".expert_count", 6u);
  parts.put(architecture + ".expert_used_count", 2u);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    for (const std::string name : {"ffn_gate", "ffn_up", "ffn_down"}) {
      Info info = parts.tensors.extract(layer + name + ".weight").mapped();
      info.dimensions.push_back(6);
      parts.tensors[layer + name + "_exps.weight"] = info;
    }
    parts.tensors[layer + "ffn_gate_inp.weight"] = {{64, 6}, 0};
  }
  return parts;
}

Parts mixtral() { return with_experts(llama(), "llama"); }

Parts qwen3moe() {
  Parts parts = with_experts(as("qwen3moe"), "qwen3moe");
  parts.put("qwen3moe.expert_feed_forward_length", 96u);
  parts.put("qwen3moe.feed_forward_length", 4096u);  // of dense layers
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    parts.tensors[layer + "attn_q_norm.weight"] = {{16}, 0};
    parts.tensors[layer + "attn_k_norm.weight"] = {{16}, 0};
  }
  return parts;
}

TEST(GgufModel, MixturesOfExperts) {
  const auto llama_with_experts = read(mixtral());
  ASSERT_TRUE(llama_with_experts) << to_line(llama_with_experts.error());
  EXPECT_EQ(llama_with_experts->shape,
            (ModelShape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 100, 512, 1e-5, 10000, false, 6, 2}));
  const LayerTensors& layer = llama_with_experts->layers[1];
  EXPECT_EQ(layer.router, (Tensor{TensorType::kF32, 64, 6}));
  EXPECT_EQ(layer.gate, (Tensor{TensorType::kQ4_0, 64, 96, 6}));
  EXPECT_EQ(layer.down, (Tensor{TensorType::kQ4_0, 96, 64, 6}));
  EXPECT_EQ(layer.experts_per_token, 2u);

  const auto qwen = read(qwen3moe());
  ASSERT_TRUE(qwen) << to_line(qwen.error());
  EXPECT_EQ(qwen->shape,
            (ModelShape{Architecture::kQwen3Moe, 2, 64, 96, 4, 2, 16, 100, 512, 1e-5, 10000, false, 6, 2}));
  EXPECT_TRUE(qwen->layers[0].query_norm);

  Parts quantised = mixtral();
  quantised.tensors["blk.0.ffn_gate_inp.weight"].type = 8;
  EXPECT_EQ(read(quantised)->layers[0].router->type, TensorType::kQ8_0);
}

TEST(GgufModel, ExpertsThatCannotBe) {
  const auto with = [](Parts parts, const std::string& key, auto value) {
    parts.put(key, value);
    return error_line(parts);
  };
  EXPECT_HAS(with(mixtral(), "llama.expert_used_count", 7u),
             "dir/f.gguf: num_experts_per_tok out of range, wanted 1 to 6, got 7");
  EXPECT_HAS(with(mixtral(), "llama.expert_used_count", 0u), "num_experts_per_tok out of range");
  EXPECT_HAS(with(mixtral(), "llama.expert_count", 0xFFFFFFFFu), "out of range");
  EXPECT_HAS(with(mixtral(), "llama.expert_count", 7u),
             "tensor blk.0.ffn_gate_inp.weight: wrong dimensions, wanted 64 x 7, got 64 x 6");
  EXPECT_HAS(with(as("mistral"), "mistral.expert_count", 8u), "mistral.expert_used_count: key is missing");
  EXPECT_HAS(error_line(with_experts(as("mistral"), "mistral")), "num_experts out of range for mistral");
  EXPECT_HAS(error_line(as("qwen3moe")), "qwen3moe.expert_feed_forward_length: key is missing");
  Parts none = as("qwen3moe");
  none.put("qwen3moe.expert_feed_forward_length", 96u);
  EXPECT_HAS(error_line(none), "num_experts out of range for qwen3moe, wanted 1 to 65536, got 0");
  Parts unsaid = mixtral();
  unsaid.keys.erase("llama.expert_used_count");
  EXPECT_HAS(error_line(unsaid), "llama.expert_used_count: key is missing, wanted an integer");
}

TEST(GgufModel, LayersThatAreMoreThanAMixtureAreRefused) {
  for (const std::string key : {"qwen3moe.expert_shared_count", "qwen3moe.leading_dense_block_count"}) {
    Parts parts = qwen3moe();
    parts.put(key, 1u);
    EXPECT_HAS(error_line(parts),
               "dir/f.gguf: " + key +
                   ": layers that are more than one mixture of experts are not read, wanted 0, got 1");
    parts.put(key, 0u);
    EXPECT_EQ(error_line(parts), "no error");
  }
  const auto with_tensor = [](const std::string& name) {
    Parts parts = qwen3moe();
    parts.tensors[name] = {{64, 96}, 2};
    return error_line(parts);
  };
  EXPECT_HAS(with_tensor("blk.0.ffn_gate_shexp.weight"),
             "tensor blk.0.ffn_gate_shexp.weight: shared experts are not read");
  EXPECT_HAS(with_tensor("blk.0.ffn_gate_inp_shexp.weight"), "shared experts are not read");
  EXPECT_HAS(with_tensor("blk.1.ffn_up.weight"),
             "tensor blk.1.ffn_up.weight: dense layers beside mixtures of experts are not read");
  EXPECT_HAS(
      with_tensor("blk.0.ffn_gate.5.weight"),
      "tensor blk.0.ffn_gate.5.weight: experts in a tensor each are not read, wanted all experts of a layer "
      "in ffn_gate_exps, ffn_up_exps and ffn_down_exps");
  EXPECT_HAS(with_tensor("blk.0.exp_probs_b.bias"), "tensor does not belong to the model");
  Parts dense = llama();
  dense.tensors["blk.0.ffn_gate_exps.weight"] = {{64, 96, 6}, 2};
  EXPECT_HAS(error_line(dense), "tensor blk.0.ffn_gate_exps.weight: tensor does not belong to the model");
}

TEST(GgufModel, OptionalTensorsAreKept) {
  Parts parts = llama();
  parts.tensors["rope_freqs.weight"] = {{8}, 0};
  parts.tensors["blk.1.attn_output.bias"] = {{64}, 0};
  parts.tensors["blk.0.attn_q.bias"] = {{64}, 0};
  const auto model = read(parts);
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_EQ(model->rope_frequencies, (Tensor{TensorType::kF32, 8, 1}));
  EXPECT_EQ(model->layers[1].attention_output_bias, (Tensor{TensorType::kF32, 64, 1}));
  EXPECT_TRUE(model->layers[0].query_bias);
  EXPECT_FALSE(model->layers[1].query_bias);
}

TEST(GgufModel, WithoutOutputTheEmbeddingIsTied) {
  Parts parts = llama();
  parts.tensors.erase("output.weight");
  const auto model = read(parts);
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_TRUE(model->shape.tie_word_embeddings);
  EXPECT_FALSE(model->output);
}

TEST(GgufModel, NamesComeFromTheKeyOrTheFile) {
  Parts parts = llama();
  parts.put("general.name", "two\nlines \xFF");
  EXPECT_EQ(read(parts)->name, "two\\nlines \\xff");
  parts.put("general.name", "");
  EXPECT_EQ(read(parts)->name, "f");
  parts.keys.erase("general.name");
  EXPECT_EQ(read(parts, "a/b/my.model.gguf")->name, "my.model");
  parts.put("general.name", 3u);
  EXPECT_EQ(read(parts)->name, "f");
}

TEST(GgufModel, KeysWithDefaults) {
  Parts parts = llama();
  parts.keys.erase("llama.attention.head_count_kv");
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    parts.tensors[layer + "attn_k.weight"] = {{64, 64}, 2};
    parts.tensors[layer + "attn_v.weight"] = {{64, 64}, 2};
  }
  const auto every_head = read(parts);
  ASSERT_TRUE(every_head) << to_line(every_head.error());
  EXPECT_EQ(every_head->shape.num_key_value_heads, 4u);

  parts = llama();
  parts.put("llama.rope.freq_base", 5e5f);
  EXPECT_EQ(read(parts)->shape.rope_theta, 500000);

  parts = llama();
  parts.put("llama.attention.key_length", 32u);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    parts.tensors[layer + "attn_q.weight"] = {{64, 128}, 2};
    parts.tensors[layer + "attn_k.weight"] = {{64, 64}, 2};
    parts.tensors[layer + "attn_v.weight"] = {{64, 64}, 2};
    parts.tensors[layer + "attn_output.weight"] = {{128, 64}, 2};
  }
  const auto wide = read(parts);
  ASSERT_TRUE(wide) << to_line(wide.error());
  EXPECT_EQ(wide->shape.head_dim, 32u);
}

TEST(GgufModel, VocabularySizeFromTheTokenTableOrTheEmbedding) {
  Parts parts = llama();
  parts.keys.erase("llama.vocab_size");
  EXPECT_EQ(read(parts)->shape.vocab_size, 100u);
  parts.put("tokenizer.ggml.tokens", std::vector<std::uint32_t>(100));
  EXPECT_EQ(read(parts)->shape.vocab_size, 100u);
  parts.put("tokenizer.ggml.tokens", std::vector<std::uint32_t>(99));
  EXPECT_HAS(error_line(parts), "wrong dimensions, wanted 64 x 99, got 64 x 100");
  parts.put("tokenizer.ggml.tokens", 100u);
  EXPECT_HAS(error_line(parts), "tokenizer.ggml.tokens: value of a wrong type, wanted an array, got uint32");
  parts.keys.erase("tokenizer.ggml.tokens");
  parts.tensors.erase("token_embd.weight");
  EXPECT_HAS(error_line(parts), "vocab_size out of range");
}

TEST(GgufModel, CountsMayBeGivenForEachLayer) {
  for (const std::string key :
       {"llama.attention.head_count_kv", "llama.attention.head_count", "llama.feed_forward_length"}) {
    const std::uint32_t right = key.ends_with("kv") ? 2 : key.ends_with("count") ? 4 : 96;
    Parts parts = llama();
    parts.put(key, std::vector<std::uint32_t>{right, right});
    EXPECT_EQ(error_line(parts), "no error");
    parts.put(key, std::vector<std::uint32_t>{right, right + 1});
    EXPECT_HAS(error_line(parts), key + ": layers that differ are not read");
    parts.put(key, std::vector<std::uint32_t>{right});
    EXPECT_HAS(error_line(parts),
               key + ": array of a wrong length, wanted one number for each of 2 layers, got 1");
    parts.put(key, std::vector<std::uint32_t>{0xFFFFFFFF, 0xFFFFFFFF});
    EXPECT_HAS(error_line(parts), key + ": number out of range");
    parts.put(key, "two");
    EXPECT_HAS(error_line(parts), key + ": value of a wrong type, wanted an integer, got string");
  }
  Parts none = llama();
  none.put("llama.block_count", 0u);
  none.put("llama.attention.head_count_kv", std::vector<std::uint32_t>{});
  EXPECT_HAS(error_line(none), "llama.attention.head_count_kv: number out of range");
}

TEST(GgufModel, EveryRequiredKey) {
  for (const std::string key :
       {"general.architecture", "llama.block_count", "llama.embedding_length", "llama.feed_forward_length",
        "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon", "llama.context_length"}) {
    Parts parts = llama();
    parts.keys.erase(key);
    EXPECT_HAS(error_line(parts), "dir/f.gguf: " + key + ": key is missing");
    parts.put(key, std::vector<std::uint32_t>{});
    EXPECT_HAS(error_line(parts), "dir/f.gguf: " + key + ": ");
  }
}

TEST(GgufModel, OptionalKeysOfAWrongType) {
  for (const std::string key :
       {"llama.attention.head_count_kv", "llama.attention.key_length", "llama.attention.value_length",
        "llama.rope.dimension_count", "llama.rope.freq_base", "llama.vocab_size", "llama.expert_count",
        "split.count"}) {
    Parts parts = llama();
    parts.put(key, "text");
    EXPECT_HAS(error_line(parts), key + ": value of a wrong type");
  }
}

TEST(GgufModel, ShapesThatCannotBe) {
  const auto with = [](const std::string& key, auto value) {
    Parts parts = llama();
    parts.put(key, value);
    return error_line(parts);
  };
  EXPECT_HAS(with("llama.block_count", 0u), "num_hidden_layers out of range, wanted 1 to 4096, got 0");
  EXPECT_HAS(with("llama.block_count", 0xFFFFFFFFu), "num_hidden_layers out of range");
  EXPECT_HAS(with("llama.embedding_length", 0u), "hidden_size out of range");
  EXPECT_HAS(with("llama.attention.head_count", 0u), "num_attention_heads out of range");
  EXPECT_HAS(with("llama.attention.head_count_kv", 3u), "multiple of num_key_value_heads");
  EXPECT_HAS(with("llama.attention.layer_norm_rms_epsilon", std::nanf("")), "rms_norm_eps out of range");
  EXPECT_HAS(with("llama.rope.freq_base", -1.0f), "rope_theta out of range");
  EXPECT_HAS(with("llama.attention.head_count", 5u),
             "llama.attention.head_count: embedding_length is not a multiple of it, and there is no "
             "key_length, wanted a "
             "divisor of 64, got 5");
  EXPECT_HAS(with("llama.attention.value_length", 8u),
             "llama.attention.value_length: differs from the key length, wanted 16, got 8");
  EXPECT_HAS(with("llama.rope.dimension_count", 8u),
             "llama.rope.dimension_count: differs from the key length, wanted 16, got 8");
}

TEST(GgufModel, WhatIsNotReadYet) {
  Parts parts = llama();
  parts.put("split.count", 3u);
  EXPECT_HAS(error_line(parts), "split.no: key is missing");
  parts.put("split.no", 0u);
  parts.put("split.tensors.count", 21u);
  EXPECT_HAS(error_line(parts), "split.count: parts disagree on their number, wanted 1, got 3");
  parts.put("split.count", 1u);
  parts.put("llama.expert_count", 0u);
  EXPECT_EQ(error_line(parts), "no error");
  parts.tensors["blk.0.attn_qkv.weight"] = {{64, 128}, 2};
  EXPECT_HAS(error_line(parts),
             "tensor blk.0.attn_qkv.weight: fused query, key and value tensors are not read");
}

TEST(GgufModel, EveryTensorMustBeThere) {
  for (const Parts& whole : {llama(), mixtral(), qwen3moe()}) {
    for (const auto& [name, info] : whole.tensors) {
      if (name == "output.weight") continue;
      Parts parts = whole;
      parts.tensors.erase(name);
      EXPECT_HAS(error_line(parts), "dir/f.gguf: tensor " + name + ": tensor is missing");
    }
  }
}

TEST(GgufModel, EveryTensorMustHaveItsDimensions) {
  for (const Parts& whole : {llama(), mixtral()}) {
    for (const auto& [name, info] : whole.tensors) {
      for (std::size_t i = 0; i < info.dimensions.size(); ++i) {
        Parts parts = whole;
        parts.tensors[name].dimensions[i] *= 2;
        EXPECT_HAS(error_line(parts), "dir/f.gguf: tensor " + name + ": wrong dimensions");
      }
      Parts parts = whole;
      parts.tensors[name].dimensions.resize(4, 1);
      EXPECT_EQ(error_line(parts), "no error") << name;
      parts.tensors[name].dimensions.back() = 2;
      EXPECT_HAS(error_line(parts), "dir/f.gguf: tensor " + name + ": wrong dimensions");
    }
  }
  Parts folded = llama();
  folded.tensors["token_embd.weight"] = {{64, 1, 100}, 2};
  EXPECT_HAS(error_line(folded),
             "tensor token_embd.weight: wrong dimensions, wanted 64 x 100, got 64 x 1 x 100");
}

TEST(GgufModel, TensorTypes) {
  Parts parts = llama();
  parts.tensors["blk.0.attn_norm.weight"].type = 1;
  EXPECT_EQ(error_line(parts), "no error");
  parts.tensors["blk.0.attn_norm.weight"].type = 8;
  EXPECT_HAS(error_line(parts), "tensor blk.0.attn_norm.weight: wrong type, wanted f32 or f16, got q8_0");
  parts = llama();
  parts.tensors["blk.1.ffn_up.weight"].type = 26;
  EXPECT_HAS(error_line(parts),
             "tensor blk.1.ffn_up.weight: wrong type, wanted a floating-point or quantised type, got i32");
}

TEST(GgufModel, UnexpectedTensors) {
  for (const std::string name : {"blk.2.attn_norm.weight", "blk.0.attn_q_norm.weight", "blk.0.ffn_gate.bias",
                                 "extra", "rope_factors_long.weight"}) {
    Parts parts = llama();
    parts.tensors[name] = {{16}, 0};
    EXPECT_HAS(error_line(parts), "dir/f.gguf: tensor " + name + ": tensor does not belong to the model");
  }
}

}  // namespace
}  // namespace spanker
