#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "spanker/kernels/weight_type.hpp"

namespace spanker::testing {

inline constexpr WeightType kWeightTypes[] = {WeightType::kF32,  WeightType::kF16,  WeightType::kBF16,
                                              WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_K,
                                              WeightType::kQ6_K};

using Rng = std::mt19937;

inline float random_float(Rng& rng, float low = -1, float high = 1) {
  return std::uniform_real_distribution<float>(low, high)(rng);
}

inline std::vector<float> random_floats(Rng& rng, std::size_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = random_float(rng);
  return values;
}

/// A half's value by the definition of the format; finite ones.
inline double value_of_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// Stored weights of any bits, but for scales, halves and floats, which are finite and not far from 1.
inline std::vector<std::byte> random_weights(Rng& rng, WeightType type, std::size_t count) {
  const WeightBlock block = weight_block(type);
  std::vector<std::byte> bytes(count / block.elements * block.bytes);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(rng() & 0xFF);
  const auto put_half = [&](std::size_t at) {  // of magnitude 2^-7 to 2, and either sign
    const auto bits = static_cast<std::uint16_t>((rng() & 0x83FF) | (8 + rng() % 8) << 10);
    std::memcpy(&bytes[at], &bits, sizeof bits);
  };
  for (std::size_t at = 0; at < bytes.size(); at += block.bytes) {
    switch (type) {
      case WeightType::kF32: {
        const float value = random_float(rng);
        std::memcpy(&bytes[at], &value, sizeof value);
        break;
      }
      case WeightType::kBF16: {
        const auto bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(random_float(rng)) >> 16);
        std::memcpy(&bytes[at], &bits, sizeof bits);
        break;
      }
      case WeightType::kF16:
      case WeightType::kQ8_0:
      case WeightType::kQ4_0:
        put_half(at);
        break;
      case WeightType::kQ4_K:
        put_half(at);
        put_half(at + 2);
        break;
      case WeightType::kQ6_K:
        put_half(at + 208);
        break;
    }
  }
  return bytes;
}

/// Weights by the definition of each format, exactly.
inline std::vector<double> values_of(WeightType type, const std::vector<std::byte>& stored) {
  const auto byte = [&](std::size_t at) { return std::to_integer<int>(stored[at]); };
  const auto signed_byte = [&](std::size_t at) { return byte(at) < 128 ? byte(at) : byte(at) - 256; };
  const auto bits16 = [&](std::size_t at) {
    return static_cast<std::uint16_t>(byte(at) + 256 * byte(at + 1));
  };
  std::vector<double> values;
  for (std::size_t at = 0; at < stored.size(); at += weight_block(type).bytes) {
    switch (type) {
      case WeightType::kF32: {
        float value;
        std::memcpy(&value, &stored[at], sizeof value);
        values.push_back(value);
        break;
      }
      case WeightType::kF16:
        values.push_back(value_of_half(bits16(at)));
        break;
      case WeightType::kBF16:
        values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits16(at)) << 16));
        break;
      case WeightType::kQ8_0:
        for (std::size_t i = 0; i < 32; ++i) {
          values.push_back(value_of_half(bits16(at)) * signed_byte(at + 2 + i));
        }
        break;
      case WeightType::kQ4_0:
        for (std::size_t i = 0; i < 16; ++i) {
          values.push_back(value_of_half(bits16(at)) * (byte(at + 2 + i) % 16 - 8));
        }
        for (std::size_t i = 0; i < 16; ++i) {
          values.push_back(value_of_half(bits16(at)) * (byte(at + 2 + i) / 16 - 8));
        }
        break;
      case WeightType::kQ4_K: {
        // Twelve bytes of 6-bit numbers: 4 scales, 4 minima, then the low parts of 4 more of each.
        int scales[8];
        int minima[8];
        for (std::size_t i = 0; i < 4; ++i) {
          scales[i] = byte(at + 4 + i) % 64;
          minima[i] = byte(at + 8 + i) % 64;
          scales[i + 4] = byte(at + 12 + i) % 16 + byte(at + 4 + i) / 64 * 16;
          minima[i + 4] = byte(at + 12 + i) / 16 + byte(at + 8 + i) / 64 * 16;
        }
        for (std::size_t pair = 0; pair < 4; ++pair) {
          for (std::size_t part = 0; part < 2; ++part) {
            for (std::size_t i = 0; i < 32; ++i) {
              const int both = byte(at + 16 + pair * 32 + i);
              const int nibble = part == 0 ? both % 16 : both / 16;
              values.push_back(value_of_half(bits16(at)) * scales[2 * pair + part] * nibble -
                               value_of_half(bits16(at + 2)) * minima[2 * pair + part]);
            }
          }
        }
        break;
      }
      case WeightType::kQ6_K:
        for (std::size_t half = 0; half < 2; ++half) {
          for (std::size_t quarter = 0; quarter < 4; ++quarter) {
            for (std::size_t i = 0; i < 32; ++i) {
              const int low_byte = byte(at + half * 64 + quarter % 2 * 32 + i);
              const int low = quarter < 2 ? low_byte % 16 : low_byte / 16;
              const int high = byte(at + 128 + half * 32 + i) >> 2 * quarter & 3;
              const int scale = signed_byte(at + 192 + half * 8 + quarter * 2 + i / 16);
              values.push_back(value_of_half(bits16(at + 208)) * scale * (low + 16 * high - 32));
            }
          }
        }
        break;
    }
  }
  return values;
}

}  // namespace spanker::testing
