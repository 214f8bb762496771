#include "spanker/graph/operators.hpp"

#include <cmath>
#include <numeric>

namespace spanker {
namespace {

Bytes stored(const Tensor& tensor) { return tensor.bytes(); }

Bytes stored(const std::optional<Tensor>& tensor) { return tensor ? tensor->bytes() : Bytes(); }

/// A vector has one element a row that the matrix beside it has.
Bytes elements_of(const std::optional<Tensor>& vector, std::uint64_t elements) {
  if (!vector) return Bytes();
  return Tensor{vector->type, elements, 1}.bytes();
}

// These two are of one matrix, of a stack too.
Bytes rows_of(const Tensor& tensor, std::uint64_t rows) { return tensor.row_bytes() * rows; }

Bytes columns_of(const Tensor& tensor, std::uint64_t columns) {
  return Tensor{tensor.type, columns, tensor.rows}.bytes();
}

constexpr std::uint64_t kNormOpsPerElement = 4;  // square, sum, scale, weight

Operator norm_operator(OperatorKind kind, const Tensor& weight, std::uint64_t rows) {
  return {kind, stored(weight), Ops(kNormOpsPerElement * weight.elements() * rows)};
}

Bytes qkv_bytes(const ModelShape& shape, const LayerTensors& layer, HeadShare share) {
  const std::uint64_t query_rows = std::uint64_t{share.query_heads} * shape.head_dim;
  const std::uint64_t key_rows = std::uint64_t{share.key_value_heads} * shape.head_dim;
  return rows_of(layer.query, query_rows) + rows_of(layer.key, key_rows) + rows_of(layer.value, key_rows) +
         elements_of(layer.query_bias, query_rows) + elements_of(layer.key_bias, key_rows) +
         elements_of(layer.value_bias, key_rows) + stored(layer.query_norm) + stored(layer.key_norm);
}

Bytes attention_output_bytes(const ModelShape& shape, const LayerTensors& layer, HeadShare share) {
  return columns_of(layer.attention_output, std::uint64_t{share.query_heads} * shape.head_dim) +
         stored(layer.attention_output_bias);
}

// Of one expert.
Bytes gate_up_bytes(const LayerTensors& layer, std::uint64_t columns) {
  return rows_of(layer.gate, columns) + rows_of(layer.up, columns);
}

}  // namespace

std::string_view to_string(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::kEmbedding:
      return "embedding";
    case OperatorKind::kAttentionNorm:
      return "attention_norm";
    case OperatorKind::kQkv:
      return "qkv";
    case OperatorKind::kAttention:
      return "attention";
    case OperatorKind::kAttentionOutput:
      return "attention_output";
    case OperatorKind::kFfnNorm:
      return "ffn_norm";
    case OperatorKind::kRouter:
      return "router";
    case OperatorKind::kGateUp:
      return "gate_up";
    case OperatorKind::kDown:
      return "down";
    case OperatorKind::kOutputNorm:
      return "output_norm";
    case OperatorKind::kLogits:
      return "logits";
  }
  return "unknown";
}

HeadShare head_share(const ModelShape& shape, std::uint32_t first, std::uint32_t count) {
  if (count == 0) return {};
  const std::uint32_t group = shape.num_attention_heads / shape.num_key_value_heads;
  const std::uint32_t first_key = first / group;
  const std::uint32_t last_key = (first + count - 1) / group;
  return {count, last_key - first_key + 1};
}

std::uint32_t query_head_unit(const Model& model) {
  std::uint64_t columns = model.shape.head_dim;
  for (const LayerTensors& layer : model.layers) {
    columns = std::lcm(columns, std::uint64_t{block_shape(layer.attention_output.type).elements});
  }
  return static_cast<std::uint32_t>(columns / model.shape.head_dim);
}

std::uint64_t ffn_column_unit(const Model& model) {
  std::uint64_t columns = 1;
  for (const LayerTensors& layer : model.layers) {
    columns = std::lcm(columns, std::uint64_t{block_shape(layer.down.type).elements});
  }
  return columns;
}

std::uint64_t vocabulary_row_unit(const Model& model) {
  return block_shape(model.output_matrix().type).elements;
}

Operator embedding_operator(const Model& model, const Pass& pass) {
  return {OperatorKind::kEmbedding, rows_of(model.token_embedding, pass.rows()), Ops()};
}

