#pragma once

#include <cstddef>

#include "spanker/kernels/weight_type.hpp"

namespace spanker {

/// Writes `columns` weights of a stored row as row `row` (0 to 15) of a part of the packed form.
/// Touches no byte of other rows.
void pack_row(WeightType type, const std::byte* stored, std::size_t columns, std::byte* part,
              std::size_t row);

}  // namespace spanker
