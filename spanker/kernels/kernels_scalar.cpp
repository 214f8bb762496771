#include <algorithm>
#include <cmath>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/kv_layout.hpp"
#include "spanker/kernels/lanes_scalar.hpp"
#include "spanker/kernels/prefetch.hpp"
#include "spanker/kernels/quantised_products_scalar.hpp"

namespace spanker {
namespace scalar {
namespace {

#include "spanker/kernels/kernels.inc"

}  // namespace
}  // namespace scalar

constinit const KernelTable kScalarKernels = scalar::kKernels;

}  // namespace spanker
