#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

#include "spanker/base/sanitized_for_test.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/problem.hpp"

/// Small problems of every kind from a seed, for tests of the search: the same seed is the same problem.
namespace spanker::testing {

/// How many problems a test tries whose full number that is: times SPANKER_TEST_TIMES for long runs by hand;
/// an eighth under sanitizers, which are slow and see each line after a few.
inline std::uint32_t problem_count(std::uint32_t full) {
  const char* given = std::getenv("SPANKER_TEST_TIMES");
  const int times = given == nullptr ? 1 : std::max(1, std::atoi(given));
  return std::max(1u, (kIsSanitized ? full / 8 : full) * static_cast<std::uint32_t>(times));
}

template <class T>
Ranged<T> exactly(T value) {
  return {value, value, value, "test"};
}

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint64_t from(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(engine_);
  }
  template <class T>
  T one_of(std::vector<T> choices) {
    return choices[from(0, choices.size() - 1)];
  }
  /// Log-uniform, so that every order of magnitude comes up.
  double magnitude(double low, double high) {
    return std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(engine_));
  }
  double real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

inline Model random_model(Dice& dice) {
  // Quantised matrices move in blocks of 32, so those models are larger in elements and as small in units.
  const bool quantised = dice.from(0, 2) == 0;
  const std::uint32_t block = quantised ? 32 : 1;
  ModelShape shape;
  shape.architecture =
      dice.one_of<Architecture>({Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3});
  shape.num_hidden_layers = static_cast<std::uint32_t>(dice.from(1, 6));
  shape.hidden_size = block * static_cast<std::uint32_t>(dice.from(1, 3));
  shape.head_dim = quantised ? dice.one_of<std::uint32_t>({16, 32}) : dice.one_of<std::uint32_t>({2, 4});
  shape.num_key_value_heads = static_cast<std::uint32_t>(dice.from(1, 3));
  shape.num_attention_heads =
      shape.num_key_value_heads *
      (quantised ? 2 : static_cast<std::uint32_t>(dice.from(1, 4 / shape.num_key_value_heads)));
  shape.intermediate_size = block * static_cast<std::uint32_t>(dice.from(1, 5));
  shape.vocab_size = block * static_cast<std::uint32_t>(dice.from(1, 5));
  // Whole units of rows, or a smaller last piece.
  if (quantised && dice.from(0, 1) == 0)
    shape.vocab_size -= static_cast<std::uint32_t>(dice.from(1, block - 1));
  shape.max_position_embeddings = 64;
  shape.rms_norm_eps = 1e-5;
  shape.rope_theta = 1e4;
  shape.tie_word_embeddings = dice.from(0, 1) == 1;
  Model model = *make_model("random", shape, quantised ? TensorType::kQ4_0 : TensorType::kF32);
  if (!quantised && dice.from(0, 1) == 1) {
    // Some layers' networks stored in another type: layers of two kinds.
    for (LayerTensors& layer : model.layers) {
      if (dice.from(0, 1) == 0) layer.gate.type = layer.up.type = TensorType::kF16;
    }
  }
  return model;
}

