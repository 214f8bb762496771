#pragma once

#include <cstddef>
#include <string_view>

namespace spanker {

/// How the weights that the kernels compute with are stored: ggml's types of these names.
enum class WeightType { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_K, kQ6_K };

/// Elements and bytes of the smallest piece of a row that is stored alone, in a GGUF file and packed alike.
struct WeightBlock {
  std::size_t elements;
  std::size_t bytes;
};

/// ggml's name in lower case: "f32", "q4_0", "q4_k".
std::string_view to_string(WeightType type);

WeightBlock weight_block(WeightType type);

/// Whether products with such weights are made of quantised activations (true) or of floats.
bool is_quantised(WeightType type);

}  // namespace spanker
