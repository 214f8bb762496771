#pragma once

#include <cstddef>
#include <span>

namespace spanker {

// Vectors of halves as bytes, little-endian, two for each element: half_from_float and float_from_half for
// each, eight at a time where the processor converts them. Internal to this module.

void write_halves(std::span<const float> values, std::byte* halves);
void read_halves(const std::byte* halves, std::span<float> values);

}  // namespace spanker
