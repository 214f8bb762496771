#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "spanker/base/float16.hpp"
#include "spanker/model/tensor_type.hpp"

namespace spanker::testing {

/// The number at `at` in stored data.
template <class T>
T stored(std::span<const std::byte> data, std::size_t at) {
  T value;
  std::memcpy(&value, data.subspan(at, sizeof(T)).data(), sizeof(T));
  return value;
}

/// The 6-bit scale and minimum of group `group` (0 to 7) in the 12 bytes of a q4_k block.
inline std::pair<int, int> q4_k_scale_and_minimum(std::span<const std::byte> bytes, std::size_t group) {
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  if (group < 4) return {byte(group) & 63, byte(group + 4) & 63};
  return {(byte(group + 4) & 15) + 16 * (byte(group - 4) >> 6),
          (byte(group + 4) >> 4) + 16 * (byte(group) >> 6)};
}

/// Element `i` of the q4_k block at the start of `block`.
inline float q4_k_element(std::span<const std::byte> block, std::size_t i) {
  const float scale = float_from_half(stored<std::uint16_t>(block, 0));
  const float minimum = float_from_half(stored<std::uint16_t>(block, 2));
  const auto [group_scale, group_minimum] = q4_k_scale_and_minimum(block.subspan(4, 12), i / 32);
  const int byte = stored<std::uint8_t>(block, 16 + i / 64 * 32 + i % 32);
  const int value = i % 64 < 32 ? byte % 16 : byte / 16;
  return scale * static_cast<float>(group_scale) * static_cast<float>(value) -
         minimum * static_cast<float>(group_minimum);
}

/// Element `i` of the q6_k block at the start of `block`.
inline float q6_k_element(std::span<const std::byte> block, std::size_t i) {
  const float scale = float_from_half(stored<std::uint16_t>(block, 208));
  const std::size_t half = i / 128;
  const std::size_t in_half = i % 128;
  const int low_byte = stored<std::uint8_t>(block, 64 * half + in_half % 64);
  const int low = in_half < 64 ? low_byte % 16 : low_byte / 16;
  const int high = stored<std::uint8_t>(block, 128 + 32 * half + in_half % 32) >> (in_half / 32 * 2) & 3;
  const int group_scale = stored<std::int8_t>(block, 192 + i / 16);
  return scale * static_cast<float>(group_scale) * static_cast<float>(low + 16 * high - 32);
}

/// Elements as ggml's dequantize_row_* make them; of f32, f16, bf16, q8_0, q4_0, q4_k and q6_k.
inline std::vector<float> dequantised(TensorType type, std::span<const std::byte> data) {
  const BlockShape shape = block_shape(type);
  std::vector<float> values(data.size() / shape.bytes * shape.elements);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t block = i / shape.elements * shape.bytes;
    const std::size_t in_block = i % shape.elements;
    if (type == TensorType::kF32) {
      values[i] = stored<float>(data, block);
    } else if (type == TensorType::kF16) {
      values[i] = float_from_half(stored<std::uint16_t>(data, block));
    } else if (type == TensorType::kBF16) {
      values[i] = std::bit_cast<float>(std::uint32_t{stored<std::uint16_t>(data, block)} << 16);
    } else if (type == TensorType::kQ4_K) {
      values[i] = q4_k_element(data.subspan(block), in_block);
    } else if (type == TensorType::kQ6_K) {
      values[i] = q6_k_element(data.subspan(block), in_block);
    } else {
      const float scale = float_from_half(stored<std::uint16_t>(data, block));
      if (type == TensorType::kQ8_0) {
        values[i] = static_cast<float>(stored<std::int8_t>(data, block + 2 + in_block)) * scale;
      } else {
        const int byte = stored<std::uint8_t>(data, block + 2 + in_block % 16);
        values[i] = static_cast<float>((in_block < 16 ? byte % 16 : byte / 16) - 8) * scale;
      }
    }
  }
  return values;
}

struct Moments {
  double mean;
  double deviation;
};

inline Moments moments(std::span<const float> values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean)};
}

}  // namespace spanker::testing
