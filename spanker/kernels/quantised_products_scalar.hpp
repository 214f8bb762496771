#pragma once

#include <cmath>
#include <type_traits>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/packed_unit.hpp"

namespace spanker::scalar {

using Q8_0Weights = PackedQ8_0;
using Q4_0Weights = PackedQ4_0;
using Q4_KWeights = PackedQ4_K;
using Q6_KWeights = PackedQ6_K;

/// The reference of all quantised products: each row by itself, each unit of 32 columns as integers, then one
/// rounding into the row's sum (two for types with minima).
template <class Block>
void quantised_products(const std::byte* group, std::size_t columns, const QuantisedBlock* x,
                        std::size_t stride, std::size_t vectors, GroupProducts& out) {
  for (std::size_t row = 0; row < kGroupRows; ++row) {
    float sums[kMaxVectors];
    for (std::size_t v = 0; v < vectors; ++v) sums[v] = out[v][row];
    for (std::size_t unit = 0; unit < columns / kUnitColumns; ++unit) {
      const PackedUnit weights = unit_of(reinterpret_cast<const Block*>(group), unit, row);
      for (std::size_t v = 0; v < vectors; ++v) {
        const QuantisedBlock& block = x[v * stride + unit];
        std::int32_t halves[2] = {};
        for (std::size_t i = 0; i < kUnitColumns; ++i) halves[i / 16] += weights.values[i] * block.values[i];
        const std::int32_t product =
            weights.group_scales[0] * halves[0] + weights.group_scales[1] * halves[1];
        sums[v] = std::fma(weights.scale * block.scale, static_cast<float>(product), sums[v]);
        if constexpr (std::is_same_v<Block, PackedQ4_K>) {
          sums[v] = std::fma(weights.minimum_scale * block.scale,
                             static_cast<float>(weights.minimum * block.minus_sum), sums[v]);
        }
      }
    }
    for (std::size_t v = 0; v < vectors; ++v) out[v][row] = sums[v];
  }
}

}  // namespace spanker::scalar
