#include <algorithm>
#include <cmath>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/kv_layout.hpp"
#include "spanker/kernels/lanes_avx2.hpp"
#include "spanker/kernels/prefetch.hpp"
#include "spanker/kernels/quantised_products_avx2.hpp"

#if SPANKER_X86
namespace spanker {
namespace avx2 {
namespace {

#include "spanker/kernels/kernels.inc"

}  // namespace
}  // namespace avx2

constinit const KernelTable kAvx2Kernels = avx2::kKernels;

}  // namespace spanker

#endif
