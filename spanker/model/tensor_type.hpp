#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"

namespace spanker {

/// How tensor elements are stored; the numbers are ggml's, as they stand in GGUF files (ggml.h, enum
/// ggml_type). Numbers that are missing here were types once and have been removed.
enum class TensorType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
};

/// Elements and bytes of the smallest piece that can be stored alone.
struct BlockShape {
  std::uint32_t elements;
  std::uint32_t bytes;

  bool operator==(const BlockShape&) const = default;
};

/// ggml's name in lower case: "f32", "q4_0", "q4_k".
std::string_view to_string(TensorType type);
BlockShape block_shape(TensorType type);
/// Whether a matrix of weights can be stored so: every type but the plain integers.
bool can_store_weights(TensorType type);
/// The type with that number in a GGUF file; nothing where ggml has none, or has removed it.
std::optional<TensorType> tensor_type_from_ggml(std::uint32_t number);
/// The type of that name (any case); fails with kBadInput listing what exists.
Result<TensorType> parse_tensor_type(std::string_view name, std::string_view where);

}  // namespace spanker
