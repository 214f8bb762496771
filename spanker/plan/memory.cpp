#include "spanker/plan/memory.hpp"

#include <algorithm>

namespace spanker {
namespace {

constexpr std::uint64_t kFloatBytes = 4;

Bytes vocabulary_weight_bytes(const Problem& problem, StageEnds ends, std::uint64_t rows) {
  const Model& model = problem.model;
  Bytes bytes;
  const bool table_here = ends.first && problem.workload.embedding == EmbeddingPlace::kCards;
  const bool table_makes_logits = ends.last && !model.output;
  if (ends.last) bytes += logits_weight_bytes(model, rows);
  if (table_here && !table_makes_logits) bytes += model.token_embedding.row_bytes() * rows;
  return bytes;
}

Bytes activation_bytes(const Problem& problem, StageEnds ends, const CardShare& share, bool samples) {
  const ModelShape& shape = problem.model.shape;
  const Workload& workload = problem.workload;
  const std::uint64_t rows = std::max(workload.prompt, workload.streams);
  const std::uint64_t tile = std::min(rows, kActivationTileRows);
  const std::uint64_t head_width =
      2 * std::uint64_t{shape.head_dim} * (share.heads.query_heads + share.heads.key_value_heads);
  const std::uint64_t expert_columns = share.ffn_columns * shape.experts_per_token();
  std::uint64_t floats = 2 * rows * shape.hidden_size + tile * (head_width + 2 * expert_columns);
  if (ends.last) floats += workload.streams * share.vocabulary_rows;
  if (samples) floats += workload.streams * shape.vocab_size;
  return Bytes(kFloatBytes * floats);
}

}  // namespace

CardShare whole_share(const ModelShape& shape, StageEnds ends) {
  return {{shape.num_attention_heads, shape.num_key_value_heads},
          shape.intermediate_size,
          ends.first || ends.last ? shape.vocab_size : 0u};
}

CardMemory stage_card_memory(const Problem& problem, std::span<const std::uint32_t> layers, StageEnds ends,
                             const CardShare& share, bool samples) {
  const ModelShape& shape = problem.model.shape;
  const Workload& workload = problem.workload;
  CardMemory memory;
  std::uint64_t layer_count = 0;
  for (std::size_t kind = 0; kind < layers.size(); ++kind) {
    const LayerTensors& layer = problem.layers.kinds[kind];
    memory.weight_bytes +=
        (attention_weight_bytes(shape, layer, share.heads) + ffn_weight_bytes(layer, share.ffn_columns)) *
        layers[kind];
    layer_count += layers[kind];
  }
  memory.weight_bytes += vocabulary_weight_bytes(problem, ends, share.vocabulary_rows);
  memory.kv_bytes = kv_cache_bytes(shape, workload.kv_type, share.heads.key_value_heads, workload.context) *
                    (workload.streams * layer_count);
  memory.activation_bytes = activation_bytes(problem, ends, share, samples);
  return memory;
}

std::vector<CardShare> card_shares(const ModelShape& shape, const StageShares& shares) {
  std::vector<CardShare> by_card;
  std::uint32_t first_head = 0;
  for (std::size_t i = 0; i < shares.query_heads.size(); ++i) {
    by_card.push_back({head_share(shape, first_head, shares.query_heads[i]), shares.ffn_columns[i],
                       shares.vocabulary_rows[i]});
    first_head += shares.query_heads[i];
  }
  return by_card;
}

std::vector<CardMemory> plan_memory(const Problem& problem, const Plan& plan) {
  std::vector<CardMemory> all;
  for (const Stage& stage : plan.stages) {
    const StageEnds ends{&stage == &plan.stages.front(), &stage == &plan.stages.back()};
    const auto layers = problem.layers.count(stage.first_layer, stage.last_layer);
    const auto shares = card_shares(problem.model.shape, stage.shares);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const CardId card = stage.cards[i];
      CardMemory memory = stage_card_memory(problem, layers, ends, shares[i], card == plan.sampling_card());
      memory.card = card;
      memory.capacity_bytes = problem.cluster.card_at(card).memory_capacity.value;
      all.push_back(memory);
    }
  }
  return all;
}

}  // namespace spanker
