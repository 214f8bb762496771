#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "spanker/base/result.hpp"
#include "spanker/model/tensor_table.hpp"

// Internal to this module.
namespace spanker {

/// Puts the next values of a tensor, as they are stored, into all of `out`: whole blocks. How a tensor is cut
/// into pieces does not change its bytes.
using ValueSource = std::function<void(std::span<std::byte> out)>;

/// Random values for a tensor, the same on every machine for the same `seed`; with a mean of 0 and, for a
/// matrix, a deviation of 1 / sqrt(columns), so that y = W x is about as large as x. All are uniform, not
/// normal.
///   f32, f16  values from a finite interval
///   q8_0      -127 to 127, as quantising makes them, times a scale that varies by +- 25 % between blocks
///   q4_0      -8 to 7, times a scale of either sign that varies as much
/// Norms are 0.9 to 1.1, as is rope_freqs.weight; biases have a deviation of 0.02. Fails with kBadInput
/// naming the tensor where it has another type.
Result<ValueSource> random_values(const NamedTensor& named, std::uint64_t seed);

}  // namespace spanker
