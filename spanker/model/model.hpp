#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/model/tensor_type.hpp"

namespace spanker {

enum class Architecture { kLlama, kMistral, kQwen2, kQwen3 };

/// "llama", "mistral", "qwen2", "qwen3".
std::string_view to_string(Architecture architecture);

/// Hyperparameters, in HF's names.
struct ModelShape {
  Architecture architecture = Architecture::kLlama;
  std::uint32_t num_hidden_layers = 0;
  std::uint32_t hidden_size = 0;
  std::uint32_t intermediate_size = 0;
  std::uint32_t num_attention_heads = 0;
  std::uint32_t num_key_value_heads = 0;  ///< divides num_attention_heads
  std::uint32_t head_dim = 0;
  std::uint32_t vocab_size = 0;
  std::uint32_t max_position_embeddings = 0;
  double rms_norm_eps = 0;
  double rope_theta = 0;
  bool tie_word_embeddings = false;

  bool operator==(const ModelShape&) const = default;
};

/// A stored tensor: `rows` rows of `columns` contiguous elements (ggml's ne[1] and ne[0]). y = W x maps
/// `columns` inputs to `rows` outputs. Invariant: columns is a multiple of the type's block, and bytes() fits
/// in 2^63.
struct Tensor {
  TensorType type = TensorType::kF32;
  std::uint64_t columns = 0;
  std::uint64_t rows = 1;

  Bytes row_bytes() const;
  Bytes bytes() const;
  std::uint64_t elements() const { return columns * rows; }

  bool operator==(const Tensor&) const = default;
};

/// The tensors of one transformer layer, by role (GGUF names in comments).
struct LayerTensors {
  Tensor attention_norm;                                   // attn_norm.weight
  Tensor query, key, value;                                // attn_q, attn_k, attn_v
  Tensor attention_output;                                 // attn_output: columns are heads * head_dim
  std::optional<Tensor> query_bias, key_bias, value_bias;  // attn_{q,k,v}.bias
  std::optional<Tensor> attention_output_bias;             // attn_output.bias
  std::optional<Tensor> query_norm, key_norm;  // attn_{q,k}_norm.weight, one head_dim each (qwen3)
  Tensor ffn_norm;                             // ffn_norm.weight
  Tensor gate, up;                             // ffn_gate, ffn_up: rows are intermediate_size
  Tensor down;                                 // ffn_down: columns are intermediate_size

  bool operator==(const LayerTensors&) const = default;
};

/// A model as a planner sees it: its shape and how each tensor is stored, without the values.
struct Model {
  std::string name;
  ModelShape shape;
  Tensor token_embedding;        ///< token_embd.weight
  Tensor output_norm;            ///< output_norm.weight
  std::optional<Tensor> output;  ///< output.weight; absent: the embedding table serves (tie_word_embeddings)
  std::optional<Tensor> rope_frequencies;  ///< rope_freqs.weight
  std::vector<LayerTensors> layers;        ///< num_hidden_layers of them

  /// The matrix that makes logits: `output`, or the token embedding where they are tied.
  const Tensor& output_matrix() const { return output ? *output : token_embedding; }
};

/// Every element of every tensor, counted once.
std::uint64_t parameter_count(const Model& model);
/// Stored bytes of every tensor.
Bytes weight_bytes(const Model& model);
/// Stored bytes read to decode one token: every tensor but the embedding table once, and one embedding row.
/// Where the table also makes the logits it is read whole, and the row comes on top.
Bytes decode_weight_bytes(const Model& model);

}  // namespace spanker
