#pragma once

#include <cstddef>
#include <span>

#include "spanker/kernels/weight_type.hpp"

namespace spanker {

/// Weights of a GGUF file as floats, as ggml's dequantize_row_* make them: a row of an embedding table, or a
/// norm. `out.size()` must be a multiple of the type's block, and `blocks`, at any address, hold as many
/// weights.
void dequantise(WeightType type, const std::byte* blocks, std::span<float> out);

}  // namespace spanker
