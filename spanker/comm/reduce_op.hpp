#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace spanker {

/// What becomes of the values that several ranks have for one element.
enum class ReduceOp : std::uint8_t {
  kSum,
  kMax,  ///< NaN where any is
  kMin,  ///< NaN where any is
  kAvg,  ///< the sum, divided by the number of ranks at the end
};

/// "sum", "max", "min", "avg".
std::string_view to_string(ReduceOp op);

/// own[i] = own[i] op others[i], or others[i] op own[i] where `others_first`: which of two zeros is the
/// larger depends on the order, so both sides of an exchange have to use the same one. kAvg adds. Sizes are
/// equal.
void combine(ReduceOp op, std::span<float> own, std::span<const float> others, bool others_first);

}  // namespace spanker
