#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem.hpp"

/// Problems that several tests of this module ask about.
namespace spanker::testing {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(to_line(result.error()));
  return std::move(*result);
}

template <class T>
Ranged<T> fixed(T value) {
  return {value, value, value, "made up"};
}

/// Cards of 1 GB/s and 1 GB, cables of 100 MB/s and 1 us, a host link of 10 MB/s and 10 us.
inline Cluster round_cluster(std::uint32_t cards, Topology topology = Topology::kRing) {
  Cluster cluster;
  cluster.name = "round";
  cluster.card_count = cards;
  cluster.topology = topology;
  cluster.card.memory_bandwidth = fixed(BytesPerSecond(1e9));
  cluster.card.memory_capacity = fixed(Bytes(1'000'000'000));
  cluster.card.step_overhead = fixed(Seconds(0));
  cluster.card.token_overhead = fixed(Seconds(0));
  cluster.link.bandwidth = fixed(BytesPerSecond(1e8));
  cluster.link.latency = fixed(Seconds(1e-6));
  cluster.host_link.bandwidth = fixed(BytesPerSecond(1e7));
  cluster.host_link.latency = fixed(Seconds(1e-5));
  return cluster;
}

/// 4 layers, 4 heads of 32 over 2 key/value heads, 64 hidden, 96 columns, 100 rows.
inline ModelShape small_shape() {
  return {Architecture::kLlama, 4, 64, 96, 4, 2, 32, 100, 4096, 1e-5, 10000, false};
}

inline Workload small_workload() {
  Workload workload;
  workload.context = 32;
  workload.prompt = 16;
  workload.generate = 8;
  return workload;
}

inline Problem small_problem(std::uint32_t cards, TensorType quant = TensorType::kF16) {
  return must(
      Problem::make(must(make_model("small", small_shape(), quant)), round_cluster(cards), small_workload()));
}

inline Problem preset_problem(const char* model, const char* cluster, std::uint32_t cards,
                              Workload workload = {}) {
  return must(Problem::make(must(load_model(model, std::nullopt)),
                            must(with_card_count(must(load_cluster(cluster)), cards)), workload));
}

// What follows draws from rapidcheck: only within a property.

inline Model random_model() {
  const auto key_value_heads = *rc::gen::inRange(1u, 4u);
  ModelShape shape;
  shape.architecture = *rc::gen::element(Architecture::kLlama, Architecture::kMistral, Architecture::kQwen2,
                                         Architecture::kQwen3);
  shape.num_hidden_layers = *rc::gen::inRange(1u, 7u);
  shape.hidden_size = 32 * *rc::gen::inRange(1u, 5u);
  shape.intermediate_size = 32 * *rc::gen::inRange(1u, 8u);
  shape.num_key_value_heads = key_value_heads;
  shape.num_attention_heads = key_value_heads * *rc::gen::inRange(1u, 5u);
  shape.head_dim = *rc::gen::element(8u, 16u, 32u, 64u);
  shape.vocab_size = *rc::gen::inRange(1u, 300u);
  shape.max_position_embeddings = 128;
  shape.rms_norm_eps = 1e-5;
  shape.rope_theta = 10000;
  shape.tie_word_embeddings = *rc::gen::arbitrary<bool>();
  const bool blocks_fit = shape.num_attention_heads * shape.head_dim % 32 == 0;
  const TensorType quant = blocks_fit
                               ? *rc::gen::element(TensorType::kF16, TensorType::kQ4_0, TensorType::kQ8_0)
                               : TensorType::kF16;
  Model model = must(make_model("random", shape, quant));
  for (LayerTensors& layer : model.layers) {
    if (*rc::gen::inRange(0, 3) == 0) layer.down.type = TensorType::kQ8_0;
  }
  return model;
}

template <class T>
Ranged<T> random_range(double least, double most) {
  std::vector<double> numbers = *rc::gen::container<std::vector<double>>(
      3, rc::gen::map(rc::gen::inRange(0, 1001),
                      [=](int step) { return least + (most - least) * step / 1000; }));
  std::sort(numbers.begin(), numbers.end());
  return {T(numbers[1]), T(numbers[0]), T(numbers[2]), "random"};
}

/// Up to 6 cards with plenty of memory, one of which may be slower, on cables one of which may not be up.
inline Cluster random_cluster() {
  Cluster cluster = round_cluster(*rc::gen::inRange(1u, 7u));
  cluster.topology = *rc::gen::element(Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar,
                                       Topology::kTorus);
  if (cluster.topology == Topology::kTorus) {
    cluster.torus_columns = cluster.card_count % 2 == 0 ? cluster.card_count / 2 : cluster.card_count;
  }
  cluster.card.memory_bandwidth = random_range<BytesPerSecond>(1e6, 1e9);
  cluster.card.step_overhead = random_range<Seconds>(0, 1e-6);
  cluster.card.token_overhead = random_range<Seconds>(0, 1e-5);
  if (*rc::gen::arbitrary<bool>()) cluster.card.compute = random_range<OpsPerSecond>(1e6, 1e9);
  cluster.link.bandwidth = random_range<BytesPerSecond>(1e5, 1e9);
  cluster.link.latency = random_range<Seconds>(0, 1e-4);
  cluster.host_link.bandwidth = random_range<BytesPerSecond>(1e5, 1e9);
  cluster.host_link.latency = random_range<Seconds>(0, 1e-4);
  cluster.host_link.shared = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 3) == 0) {
    CardSpec& other = cluster.card_overrides[*rc::gen::inRange(0u, cluster.card_count)];
    other = cluster.card;
    other.memory_bandwidth = random_range<BytesPerSecond>(1e6, 1e9);
  }
  if (*rc::gen::inRange(0, 3) == 0) {
    const CardId from = *rc::gen::inRange(0u, cluster.card_count);
    const CardId to =
        cluster.topology == Topology::kStar ? cluster.card_count : (from + 1) % cluster.card_count;
    LinkSpec& other = cluster.link_overrides[{from, to}];
    other = cluster.link;
    other.state =
        *rc::gen::element(LinkState::kDown, LinkState::kTraining, LinkState::kError, LinkState::kUp);
  }
  return cluster;
}

