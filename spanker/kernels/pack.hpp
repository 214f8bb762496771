#pragma once

#include <cstddef>

#include "spanker/kernels/weight_type.hpp"

namespace spanker {

/// Writes a stored row of `columns` weights as row `row` (0 to 15) of a group of the packed form.
/// Touches no byte of other rows.
void pack_row(WeightType type, const std::byte* stored, std::size_t columns, std::byte* group,
              std::size_t row);

}  // namespace spanker
