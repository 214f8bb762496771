#include "spanker/run/card.hpp"

#include <algorithm>
#include <cmath>

#include "spanker/kernels/attention.hpp"
#include "spanker/kernels/matmul.hpp"
#include "spanker/kernels/vectors.hpp"
#include "spanker/plan/memory.hpp"

namespace spanker {
namespace {

/// Activations that are quantised together.
constexpr std::size_t kQuantised = 32;

KvType kv_type_of(TensorType type) {
  if (type == TensorType::kF32) return KvType::kF32;
  return type == TensorType::kF16 ? KvType::kF16 : KvType::kQ8_0;
}

bool any_quantised(std::initializer_list<const PackedMatrix*> matrices) {
  return std::ranges::any_of(matrices,
                             [](const PackedMatrix* matrix) { return is_quantised(matrix->type()); });
}

}  // namespace

Card::Card(const ModelFile& file, const Problem& problem, const Shard& shard)
    : shape_(problem.model.shape),
      rope_(file.rope),
      shard_(shard),
      hidden_(shape_.hidden_size),
      query_width_(shard.query_heads.count * shape_.head_dim),
      key_width_(shard.key_value_heads.count * shape_.head_dim),
      ffn_width_(shard.ffn_columns.count) {}

Result<std::unique_ptr<Card>> Card::load(const ModelFile& file, const Problem& problem, const Shard& shard,
                                         std::size_t threads, std::uint32_t spins) {
  std::unique_ptr<Card> card(new Card(file, problem, shard));
  auto team = ThreadTeam::make(threads, spins);
  if (!team) return tl::unexpected(team.error());
  card->team_ = std::move(*team);
  auto weights = CardWeights::load(file, shard, *card->team_);
  if (!weights) return tl::unexpected(weights.error());
  card->weights_ = std::move(*weights);
  if (auto made = card->make_cache(problem); !made) return tl::unexpected(made.error());
  card->make_buffers(problem);
  return card;
}

Result<void> Card::make_cache(const Problem& problem) {
  if (shard_.key_value_heads.count == 0) return {};
  const KvShape shape{kv_type_of(problem.workload.kv_type), shard_.key_value_heads.count, shape_.head_dim,
                      problem.workload.context};
  const auto bytes = static_cast<std::size_t>(KvCache::size_of(shape).value);
  auto memory = Memory::allocate(Bytes(bytes * shard_.layer_count));
  if (!memory) return tl::unexpected(memory.error());
  cache_memory_ = std::move(*memory);
  for (std::size_t layer = 0; layer < shard_.layer_count; ++layer) {
    const auto cache = KvCache::make(shape, cache_memory_.bytes().subspan(layer * bytes, bytes));
    if (!cache) return tl::unexpected(cache.error());
    caches_.push_back(*cache);
  }
  return {};
}

void Card::make_buffers(const Problem& problem) {
  const std::size_t rows = problem.workload.prompt;
  const std::size_t tile = std::min<std::size_t>(rows, kActivationTileRows);
  residual_.resize(rows * hidden_);
  partial_.resize(rows * hidden_);
  queries_.resize(tile * query_width_);
  mixed_.resize(tile * query_width_);
  keys_.resize(tile * key_width_);
  values_.resize(tile * key_width_);
  gate_.resize(tile * ffn_width_);
  up_.resize(tile * ffn_width_);
  normed_blocks_.resize(tile * (hidden_ / kQuantised));
  inner_blocks_.resize(tile * (std::max(query_width_, ffn_width_) / kQuantised));
  if (query_width_ > 0) {
    // Not filled: what a short text never touches takes no memory.
    for (std::size_t thread = 0; thread < team_->size(); ++thread) {
      scratch_.push_back(
          std::make_unique_for_overwrite<float[]>(attention_scratch_size(problem.workload.context)));
    }
  }
  if (shard_.output_rows.count > 0) last_normed_.resize(hidden_);
  if (shard_.gathers_logits) logits_.resize(shape_.vocab_size);
}

void Card::begin_pass(std::span<const std::uint32_t> tokens, std::size_t first_position) {
  tokens_.assign(tokens.begin(), tokens.end());
  first_position_ = first_position;
  if (query_width_ > 0) angles_ = rope_.angles(first_position, tokens.size());
}

void Card::run(OperatorKind op, std::uint32_t layer_number, RowTile tile) {
  const std::size_t index = layer_number - shard_.first_layer;
  switch (op) {
    case OperatorKind::kEmbedding:
      return for_rows(tile, [&](std::size_t row) {
        const Interval own = shard_.embedding_rows;
        if (own.contains(tokens_[row]))
          weights_.embedding.unpack_row(tokens_[row] - own.first, residual_row(row));
      });
    case OperatorKind::kAttentionNorm: {
      const LayerWeights& layer = weights_.layers[index];
      return norm(layer.attention_norm, tile, any_quantised({&layer.query, &layer.key, &layer.value}));
    }
    case OperatorKind::kQkv:
      qkv(weights_.layers[index], tile);
      return turn_and_keep(weights_.layers[index], caches_[index], tile);
    case OperatorKind::kAttention:
      return attention(weights_.layers[index], caches_[index], tile);
    case OperatorKind::kAttentionOutput:
      return attention_output(weights_.layers[index], tile);
    case OperatorKind::kFfnNorm: {
      const LayerWeights& layer = weights_.layers[index];
      return norm(layer.ffn_norm, tile, any_quantised({&layer.gate, &layer.up}));
    }
    case OperatorKind::kRouter:
      return;  // dense models have none
    case OperatorKind::kGateUp:
      return gate_up(weights_.layers[index], tile);
    case OperatorKind::kDown:
      return down(weights_.layers[index], tile);
    case OperatorKind::kOutputNorm:
      return output_norm();
    case OperatorKind::kLogits:
      return make_logits();
  }
}

template <class Work>
void Card::for_rows(RowTile tile, const Work& work) {
  if (tile.count == 1) return work(tile.first);
  team_->run([&](std::size_t thread) {
    const Portion portion = portion_of(tile.count, thread, team_->size());
    for (std::size_t row = portion.begin; row < portion.end; ++row) work(tile.first + row);
  });
}

void Card::norm(std::span<const float> weight, RowTile tile, bool quantises) {
  const auto epsilon = static_cast<float>(shape_.rms_norm_eps);
  const std::size_t blocks = hidden_ / kQuantised;
  for_rows(tile, [&](std::size_t row) {
    const std::span<float> normed(partial_.data() + row * hidden_, hidden_);
    rms_norm(residual_row(row), weight, epsilon, normed);
    if (quantises) quantise(normed, {normed_blocks_.data() + (row - tile.first) * blocks, blocks});
  });
}

void Card::qkv(const LayerWeights& layer, RowTile tile) {
  const Activations x{tile.count, partial_.data() + tile.first * hidden_, normed_blocks_.data()};
  team_->run([&](std::size_t thread) {
    const auto multiply = [&](const PackedMatrix& matrix, float* out) {
      matmul(matrix, x, part_of_rows(matrix.rows(), thread, team_->size()), out, matrix.rows());
    };
    multiply(layer.query, queries_.data());
    multiply(layer.key, keys_.data());
    multiply(layer.value, values_.data());
  });
}

void Card::turn_and_keep(const LayerWeights& layer, const KvCache& cache, RowTile tile) {
  const auto epsilon = static_cast<float>(shape_.rms_norm_eps);
  for_rows(tile, [&](std::size_t row) {
    const std::size_t in_tile = row - tile.first;
    const std::span<float> query(queries_.data() + in_tile * query_width_, query_width_);
    const std::span<float> key(keys_.data() + in_tile * key_width_, key_width_);
    const std::span<float> value(values_.data() + in_tile * key_width_, key_width_);
    if (!layer.query_bias.empty()) add_to(query, layer.query_bias);
    if (!layer.key_bias.empty()) add_to(key, layer.key_bias);
    if (!layer.value_bias.empty()) add_to(value, layer.value_bias);
    if (!layer.query_norm.empty()) rms_norm(query, layer.query_norm, epsilon, query);
    if (!layer.key_norm.empty()) rms_norm(key, layer.key_norm, epsilon, key);
    const float* angles = angles_.data() + row * shape_.head_dim;
    rope_.rotate(query, shape_.head_dim, angles);
    rope_.rotate(key, shape_.head_dim, angles);
    cache.append(first_position_ + row, key.data(), value.data());
  });
}

void Card::attention(const LayerWeights& layer, const KvCache& cache, RowTile tile) {
  const AttentionQueries queries{.values = queries_.data(),
                                 .stride = query_width_,
                                 .tokens = tile.count,
                                 .first_position = first_position_ + tile.first,
                                 .heads = shard_.query_heads.count,
                                 .first_head = shard_.query_heads.first,
                                 .first_kv_head = shard_.key_value_heads.first,
                                 .queries_per_kv = shape_.num_attention_heads / shape_.num_key_value_heads,
                                 .scale = 1 / std::sqrt(static_cast<float>(shape_.head_dim)),
                                 .window = 0};
  team_->run([&](std::size_t thread) {
    const Portion heads = portion_of(shard_.query_heads.count, thread, team_->size());
    spanker::attention(cache, queries, {heads.begin, heads.end}, scratch_[thread].get(), mixed_.data());
  });
  if (!is_quantised(layer.attention_output.type())) return;
  const std::size_t blocks = query_width_ / kQuantised;
  for_rows(tile, [&](std::size_t row) {
    const std::size_t in_tile = row - tile.first;
    quantise({mixed_.data() + in_tile * query_width_, query_width_},
             {inner_blocks_.data() + in_tile * blocks, blocks});
  });
}

void Card::attention_output(const LayerWeights& layer, RowTile tile) {
  const PackedMatrix& matrix = layer.attention_output;
  float* out = partial_.data() + tile.first * hidden_;
  team_->run([&](std::size_t thread) {
    const RowRange rows = part_of_rows(matrix.rows(), thread, team_->size());
    matmul(matrix, {tile.count, mixed_.data(), inner_blocks_.data()}, rows, out, hidden_);
    if (layer.attention_output_bias.empty()) return;
    const std::span<const float> bias(layer.attention_output_bias);
    for (std::size_t row = 0; row < tile.count; ++row) {
      add_to({out + row * hidden_ + rows.begin, rows.end - rows.begin},
             bias.subspan(rows.begin, rows.end - rows.begin));
    }
  });
}

void Card::gate_up(const LayerWeights& layer, RowTile tile) {
  const Activations x{tile.count, partial_.data() + tile.first * hidden_, normed_blocks_.data()};
  const bool quantises = is_quantised(layer.down.type());
  team_->run([&](std::size_t thread) {
    const Portion columns = portion_of(ffn_width_, thread, team_->size(), kQuantised);
    const std::size_t count = columns.end - columns.begin;
    if (count == 0) return;
    matmul(layer.gate, x, {columns.begin, columns.end}, gate_.data(), ffn_width_);
    matmul(layer.up, x, {columns.begin, columns.end}, up_.data(), ffn_width_);
    for (std::size_t row = 0; row < tile.count; ++row) {
      const std::size_t at = row * ffn_width_ + columns.begin;
      const std::span<float> gate(gate_.data() + at, count);
      swiglu(gate, {up_.data() + at, count}, gate);
      if (quantises) quantise(gate, {inner_blocks_.data() + at / kQuantised, count / kQuantised});
    }
  });
}

void Card::down(const LayerWeights& layer, RowTile tile) {
  team_->run([&](std::size_t thread) {
    matmul(layer.down, {tile.count, gate_.data(), inner_blocks_.data()},
           part_of_rows(layer.down.rows(), thread, team_->size()), partial_.data() + tile.first * hidden_,
           hidden_);
  });
}

void Card::add_partial_to_residual() {
  for_rows({0, tokens_.size()}, [&](std::size_t row) {
    add_to(residual_row(row), {partial_.data() + row * hidden_, hidden_});
  });
}

void Card::output_norm() {
  rms_norm(residual_row(tokens_.size() - 1), weights_.output_norm, static_cast<float>(shape_.rms_norm_eps),
           last_normed_);
  if (is_quantised(weights_.output.type())) {
    quantise(last_normed_, std::span(normed_blocks_).first(hidden_ / kQuantised));
  }
}

void Card::make_logits() {
  team_->run([&](std::size_t thread) {
    matmul(weights_.output, {1, last_normed_.data(), normed_blocks_.data()},
           part_of_rows(weights_.output.rows(), thread, team_->size()),
           logits_.data() + shard_.output_rows.first, weights_.output.rows());
  });
}

}  // namespace spanker
