#pragma once

#include <cstdint>

namespace spanker {

/// The bits of the IEEE 754 half (binary16: sign, 5 bits of exponent, 10 of fraction) nearest to `value`, of
/// two as near the even one. Beyond 65504 and half a step it is infinite; below 2^-24 and half a step a
/// signed zero. A NaN stays a quiet NaN of its sign.
std::uint16_t half_from_float(float value);

/// The value of a half, which a float holds exactly.
float float_from_half(std::uint16_t half);

}  // namespace spanker
