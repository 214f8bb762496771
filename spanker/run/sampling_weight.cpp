#include "spanker/run/sampling_weight.hpp"

#include <bit>
#include <numbers>

namespace spanker {
namespace {

constexpr int kWeightBits = std::countr_zero(kFullWeight);
constexpr int kPowerBits = 31;

/// 2^(fraction / 2^40) in units of 2^-31, for a fraction below 2^40: the Taylor series of e^(x ln 2) by
/// Horner's rule. Its remainder after the 12th power is 2^-39.
std::uint64_t power_of_two(std::uint64_t fraction) {
  constexpr std::uint64_t kOne = std::uint64_t{1} << kPowerBits;
  constexpr auto kLn2 = static_cast<std::uint64_t>(std::numbers::ln2 * (1ull << 32));
  const std::uint64_t x = ((fraction >> (40 - kPowerBits)) * kLn2) >> 32;
  std::uint64_t sum = kOne;
  for (std::uint64_t n = 12; n >= 1; --n) sum = kOne + ((x * sum) >> kPowerBits) / n;
  return sum;
}

}  // namespace

std::uint64_t sampling_weight(double exponent) {
  const double binary = exponent * std::numbers::log2e;
  if (binary <= -(kWeightBits + 1)) return 0;
  // A product of products: nothing that a compiler could fuse into an operation with another rounding.
  const auto fixed = static_cast<std::int64_t>(binary * static_cast<double>(std::int64_t{1} << 40));
  const std::int64_t whole = fixed >> 40;  // rounded down, so that the fraction is not negative
  const auto fraction = static_cast<std::uint64_t>(fixed - (whole << 40));
  return (power_of_two(fraction) << (kWeightBits - kPowerBits)) >> -whole;
}

}  // namespace spanker
