#pragma once

#include <cstddef>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/kernels/weight_type.hpp"

namespace spanker {

/// How fast `threads` threads multiply a vector by matrices of that type, of `size` together or a little more:
/// bytes of weights a second, the best of `passes`. Fails with kInfeasible where there is no memory for them.
Result<BytesPerSecond> kernel_bandwidth(WeightType type, std::size_t threads, Bytes size, int passes = 5);

}  // namespace spanker
