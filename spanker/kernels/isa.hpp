#pragma once

#include <span>
#include <string_view>

namespace spanker {

/// The instructions that a kernel may use. Every kernel gives the same bits with each of them: float sums are
/// made in one order, of fused multiply-adds, and sums of quantised products are exact integers.
enum class Isa {
  kScalar,       ///< plain C++, on any processor
  kAvx2,         ///< AVX2, FMA and F16C
  kAvx512Vnni,   ///< AVX-512 F, BW, DQ, VL and VNNI, and what kAvx2 needs
  kNeon,         ///< of AArch64
  kNeonDotprod,  ///< NEON with products of bytes: ARMv8.2's extension, as of Cortex-A76
};

/// "scalar", "avx2", "avx512_vnni", "neon", "neon_dotprod".
std::string_view to_string(Isa isa);

/// Those that this processor has, the slowest (always kScalar) first. A kernel must not be given another.
std::span<const Isa> supported_isas();

/// The last of supported_isas().
Isa best_isa();

}  // namespace spanker
