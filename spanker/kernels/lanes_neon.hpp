#pragma once

#include "spanker/kernels/targets.hpp"

#if SPANKER_ARM64

#include <arm_neon.h>

#include <bit>
#include <cstddef>
#include <cstdint>

// The operations of lanes_scalar.hpp, which says what they do, in NEON: four registers of 4.

#define SPANKER_TARGET
#define SPANKER_INLINE __attribute__((always_inline)) inline

namespace spanker::neon {

inline constexpr std::size_t kTile = 2;

struct Lanes {
  float32x4_t v[4];
};

SPANKER_INLINE Lanes broadcast(float x) {
  const float32x4_t four = vdupq_n_f32(x);
  return {{four, four, four, four}};
}

SPANKER_INLINE Lanes zero() { return broadcast(0); }

SPANKER_INLINE Lanes load(const void* floats) {
  const auto* p = static_cast<const std::uint8_t*>(floats);
  Lanes result;
  for (int i = 0; i < 4; ++i) result.v[i] = vreinterpretq_f32_u8(vld1q_u8(p + 16 * i));
  return result;
}

SPANKER_INLINE float32x4_t load_4_halves(const std::uint8_t* p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

SPANKER_INLINE Lanes load_halves(const void* halves) {
  const auto* p = static_cast<const std::uint8_t*>(halves);
  Lanes result;
  for (int i = 0; i < 4; ++i) result.v[i] = load_4_halves(p + 8 * i);
  return result;
}

SPANKER_INLINE Lanes load_bf16(const void* elements) {
  const auto* p = static_cast<const std::uint8_t*>(elements);
  Lanes result;
  for (int i = 0; i < 4; ++i) {
    result.v[i] = vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(p + 8 * i)), 16));
  }
  return result;
}

SPANKER_INLINE Lanes load_int8(const void* integers) {
  const int8x16_t bytes = vld1q_s8(static_cast<const std::int8_t*>(integers));
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
  const int16x8_t high = vmovl_high_s8(bytes);
  return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_high_s16(low)),
           vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_high_s16(high))}};
}

SPANKER_INLINE float load_half(const void* half) {
  std::uint16_t bits;
  __builtin_memcpy(&bits, half, sizeof bits);
  return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(bits))), 0);
}

SPANKER_INLINE void store(float* to, Lanes x) {
  for (int i = 0; i < 4; ++i) vst1q_f32(to + 4 * i, x.v[i]);
}

SPANKER_INLINE Lanes add(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] = vaddq_f32(a.v[i], b.v[i]);
  return a;
}

SPANKER_INLINE Lanes sub(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] = vsubq_f32(a.v[i], b.v[i]);
  return a;
}

SPANKER_INLINE Lanes mul(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] = vmulq_f32(a.v[i], b.v[i]);
  return a;
}

SPANKER_INLINE Lanes div(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] = vdivq_f32(a.v[i], b.v[i]);
  return a;
}

SPANKER_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  for (int i = 0; i < 4; ++i) c.v[i] = vfmaq_f32(c.v[i], a.v[i], b.v[i]);
  return c;
}

// Not vmaxq_f32 and vminq_f32, which answer with the NaN whichever it is.
SPANKER_INLINE Lanes max(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) b.v[i] = vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]);
  return b;
}

SPANKER_INLINE Lanes min(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) b.v[i] = vbslq_f32(vcltq_f32(a.v[i], b.v[i]), a.v[i], b.v[i]);
  return b;
}

SPANKER_INLINE Lanes round(Lanes a) {
  for (float32x4_t& four : a.v) four = vrndnq_f32(four);
  return a;
}

SPANKER_INLINE Lanes power_of_two(Lanes x) {
  for (float32x4_t& four : x.v) {
    four = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(four), vdupq_n_s32(127)), 23));
  }
  return x;
}

SPANKER_INLINE std::int32_t store_int8(std::int8_t* to, Lanes x) {
  int32x4_t whole[4];
  for (int i = 0; i < 4; ++i) whole[i] = vcvtq_s32_f32(x.v[i]);
  const int16x8_t low = vcombine_s16(vmovn_s32(whole[0]), vmovn_s32(whole[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(whole[2]), vmovn_s32(whole[3]));
  vst1q_s8(to, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
  return vaddvq_s32(vaddq_s32(vaddq_s32(whole[0], whole[1]), vaddq_s32(whole[2], whole[3])));
}

SPANKER_INLINE float greatest_magnitude(Lanes a, Lanes b) {
  uint32x4_t greatest = vdupq_n_u32(0);
  for (const Lanes& lanes : {a, b}) {
    for (const float32x4_t& four : lanes.v) {
      greatest = vmaxq_u32(greatest, vandq_u32(vreinterpretq_u32_f32(four), vdupq_n_u32(0x7FFFFFFF)));
    }
  }
  return std::bit_cast<float>(vmaxvq_u32(greatest));
}

}  // namespace spanker::neon

#endif