inline Workload random_workload(const Model& model) {
  Workload workload;
  workload.prompt = *rc::gen::inRange<std::uint64_t>(1, 40);
  workload.generate = *rc::gen::inRange<std::uint64_t>(1, 40);
  workload.context = workload.prompt + workload.generate + *rc::gen::inRange<std::uint64_t>(0, 20);
  workload.streams = *rc::gen::inRange<std::uint64_t>(1, 6);
  workload.kv_type = model.shape.head_dim % 32 == 0
                         ? *rc::gen::element(TensorType::kF32, TensorType::kF16, TensorType::kQ8_0)
                         : *rc::gen::element(TensorType::kF32, TensorType::kF16);
  workload.link_type = *rc::gen::element(TensorType::kF32, TensorType::kF16, TensorType::kQ8_0);
  workload.embedding = *rc::gen::element(EmbeddingPlace::kCards, EmbeddingPlace::kHost);
  return workload;
}

/// Memory is plenty, or scarce around what one card with everything needs.
inline Problem random_problem() {
  Model model = random_model();
  Cluster cluster = random_cluster();
  Workload workload = random_workload(model);
  Problem problem = must(Problem::make(std::move(model), std::move(cluster), workload));
  if (*rc::gen::arbitrary<bool>()) return problem;
  const ModelShape& shape = problem.model.shape;
  const CardShare everything{
      {shape.num_attention_heads, shape.num_key_value_heads}, shape.intermediate_size, shape.vocab_size};
  const Bytes need = stage_card_memory(problem, problem.layers.count(0, shape.num_hidden_layers - 1),
                                       {true, true}, everything, true)
                         .total();
  const auto scarce = [&] { return fixed(Bytes(need.value * *rc::gen::inRange<std::uint64_t>(6, 24) / 20)); };
  problem.cluster.card.memory_capacity = scarce();
  for (auto& [id, spec] : problem.cluster.card_overrides) spec.memory_capacity = scarce();
  return problem;
}

}  // namespace spanker::testing
