#include "spanker/run/shard.hpp"

namespace spanker {

std::vector<Shard> shards_of(const Problem& problem, const Plan& plan) {
  const ModelShape& shape = problem.model.shape;
  const std::uint32_t queries_of_key = shape.num_attention_heads / shape.num_key_value_heads;
  std::vector<Shard> shards;
  for (const Stage& stage : plan.stages) {
    const bool is_first = &stage == &plan.stages.front();
    const bool is_last = &stage == &plan.stages.back();
    Interval heads;
    Interval columns;
    Interval rows;
    for (std::size_t rank = 0; rank < stage.cards.size(); ++rank) {
      heads = {heads.first + heads.count, stage.shares.query_heads[rank]};
      columns = {columns.first + columns.count, stage.shares.ffn_columns[rank]};
      rows = {rows.first + rows.count, stage.shares.vocabulary_rows[rank]};
      Shard shard;
      shard.card = stage.cards[rank];
      shard.first_layer = stage.first_layer;
      shard.layer_count = stage.layer_count();
      shard.query_heads = heads;
      if (heads.count > 0) {
        const std::uint64_t first = heads.first / queries_of_key;
        const std::uint64_t last = (heads.first + heads.count - 1) / queries_of_key;
        shard.key_value_heads = {first, last - first + 1};
        shard.adds_output_bias = heads.first == 0;
      }
      shard.ffn_columns = columns;
      if (is_first && problem.workload.embedding == EmbeddingPlace::kCards) shard.embedding_rows = rows;
      if (is_last) shard.output_rows = rows;
      shard.samples = shard.card == plan.sampling_card();
      shard.gathers_logits = is_last || shard.samples;
      shards.push_back(shard);
    }
  }
  return shards;
}

}  // namespace spanker
