#pragma once

#include <cstdint>

// Internal to this module.
namespace spanker {

/// The weight of the likeliest token.
inline constexpr std::uint64_t kFullWeight = std::uint64_t{1} << 40;

/// kFullWeight · exp(`exponent`), rounded down, of an exponent that is at most 0 and may be minus infinity;
/// within 2^-29 of it relatively, and one unit. In whole numbers, so that every machine and library gives the
/// same.
std::uint64_t sampling_weight(double exponent);

}  // namespace spanker
