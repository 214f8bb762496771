#include "spanker/comm/half_vectors.hpp"

#include <cstdint>
#include <cstring>

#include "spanker/base/float16.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace spanker {
namespace {

#if defined(__x86_64__)

constexpr std::size_t kLanes = 8;

bool has_conversions() {
  // Every processor with AVX2 has F16C, and clang 14 knows only the former by name here.
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

/// Whole eights only; returns how many elements those are.
__attribute__((target("avx,f16c"))) std::size_t write_eights(std::span<const float> values,
                                                             std::byte* halves) {
  const std::size_t count = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __m128i eight = _mm256_cvtps_ph(_mm256_loadu_ps(values.data() + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + 2 * i), eight);
  }
  return count;
}

__attribute__((target("avx,f16c"))) std::size_t read_eights(const std::byte* halves,
                                                            std::span<float> values) {
  const std::size_t count = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + 2 * i));
    _mm256_storeu_ps(values.data() + i, _mm256_cvtph_ps(eight));
  }
  return count;
}

#else

constexpr bool has_conversions() { return false; }
std::size_t write_eights(std::span<const float>, std::byte*) { return 0; }
std::size_t read_eights(const std::byte*, std::span<float>) { return 0; }

#endif

}  // namespace

void write_halves(std::span<const float> values, std::byte* halves) {
  for (std::size_t i = has_conversions() ? write_eights(values, halves) : 0; i < values.size(); ++i) {
    const std::uint16_t half = half_from_float(values[i]);
    std::memcpy(halves + 2 * i, &half, sizeof half);
  }
}

void read_halves(const std::byte* halves, std::span<float> values) {
  for (std::size_t i = has_conversions() ? read_eights(halves, values) : 0; i < values.size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, halves + 2 * i, sizeof half);
    values[i] = float_from_half(half);
  }
}

}  // namespace spanker
