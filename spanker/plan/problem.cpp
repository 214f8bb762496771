#include "spanker/plan/problem.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "spanker/cost/serial_share.hpp"

namespace spanker {
namespace {

/// Far above any real workload.
constexpr std::uint64_t kMaxTokens = std::uint64_t{1} << 24;
constexpr std::uint64_t kMaxStreams = std::uint64_t{1} << 16;

bool travels(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kQ8_0;
}

Result<void> check_range(std::string_view flag, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return {};
  return bad_input(std::string(flag), "out of range", std::to_string(low) + " to " + std::to_string(high),
                   std::to_string(value));
}

Result<void> check_type(std::string_view flag, TensorType type) {
  if (travels(type)) return {};
  return bad_input(std::string(flag), "type not supported here", "f32, f16 or q8_0",
                   std::string(to_string(type)));
}

/// Bytes and operations of one operator are counted in 64 bits: the largest product of a workload must stay
/// below.
Result<void> check_countable(const ModelShape& shape, const Workload& workload) {
  constexpr double kMost = 1e18;
  const double hidden = shape.hidden_size;
  const double query_width = static_cast<double>(shape.num_attention_heads) * shape.head_dim;
  const double prompt = static_cast<double>(workload.prompt);
  const double positions = static_cast<double>(workload.context) * static_cast<double>(workload.streams);
  constexpr double kLargestElement = 4;
  const double cache = 2.0 * kLargestElement * shape.num_hidden_layers * query_width * positions;
  if (cache > kMost) {
    return bad_input("--context", "KV cache too large to count", "less context or fewer streams", "");
  }
  const double ffn_width = static_cast<double>(shape.intermediate_size) * shape.experts_per_token();
  const auto streamed = static_cast<double>(workload.stream_bytes_per_token.value);
  if (streamed * static_cast<double>(workload.generate) > kMost) {
    return bad_input("--stream-bytes-per-token", "bytes too many to count", "fewer bytes or tokens",
                     std::to_string(workload.stream_bytes_per_token.value));
  }
  const double widest_matmul =
      4 * prompt * hidden * std::max({ffn_width, query_width, 1.0 * shape.num_experts});
  if (widest_matmul > kMost || 4 * query_width * prompt * prompt > kMost) {
    return bad_input("--prompt", "operations too many to count", "a shorter prompt",
                     std::to_string(workload.prompt));
  }
  return {};
}

Result<void> check(const Model& model, const Workload& workload) {
  return check_range("--context", workload.context, 1, kMaxTokens)
      .and_then([&] { return check_range("--prompt", workload.prompt, 1, kMaxTokens); })
      .and_then([&] { return check_range("--generate", workload.generate, 1, kMaxTokens); })
      .and_then([&] { return check_range("--streams", workload.streams, 1, kMaxStreams); })
      .and_then([&] { return check_type("--kv-dtype", workload.kv_type); })
      .and_then([&] { return check_type("--link-dtype", workload.link_type); })
      .and_then([&]() -> Result<void> {
        const std::uint64_t positions = workload.prompt + workload.generate;
        if (positions > workload.context) {
          return bad_input("--context", "too short for the prompt and what is generated",
                           std::to_string(positions) + " or more", std::to_string(workload.context));
        }
        const std::uint32_t block = block_shape(workload.kv_type).elements;
        if (model.shape.head_dim % block != 0) {
          return bad_input("--kv-dtype", std::string(to_string(workload.kv_type)) + " does not divide a head",
                           "a head size that is a multiple of " + std::to_string(block),
                           std::to_string(model.shape.head_dim));
        }
        return check_countable(model.shape, workload);
      });
}

}  // namespace

std::vector<std::uint32_t> LayerKinds::count(std::uint32_t first, std::uint32_t last) const {
  std::vector<std::uint32_t> counts = before_[last + 1];
  for (std::size_t kind = 0; kind < counts.size(); ++kind) counts[kind] -= before_[first][kind];
  return counts;
}

Result<Problem> Problem::make(Model model, Cluster cluster, Workload workload) {
  if (auto sound = check(model, workload); !sound) return tl::unexpected(sound.error());
  if (auto sound = check_range("--cards", cluster.card_count, 1, kMaxPlannedCards); !sound) {
    return tl::unexpected(sound.error());
  }
  Problem problem;
  LayerKinds& layers = problem.layers;
  for (const LayerTensors& layer : model.layers) {
    const auto kind = std::ranges::find(layers.kinds, layer);
    layers.kind_of_layer.push_back(static_cast<std::uint32_t>(kind - layers.kinds.begin()));
    if (kind == layers.kinds.end()) layers.kinds.push_back(layer);
  }
  layers.before_.assign(1, std::vector<std::uint32_t>(layers.kinds.size(), 0));
  for (const std::uint32_t kind : layers.kind_of_layer) {
    layers.before_.push_back(layers.before_.back());
    ++layers.before_.back()[kind];
  }
  problem.head_unit = query_head_unit(model);
  problem.column_unit = ffn_column_unit(model);
  problem.row_unit = vocabulary_row_unit(model);
  problem.layer_bytes = decode_layer_bytes(model);
  problem.cluster = for_layers_of(problem.layer_bytes, std::move(cluster));
  problem.model = std::move(model);
  problem.workload = workload;
  return problem;
}

Problem Problem::with_cluster(Cluster other) const {
  Problem changed = *this;
  changed.cluster = for_layers_of(layer_bytes, std::move(other));
  return changed;
}

}  // namespace spanker
