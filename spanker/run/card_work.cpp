#include <algorithm>

#include "spanker/run/card.hpp"

namespace spanker {
namespace {

/// As the file stores them: without the room for rows up to a whole tile.
Bytes stored(const PackedMatrix& matrix) {
  constexpr std::size_t kTile = 16;
  if (matrix.rows() == 0) return Bytes();
  const Bytes tile = PackedMatrix::size_of(matrix.type(), kTile, matrix.columns());
  return Bytes(tile.value / kTile * matrix.rows());
}

Bytes stored(const std::vector<float>& vector) { return Bytes(vector.size() * sizeof(float)); }

Ops multiplied(const PackedMatrix& matrix, std::size_t rows) {
  return Ops(2 * std::uint64_t{matrix.rows()} * matrix.columns() * rows);
}

}  // namespace

Operator Card::work_of(OperatorKind op, std::uint32_t layer_number) const {
  const std::size_t rows = tokens_.size();
  const auto norm = [&](const std::vector<float>& weight, std::size_t count) {
    return Operator{op, stored(weight), Ops(4 * std::uint64_t{weight.size()} * count)};
  };
  switch (op) {
    case OperatorKind::kEmbedding: {
      const PackedMatrix& table = weights_.embedding;
      const auto own = std::ranges::count_if(
          tokens_, [&](std::uint32_t token) { return shard_.embedding_rows.contains(token); });
      if (own == 0) return {op, {}, {}};
      return {op, Bytes(stored(table).value / table.rows() * static_cast<std::uint64_t>(own)), {}};
    }
    case OperatorKind::kOutputNorm:
      return norm(weights_.output_norm, 1);
    case OperatorKind::kLogits:
      return {op, stored(weights_.output), multiplied(weights_.output, 1)};
    default:
      break;
  }
  const LayerWeights& layer = weights_.layers[layer_number - shard_.first_layer];
  switch (op) {
    case OperatorKind::kAttentionNorm:
      return norm(layer.attention_norm, rows);
    case OperatorKind::kQkv: {
      Operator work{op, {}, {}};
      for (const PackedMatrix* matrix : {&layer.query, &layer.key, &layer.value}) {
        work.bytes += stored(*matrix);
        work.ops += multiplied(*matrix, rows);
      }
      for (const auto* vector :
           {&layer.query_bias, &layer.key_bias, &layer.value_bias, &layer.query_norm, &layer.key_norm}) {
        work.bytes += stored(*vector);
      }
      return work;
    }
    case OperatorKind::kAttention:
      return attention_work();
    case OperatorKind::kAttentionOutput:
      return {op, stored(layer.attention_output) + stored(layer.attention_output_bias),
              multiplied(layer.attention_output, rows)};
    case OperatorKind::kFfnNorm:
      return norm(layer.ffn_norm, rows);
    case OperatorKind::kGateUp:
      return {op, stored(layer.gate) + stored(layer.up),
              multiplied(layer.gate, rows) + multiplied(layer.up, rows)};
    case OperatorKind::kDown:
      return {op, stored(layer.down), multiplied(layer.down, rows)};
    default:
      return {op, {}, {}};
  }
}

/// Of the cache, all positions up to the last are read once and the new ones written; a token mixes those up
/// to its own.
Operator Card::attention_work() const {
  Operator work{OperatorKind::kAttention, {}, {}};
  if (query_width_ == 0) return work;
  const std::size_t rows = tokens_.size();
  const std::size_t positions = first_position_ + rows;
  KvShape position = caches_.front().shape();
  position.positions = 16;
  const std::uint64_t bytes = KvCache::size_of(position).value / 16;
  work.bytes = Bytes(bytes * (positions + rows));
  work.ops = Ops(4 * std::uint64_t{query_width_} * (rows * positions - rows * (rows - 1) / 2));
  return work;
}

}  // namespace spanker