/// Some cards and links of their own, some links not up.
inline void make_unequal(Dice& dice, Cluster& cluster) {
  for (CardId card = 0; card < cluster.card_count; ++card) {
    if (dice.from(0, 1) == 0) continue;
    CardSpec& spec = cluster.card_overrides[card] = cluster.card;
    if (dice.from(0, 1) == 0) {
      spec.memory_bandwidth =
          exactly(BytesPerSecond(cluster.card.memory_bandwidth.value.value * dice.magnitude(0.3, 3)));
    }
    if (dice.from(0, 2) == 0) {
      spec.memory_capacity = exactly(Bytes(static_cast<std::uint64_t>(
          static_cast<double>(cluster.card.memory_capacity.value.value) * dice.real(0.4, 2))));
    }
    if (dice.from(0, 2) == 0) spec.compute = exactly(OpsPerSecond(dice.magnitude(1e6, 1e10)));
    if (dice.from(0, 3) == 0) spec.step_overhead = exactly(Seconds(dice.magnitude(1e-8, 1e-4)));
    if (dice.from(0, 3) == 0) spec.token_overhead = exactly(Seconds(dice.magnitude(1e-8, 1e-4)));
    if (dice.from(0, 3) == 0) spec.serial_share = exactly(Share(dice.real(0, 1)));
  }
  const Network network(cluster);
  for (LinkId id = 0; id < network.link_count(); ++id) {
    if (dice.from(0, 3) != 0) continue;
    LinkSpec& spec = cluster.link_overrides[network.ends(id)] = cluster.link;
    if (dice.from(0, 1) == 0) spec.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
    if (dice.from(0, 1) == 0) spec.latency = exactly(Seconds(dice.magnitude(1e-9, 1e-4)));
    if (dice.from(0, 3) == 0) spec.state = LinkState::kDown;
  }
}

/// Inclusive.
struct CardCounts {
  std::uint32_t least = 1;
  std::uint32_t most = 4;
};

inline Cluster random_cluster(Dice& dice, const Model& model, bool unequal, CardCounts counts = {}) {
  Cluster cluster;
  cluster.name = "random";
  cluster.topology = dice.one_of<Topology>(
      {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar, Topology::kTorus});
  cluster.card_count = static_cast<std::uint32_t>(dice.from(counts.least, counts.most));
  if (cluster.topology == Topology::kTorus) {
    cluster.torus_columns =
        cluster.card_count == 4 ? dice.one_of<std::uint32_t>({1, 2, 4}) : cluster.card_count;
  }
  cluster.card.memory_bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
  const double share = static_cast<double>(weight_bytes(model).value) / cluster.card_count;
  const double room = dice.from(0, 3) == 0 ? 1e9 : share * dice.real(0.9, 3) + 4000;
  cluster.card.memory_capacity = exactly(Bytes(static_cast<std::uint64_t>(room)));
  if (dice.from(0, 1) == 1) cluster.card.compute = exactly(OpsPerSecond(dice.magnitude(1e6, 1e10)));
  cluster.card.step_overhead = exactly(Seconds(dice.from(0, 1) == 0 ? 0 : dice.magnitude(1e-8, 1e-4)));
  cluster.card.token_overhead = exactly(Seconds(dice.from(0, 1) == 0 ? 0 : dice.magnitude(1e-8, 1e-4)));
  cluster.link.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
  cluster.link.latency = exactly(Seconds(dice.from(0, 3) == 0 ? 0 : dice.magnitude(1e-9, 1e-4)));
  cluster.host_link.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e9)));
  cluster.host_link.latency = exactly(Seconds(5e-5));
  cluster.host_link.shared = dice.from(0, 1) == 0;
  if (unequal) make_unequal(dice, cluster);
  return cluster;
}

inline Workload random_workload(Dice& dice, Objective objective) {
  Workload workload;
  workload.objective = objective;
  workload.prompt = dice.from(1, 4);
  workload.generate = dice.from(1, 4);
  workload.context = dice.from(8, 40);
  workload.streams = objective == Objective::kThroughput ? dice.from(1, 4) : dice.from(1, 2);
  workload.kv_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32});
  workload.link_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32, TensorType::kQ8_0});
  workload.embedding =
      dice.one_of<EmbeddingPlace>({EmbeddingPlace::kCards, EmbeddingPlace::kCards, EmbeddingPlace::kHost});
  return workload;
}

inline Problem random_problem(std::uint32_t seed, Objective objective, bool unequal, CardCounts counts = {}) {
  Dice dice(seed);
  Model model = random_model(dice);
  Cluster cluster = random_cluster(dice, model, unequal, counts);
  return *Problem::make(std::move(model), std::move(cluster), random_workload(dice, objective));
}

}  // namespace spanker::testing
