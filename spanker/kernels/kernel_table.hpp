#pragma once

#include <cstddef>
#include <cstdint>

#include "spanker/kernels/isa.hpp"
#include "spanker/kernels/kv_cache.hpp"
#include "spanker/kernels/packed_blocks.hpp"
#include "spanker/kernels/quantise.hpp"

// What each instruction set brings: inner loops, with the sizes settled by the caller.

namespace spanker {

/// Vectors that one call of a product takes at most: the weights are read and unpacked once for all of them.
inline constexpr std::size_t kMaxVectors = 8;

/// Query heads that one call of an attention kernel takes at most.
inline constexpr std::size_t kMaxQueries = 8;

/// Products of a group of rows with each vector.
using GroupProducts = float[kMaxVectors][kGroupRows];

/// Added to `out`. `part` is one of PackedMatrix, of so many columns; `vectors` (1 to kMaxVectors) of x are
/// `stride` elements or blocks apart.
using FloatProducts = void (*)(const std::byte* part, std::size_t columns, const float* x, std::size_t stride,
                               std::size_t vectors, GroupProducts& out);
using QuantisedProducts = void (*)(const std::byte* part, std::size_t columns, const QuantisedBlock* x,
                                   std::size_t stride, std::size_t vectors, GroupProducts& out);

/// Keys and values of one key/value head, as kv_cache.hpp lays them out.
struct AttentionStep {
  const std::byte* cells;  ///< the head's keys (scores) or values (mixtures)
  std::size_t head_size;
  std::size_t capacity;      ///< positions that the cache was made for, rounded up to 16
  const float* const* rows;  ///< scores: each query's vector. Mixtures: each query's weights, one a position
  std::size_t queries;       ///< 1 to kMaxQueries
  std::size_t begin;         ///< positions begin to end - 1 count
  std::size_t end;
  float scale;  ///< of scores
};

/// out[query][position] = scale * (query . key). Writes whole groups of 16 positions around the range.
using Scores = void (*)(const AttentionStep& step, float* const* out);
/// out[query][d] = sum over positions of weight * value[d].
using Mixtures = void (*)(const AttentionStep& step, float* const* out);

struct AttentionKernels {
  Scores scores;
  Mixtures mixtures;
};

struct KernelTable {
  FloatProducts f32;
  FloatProducts f16;
  FloatProducts bf16;
  QuantisedProducts q8_0;
  QuantisedProducts q4_0;
  QuantisedProducts q4_k;
  QuantisedProducts q6_k;
  AttentionKernels attention_f32;
  AttentionKernels attention_f16;
  AttentionKernels attention_q8_0;
  void (*quantise)(const float* values, std::size_t blocks, QuantisedBlock* out);
  void (*rms_norm)(const float* x, const float* weight, std::size_t size, float epsilon, float* out);
  void (*swiglu)(const float* gate, const float* up, std::size_t size, float* out);
  void (*add_to)(const float* x, std::size_t size, float* sum);
  void (*softmax)(float* x, std::size_t size);
  float (*sum)(const float* x, std::size_t size);
};

const KernelTable& kernels_of(Isa isa);

extern const KernelTable kScalarKernels;
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
extern const KernelTable kNeonKernels;
extern const KernelTable kNeonDotprodKernels;

}  // namespace spanker
