#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
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

/// Elements as ggml's dequantize_row_* make them; of f32, f16, q8_0 and q4_0.
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
