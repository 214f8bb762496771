#pragma once

#include <cstdint>

#include "spanker/model/tensor_type.hpp"

namespace spanker {

/// One pass of a model over new tokens of one or more sequences.
struct Pass {
  std::uint64_t tokens = 1;   ///< new tokens of each stream: 1 in decode, the prompt's length in prefill
  std::uint64_t context = 1;  ///< positions of each stream that the last new token attends to
  std::uint64_t streams = 1;  ///< sequences that go through together
  TensorType kv_type = TensorType::kF16;

  std::uint64_t rows() const { return tokens * streams; }
};

/// One token for each of `streams` sequences, attending to `context` positions.
inline Pass decode_pass(std::uint64_t context, std::uint64_t streams, TensorType kv_type) {
  return {1, context, streams, kv_type};
}

/// A whole prompt of one sequence, each token attending to those before it.
inline Pass prefill_pass(std::uint64_t prompt, TensorType kv_type) { return {prompt, prompt, 1, kv_type}; }

}  // namespace spanker
