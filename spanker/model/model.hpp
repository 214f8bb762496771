#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/model/tensor_type.hpp"

namespace spanker {

/// GGUF's architectures. Mixtral is a llama with experts there, and so it is here.
enum class Architecture { kLlama, kMistral, kQwen2, kQwen3, kQwen3Moe };

/// "llama", "mistral", "qwen2", "qwen3", "qwen3moe".
std::string_view to_string(Architecture architecture);

/// Hyperparameters, in HF's names.
struct ModelShape {
  Architecture architecture = Architecture::kLlama;
  std::uint32_t num_hidden_layers = 0;
  std::uint32_t hidden_size = 0;
  std::uint32_t intermediate_size = 0;  ///< of one expert where there are experts (moe_intermediate_size)
  std::uint32_t num_attention_heads = 0;
  std::uint32_t num_key_value_heads = 0;  ///< divides num_attention_heads
  std::uint32_t head_dim = 0;
  std::uint32_t vocab_size = 0;
  std::uint32_t max_position_embeddings = 0;
  double rms_norm_eps = 0;
  double rope_theta = 0;
  bool tie_word_embeddings = false;
  std::uint32_t num_experts = 0;  ///< of each layer (Mixtral: num_local_experts); 0: a dense model
  std::uint32_t num_experts_per_tok =
      0;  ///< that the router picks for a token, 1 to num_experts; 0 in a dense model

  // A dense layer is one expert, which every token uses.
  std::uint32_t experts() const { return std::max(num_experts, 1u); }
  std::uint32_t experts_per_token() const { return std::max(num_experts_per_tok, 1u); }

  bool operator==(const ModelShape&) const = default;
};

/// A stored tensor: `matrices` matrices, one behind the other, of `rows` rows of `columns` contiguous
/// elements (ggml's ne[2], ne[1] and ne[0]). y = W x maps `columns` inputs to `rows` outputs. Only the
/// experts of a layer are a stack of more than one matrix. Invariant: columns is a multiple of the type's
/// block, and bytes() fits in 2^63.
struct Tensor {
  TensorType type = TensorType::kF32;
  std::uint64_t columns = 0;
  std::uint64_t rows = 1;
  std::uint64_t matrices = 1;

  Bytes row_bytes() const;
  Bytes matrix_bytes() const { return row_bytes() * rows; }
  Bytes bytes() const { return matrix_bytes() * matrices; }
  std::uint64_t elements() const { return columns * rows * matrices; }

  bool operator==(const Tensor&) const = default;
};

/// The tensors of one transformer layer, by role (GGUF names in comments).
struct LayerTensors {
  Tensor attention_norm;                                   // attn_norm.weight
  Tensor query, key, value;                                // attn_q, attn_k, attn_v
  Tensor attention_output;                                 // attn_output: columns are heads * head_dim
  std::optional<Tensor> query_bias, key_bias, value_bias;  // attn_{q,k,v}.bias
  std::optional<Tensor> attention_output_bias;             // attn_output.bias
  std::optional<Tensor> query_norm, key_norm;  // attn_{q,k}_norm.weight, one head_dim each (qwen3, qwen3moe)
  Tensor ffn_norm;                             // ffn_norm.weight
  std::optional<Tensor> router;                // ffn_gate_inp: a row for each expert; none in a dense layer
  Tensor gate, up;                             // ffn_gate, ffn_up (_exps): rows are intermediate_size
  Tensor down;                                 // ffn_down (_exps): columns are intermediate_size
  std::uint32_t experts_per_token = 1;         // matrices of gate, up and down that one token uses

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
/// Stored bytes read to decode one token: every tensor but the embedding table once, of a stack of experts
/// the num_experts_per_tok that the router picks, and one embedding row. Where the table also makes the
/// logits it is read whole, and the row comes on top.
Bytes decode_weight_bytes(const Model& model);
/// Of those, the bytes of an average layer, rounded down.
Bytes decode_layer_bytes(const Model& model);

}  // namespace spanker
