#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "spanker/graph/pass.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The kernels of a pass, in the order in which a card runs them.
enum class OperatorKind {
  kEmbedding,        ///< look up a row of the table for each token
  kAttentionNorm,    ///< RMSNorm before attention
  kQkv,              ///< query, key and value projections, biases, norms and rotation, as one kernel
  kAttention,        ///< write the new keys and values, read the cache, mix the values
  kAttentionOutput,  ///< output projection: a partial sum where heads are split
  kFfnNorm,          ///< RMSNorm before the feed-forward network
  kRouter,           ///< picks each token's experts; of no bytes and no ops in a dense layer
  kGateUp,           ///< gate and up projections and SwiGLU, as one kernel, of all experts that are used
  kDown,             ///< down projection: a partial sum where columns are split
  kOutputNorm,       ///< RMSNorm before the logits
  kLogits,           ///< output matrix, last position of each stream only
};

/// "embedding", "attention_norm", ...
std::string_view to_string(OperatorKind kind);

/// What one kernel moves and computes on one card in one pass.
struct Operator {
  OperatorKind kind;
  Bytes bytes;  ///< stored bytes of its weights, read once, and of the KV cache, read and written
  Ops ops;      ///< a multiply-add counts as two
};

/// The part of a layer's attention that one card holds: `query_heads` heads and the key/value heads they use.
struct HeadShare {
  std::uint32_t query_heads = 0;
  std::uint32_t key_value_heads = 0;
};

/// The share of the card that is given query heads [first, first + count): every key/value head one of them
/// uses.
HeadShare head_share(const ModelShape& shape, std::uint32_t first, std::uint32_t count);

/// Smallest number of query heads that a card can be given: the output projection is split along its columns,
/// which can be cut only between quantisation blocks of every layer. lcm(head_dim, block) / head_dim; divides
/// the number of heads.
std::uint32_t query_head_unit(const Model& model);
/// Smallest number of FFN columns (of each expert) that a card can be given: the lcm of the down projections'
/// quantisation blocks; divides intermediate_size.
std::uint64_t ffn_column_unit(const Model& model);
/// Smallest number of vocabulary rows: the output matrix' quantisation block (the last piece may be smaller).
std::uint64_t vocabulary_row_unit(const Model& model);

/// Bytes of weights that `rows` tokens read of a layer's experts, `one_expert` bytes each, where each token
/// uses `used` of `experts`: all that one of them uses is read once. If tokens choose evenly and apart from
/// each other, an expert is left out by a token with probability 1 - used/experts, so that
///   experts * (1 - (1 - used / experts)^rows)
/// are read on average, and their bytes to the nearest whole one. Exactly `used` for one row, and exactly all
/// where used = experts, as in a dense layer, which is one expert.
Bytes expert_bytes_read(Bytes one_expert, std::uint64_t experts, std::uint64_t used, std::uint64_t rows);

/// One row of the embedding table for each token.
Operator embedding_operator(const Model& model, const Pass& pass);

// Operators of a card's share of one layer; of no bytes and no ops where the share is empty. Matmuls count
// 2 ops per weight and row of activations, norms 4 per element; with b streams, n new tokens and context c
// attention counts 4 * heads * head_dim * b * (n c - n (n - 1) / 2), and reads 2 * kv heads * head_dim * c *
// b elements of cache. Of a layer's network a card has `columns` columns of every expert and the whole
// router; each row of activations passes through the experts_per_token that the router picks.
std::array<Operator, 4> attention_operators(const ModelShape& shape, const LayerTensors& layer,
                                            HeadShare share, const Pass& pass);
std::array<Operator, 4> ffn_operators(const LayerTensors& layer, std::uint64_t columns, const Pass& pass);
/// Final norm and the logits of `rows` vocabulary rows.
std::array<Operator, 2> logits_operators(const Model& model, std::uint64_t rows, const Pass& pass);

// Stored bytes, of all experts, for memory and load; nothing for an empty share.
Bytes attention_weight_bytes(const ModelShape& shape, const LayerTensors& layer, HeadShare share);
Bytes ffn_weight_bytes(const LayerTensors& layer, std::uint64_t columns);
Bytes logits_weight_bytes(const Model& model, std::uint64_t rows);
/// Key/value cache of one layer: `positions` positions of `key_value_heads` heads, keys and values.
Bytes kv_cache_bytes(const ModelShape& shape, TensorType kv_type, std::uint32_t key_value_heads,
                     std::uint64_t positions);
/// Key/value cache of one position over all layers, not split.
Bytes kv_bytes_per_token(const ModelShape& shape, TensorType kv_type);

}  // namespace spanker
