#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "spanker/plan/problem.hpp"
#include "spanker/run/model_files_for_test.hpp"

namespace spanker::testing {

/// Cards that hold anything, all joined to each other.
inline Cluster plain_cluster(std::uint32_t cards) {
  const auto fixed = [](auto value) { return Ranged<decltype(value)>{value, value, value, "made up"}; };
  Cluster cluster;
  cluster.name = "plain";
  cluster.card_count = cards;
  cluster.topology = Topology::kFullMesh;
  cluster.card.memory_bandwidth = fixed(BytesPerSecond(1e10));
  cluster.card.memory_capacity = fixed(Bytes(std::uint64_t{1} << 40));
  cluster.card.step_overhead = fixed(Seconds(0));
  cluster.card.token_overhead = fixed(Seconds(0));
  cluster.link.bandwidth = fixed(BytesPerSecond(1e9));
  cluster.link.latency = fixed(Seconds(1e-6));
  cluster.host_link.bandwidth = fixed(BytesPerSecond(1e9));
  cluster.host_link.latency = fixed(Seconds(1e-6));
  return cluster;
}

inline Workload plain_workload(std::uint64_t prompt, std::uint64_t generate,
                               TensorType kv_type = TensorType::kF32) {
  Workload workload;
  workload.prompt = prompt;
  workload.generate = generate;
  workload.context = prompt + generate;
  workload.kv_type = kv_type;
  return workload;
}

inline Problem plain_problem(const ModelFile& file, std::uint32_t cards, const Workload& workload) {
  return must_be(Problem::make(file.model, plain_cluster(cards), workload));
}

/// `total` in units (the last piece may be smaller), as even as whole units allow; or weighed.
template <class T>
std::vector<T> dealt(T total, T unit, const std::vector<std::uint64_t>& weights) {
  std::uint64_t all = 0;
  for (const std::uint64_t weight : weights) all += weight;
  const T units = (total + unit - 1) / unit;
  std::vector<T> shares;
  std::uint64_t before = 0;
  T given = 0;
  for (const std::uint64_t weight : weights) {
    before += weight;
    const T end = std::min<T>(total, static_cast<T>(units * before / all) * unit);
    shares.push_back(end - given);
    given = end;
  }
  return shares;
}

/// How the cards of a stage share: weights of heads, columns and rows.
struct StageWeights {
  std::vector<std::uint64_t> heads, columns, rows;
};

/// A plan of stages on cards 0, 1, 2, ... with about as many layers each.
inline Plan plan_of(const Problem& problem, const std::vector<StageWeights>& stages) {
  const ModelShape& shape = problem.model.shape;
  Plan plan;
  CardId card = 0;
  std::uint32_t layer = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const StageWeights& weights = stages[i];
    Stage stage;
    stage.first_layer = layer;
    layer = static_cast<std::uint32_t>(shape.num_hidden_layers * (i + 1) / stages.size());
    stage.last_layer = layer - 1;
    for (std::size_t k = 0; k < weights.heads.size(); ++k) stage.cards.push_back(card++);
    stage.shares.query_heads = dealt(shape.num_attention_heads, problem.head_unit, weights.heads);
    stage.shares.ffn_columns =
        dealt<std::uint64_t>(shape.intermediate_size, problem.column_unit, weights.columns);
    stage.shares.vocabulary_rows.assign(weights.rows.size(), 0);
    if (i == 0 || i + 1 == stages.size()) {
      stage.shares.vocabulary_rows = dealt<std::uint64_t>(shape.vocab_size, problem.row_unit, weights.rows);
    }
    plan.stages.push_back(stage);
  }
  return plan;
}

inline StageWeights even(std::size_t cards) {
  const std::vector<std::uint64_t> weights(cards, 1);
  return {weights, weights, weights};
}

inline Plan single_plan(const Problem& problem) { return plan_of(problem, {even(1)}); }

}  // namespace spanker::testing
