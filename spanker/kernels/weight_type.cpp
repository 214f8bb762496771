#include "spanker/kernels/weight_type.hpp"

#include "spanker/kernels/gguf_blocks.hpp"

namespace spanker {

std::string_view to_string(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return "f32";
    case WeightType::kF16:
      return "f16";
    case WeightType::kBF16:
      return "bf16";
    case WeightType::kQ8_0:
      return "q8_0";
    case WeightType::kQ4_0:
      return "q4_0";
    case WeightType::kQ4_K:
      return "q4_k";
    case WeightType::kQ6_K:
      return "q6_k";
  }
  return {};
}

WeightBlock weight_block(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return {1, 4};
    case WeightType::kF16:
    case WeightType::kBF16:
      return {1, 2};
    case WeightType::kQ8_0:
      return {32, sizeof(GgufQ8_0)};
    case WeightType::kQ4_0:
      return {32, sizeof(GgufQ4_0)};
    case WeightType::kQ4_K:
      return {256, sizeof(GgufQ4_K)};
    case WeightType::kQ6_K:
      return {256, sizeof(GgufQ6_K)};
  }
  return {};
}

bool is_quantised(WeightType type) { return weight_block(type).elements > 1; }

}  // namespace spanker
