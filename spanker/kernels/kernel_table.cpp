#include "spanker/kernels/kernel_table.hpp"

#include "spanker/kernels/targets.hpp"

namespace spanker {

const KernelTable& kernels_of(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return kScalarKernels;
#if SPANKER_X86
    case Isa::kAvx2:
      return kAvx2Kernels;
    case Isa::kAvx512Vnni:
      return kAvx512Kernels;
#else
    case Isa::kAvx2:
    case Isa::kAvx512Vnni:
      break;
#endif
  }
  return kScalarKernels;
}

}  // namespace spanker
