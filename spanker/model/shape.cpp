#include "spanker/model/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace spanker {
namespace {

struct Bounded {
  std::string_view name;
  std::uint64_t value;
  std::uint64_t most;
};

Result<void> check_experts(const ModelShape& shape, std::string_view where) {
  const bool may =
      shape.architecture == Architecture::kLlama || shape.architecture == Architecture::kQwen3Moe;
  const bool must = shape.architecture == Architecture::kQwen3Moe;
  const std::uint32_t least = must ? 1 : 0;
  const std::uint32_t most = may ? 1u << 16 : 0;
  if (shape.num_experts < least || shape.num_experts > most) {
    return bad_input(
        std::string(where), fmt::format("num_experts out of range for {}", to_string(shape.architecture)),
        may ? fmt::format("{} to {}", least, most) : "0: a dense model", std::to_string(shape.num_experts));
  }
  const std::uint32_t least_used = std::min(shape.num_experts, 1u);
  if (shape.num_experts_per_tok < least_used || shape.num_experts_per_tok > shape.num_experts) {
    return bad_input(std::string(where), "num_experts_per_tok out of range",
                     fmt::format("{} to {}", least_used, shape.num_experts),
                     std::to_string(shape.num_experts_per_tok));
  }
  return {};
}

}  // namespace

Result<void> check_shape(const ModelShape& shape, std::string_view where) {
  // With these, a model of 8-byte elements stays below 2^60 bytes.
  const Bounded counts[] = {
      {"num_hidden_layers", shape.num_hidden_layers, 4096},
      {"hidden_size", shape.hidden_size, 1u << 20},
      {"intermediate_size", shape.intermediate_size, 1u << 22},
      {"num_attention_heads", shape.num_attention_heads, 1u << 16},
      {"num_key_value_heads", shape.num_key_value_heads, 1u << 16},
      {"head_dim", shape.head_dim, 1u << 16},
      {"vocab_size", shape.vocab_size, 1u << 24},
      {"max_position_embeddings", shape.max_position_embeddings, (1u << 31) - 1},
      {"num_attention_heads * head_dim", std::uint64_t{shape.num_attention_heads} * shape.head_dim, 1u << 20},
      {"num_experts * intermediate_size", std::uint64_t{shape.experts()} * shape.intermediate_size, 1u << 22},
  };
  for (const Bounded& count : counts) {
    if (count.value < 1 || count.value > count.most) {
      return bad_input(std::string(where), fmt::format("{} out of range", count.name),
                       fmt::format("1 to {}", count.most), std::to_string(count.value));
    }
  }
  if (shape.num_attention_heads % shape.num_key_value_heads != 0) {
    return bad_input(std::string(where), "query heads cannot be shared out over key/value heads",
                     "num_attention_heads a multiple of num_key_value_heads",
                     fmt::format("{} and {}", shape.num_attention_heads, shape.num_key_value_heads));
  }
  if (!(shape.rms_norm_eps > 0 && shape.rms_norm_eps < 1)) {
    return bad_input(std::string(where), "rms_norm_eps out of range", "above 0 and below 1",
                     fmt::format("{}", shape.rms_norm_eps));
  }
  if (!(shape.rope_theta > 0 && std::isfinite(shape.rope_theta))) {
    return bad_input(std::string(where), "rope_theta out of range", "a finite number above 0",
                     fmt::format("{}", shape.rope_theta));
  }
  return check_experts(shape, where);
}

}  // namespace spanker
