#include <algorithm>
#include <cmath>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/kv_layout.hpp"
#include "spanker/kernels/lanes_neon.hpp"
#include "spanker/kernels/prefetch.hpp"
#include "spanker/kernels/quantised_products_neon.hpp"

#if SPANKER_ARM64
namespace spanker {
namespace neon {
namespace {

using Q8_0Weights = Q8_0By<InstructionDot>;
using Q4_0Weights = Q4_0By<InstructionDot>;
using Q4_KWeights = Q4_KBy<InstructionDot>;
using Q6_KWeights = Q6_KBy<InstructionDot>;

#include "spanker/kernels/kernels.inc"

}  // namespace
}  // namespace neon

constinit const KernelTable kNeonDotprodKernels = neon::kKernels;

}  // namespace spanker

#endif
