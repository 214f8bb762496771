#include <algorithm>
#include <cmath>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/kv_layout.hpp"
#include "spanker/kernels/lanes_avx512.hpp"
#include "spanker/kernels/prefetch.hpp"
#include "spanker/kernels/quantised_products_avx512.hpp"

#if SPANKER_X86
namespace spanker {
namespace avx512 {
namespace {

#include "spanker/kernels/kernels.inc"

}  // namespace
}  // namespace avx512

constinit const KernelTable kAvx512Kernels = avx512::kKernels;

}  // namespace spanker

#endif
