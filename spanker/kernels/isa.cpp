#include "spanker/kernels/isa.hpp"

#include <algorithm>
#include <array>

#include "spanker/kernels/targets.hpp"

#if SPANKER_X86
#include <cpuid.h>
#elif SPANKER_ARM64
#include <sys/auxv.h>
#endif

namespace spanker {
namespace {

#if SPANKER_X86
/// Which clang 14 does not let __builtin_cpu_supports tell.
bool has_f16c() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

bool has(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return true;
#if SPANKER_X86
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::kAvx512Vnni:
      return has(Isa::kAvx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
#elif SPANKER_ARM64
    case Isa::kNeon:
      return true;
    case Isa::kNeonDotprod:
      return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
    default:
      return false;
  }
}

/// Each needs all that stands before it.
#if SPANKER_ARM64
constexpr std::array kAll = {Isa::kScalar, Isa::kNeon, Isa::kNeonDotprod};
#else
constexpr std::array kAll = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni};
#endif

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
    case Isa::kNeon:
      return "neon";
    case Isa::kNeonDotprod:
      return "neon_dotprod";
  }
  return {};
}

std::span<const Isa> supported_isas() {
  static const auto end = std::ranges::find_if_not(kAll, has);
  return {kAll.begin(), end};
}

Isa best_isa() { return supported_isas().back(); }

}  // namespace spanker
