#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "spanker/kernels/isa.hpp"

namespace spanker {

/// 32 activations: scale * value each, with what products with weights without sign start from.
struct QuantisedBlock {
  std::int8_t values[32];  ///< -127 to 127
  float scale;
  std::int32_t minus_sum;           ///< minus the sum of all values
  std::int32_t minus_half_sums[2];  ///< minus the sums of the first and the last 16
};

/// Rounds each 32 of `values` to 8 bits: scale = greatest magnitude / 127, value = x * (127 / greatest
/// magnitude) to nearest, ties to even. So |x - scale * value| is at most half the scale, and a little more
/// for the rounding of floats. Blocks whose greatest magnitude is below 2^-100 become zeros. A block with an
/// infinity or a NaN has zeros for values and a scale that is not finite: every product with it is a NaN.
/// values.size() must be 32 * blocks.size().
void quantise(std::span<const float> values, std::span<QuantisedBlock> blocks, Isa isa = best_isa());

}  // namespace spanker