std::array<Operator, 4> attention_operators(const ModelShape& shape, const LayerTensors& layer,
                                            HeadShare share, const Pass& pass) {
  std::array<Operator, 4> operators = {
      Operator{OperatorKind::kAttentionNorm, {}, {}}, Operator{OperatorKind::kQkv, {}, {}},
      Operator{OperatorKind::kAttention, {}, {}}, Operator{OperatorKind::kAttentionOutput, {}, {}}};
  if (share.query_heads == 0) return operators;

  const std::uint64_t query_width = std::uint64_t{share.query_heads} * shape.head_dim;
  const std::uint64_t key_width = std::uint64_t{share.key_value_heads} * shape.head_dim;
  const std::uint64_t attended = pass.tokens * pass.context - pass.tokens * (pass.tokens - 1) / 2;
  const Bytes cache_read = kv_cache_bytes(shape, pass.kv_type, share.key_value_heads, pass.context);
  const Bytes cache_written = kv_cache_bytes(shape, pass.kv_type, share.key_value_heads, pass.tokens);

  operators[0] = norm_operator(OperatorKind::kAttentionNorm, layer.attention_norm, pass.rows());
  operators[1].bytes = qkv_bytes(shape, layer, share);
  operators[1].ops = Ops(2 * pass.rows() * layer.query.columns * (query_width + 2 * key_width));
  operators[2].bytes = (cache_read + cache_written) * pass.streams;
  operators[2].ops = Ops(4 * query_width * attended * pass.streams);
  operators[3].bytes = attention_output_bytes(shape, layer, share);
  operators[3].ops = Ops(2 * pass.rows() * query_width * layer.attention_output.rows);
  return operators;
}

Bytes expert_bytes_read(Bytes one_expert, std::uint64_t experts, std::uint64_t used, std::uint64_t rows) {
  if (rows == 1 || used == experts) return one_expert * used;
  const auto all = static_cast<double>(experts);
  const double read = all * (1 - std::pow(1 - static_cast<double>(used) / all, static_cast<double>(rows)));
  return Bytes(static_cast<std::uint64_t>(std::llround(static_cast<double>(one_expert.value) * read)));
}

std::array<Operator, 4> ffn_operators(const LayerTensors& layer, std::uint64_t columns, const Pass& pass) {
  std::array<Operator, 4> operators = {
      Operator{OperatorKind::kFfnNorm, {}, {}}, Operator{OperatorKind::kRouter, {}, {}},
      Operator{OperatorKind::kGateUp, {}, {}}, Operator{OperatorKind::kDown, {}, {}}};
  if (columns == 0) return operators;
  const auto read = [&](Bytes one_expert) {
    return expert_bytes_read(one_expert, layer.gate.matrices, layer.experts_per_token, pass.rows());
  };
  const std::uint64_t expert_rows = pass.rows() * layer.experts_per_token;
  operators[0] = norm_operator(OperatorKind::kFfnNorm, layer.ffn_norm, pass.rows());
  if (layer.router) {
    operators[1].bytes = layer.router->bytes();
    operators[1].ops = Ops(2 * pass.rows() * layer.router->elements());
  }
  operators[2].bytes = read(gate_up_bytes(layer, columns));
  operators[2].ops = Ops(2 * expert_rows * columns * (layer.gate.columns + layer.up.columns));
  operators[3].bytes = read(columns_of(layer.down, columns));
  operators[3].ops = Ops(2 * expert_rows * columns * layer.down.rows);
  return operators;
}

std::array<Operator, 2> logits_operators(const Model& model, std::uint64_t rows, const Pass& pass) {
  std::array<Operator, 2> operators = {Operator{OperatorKind::kOutputNorm, {}, {}},
                                       Operator{OperatorKind::kLogits, {}, {}}};
  if (rows == 0) return operators;
  const Tensor& output = model.output_matrix();
  operators[0] = norm_operator(OperatorKind::kOutputNorm, model.output_norm, pass.streams);
  operators[1].bytes = rows_of(output, rows);
  operators[1].ops = Ops(2 * pass.streams * rows * output.columns);
  return operators;
}

Bytes attention_weight_bytes(const ModelShape& shape, const LayerTensors& layer, HeadShare share) {
  if (share.query_heads == 0) return Bytes();
  return stored(layer.attention_norm) + qkv_bytes(shape, layer, share) +
         attention_output_bytes(shape, layer, share);
}

Bytes ffn_weight_bytes(const LayerTensors& layer, std::uint64_t columns) {
  if (columns == 0) return Bytes();
  const Bytes one_expert = gate_up_bytes(layer, columns) + columns_of(layer.down, columns);
  return stored(layer.ffn_norm) + stored(layer.router) + one_expert * layer.gate.matrices;
}

Bytes logits_weight_bytes(const Model& model, std::uint64_t rows) {
  if (rows == 0) return Bytes();
  return stored(model.output_norm) + rows_of(model.output_matrix(), rows);
}

Bytes kv_cache_bytes(const ModelShape& shape, TensorType kv_type, std::uint32_t key_value_heads,
                     std::uint64_t positions) {
  return Tensor{kv_type, shape.head_dim, 1}.row_bytes() * (2 * std::uint64_t{key_value_heads} * positions);
}

Bytes kv_bytes_per_token(const ModelShape& shape, TensorType kv_type) {
  return kv_cache_bytes(shape, kv_type, shape.num_key_value_heads, 1) * shape.num_hidden_layers;
}

}  // namespace spanker
