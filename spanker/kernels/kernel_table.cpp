#include "spanker/kernels/kernel_table.hpp"

#include "spanker/kernels/targets.hpp"

namespace spanker {

const KernelTable& kernels_of(Isa isa) {
  switch (isa) {
#if SPANKER_X86
    case Isa::kAvx2:
      return kAvx2Kernels;
    case Isa::kAvx512Vnni:
      return kAvx512Kernels;
#elif SPANKER_ARM64
    case Isa::kNeon:
      return kNeonKernels;
    case Isa::kNeonDotprod:
      return kNeonDotprodKernels;
#endif
    default:
      return kScalarKernels;
  }
}

}  // namespace spanker
