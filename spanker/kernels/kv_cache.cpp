#include "spanker/kernels/kv_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "spanker/base/float16.hpp"
#include "spanker/kernels/kv_layout.hpp"
#include "spanker/kernels/quantise.hpp"

namespace spanker {
namespace {

/// Bytes of 16 * a * b elements, a and b numbers of tiles; the greatest number if they do not fit.
std::uint64_t product(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t result;
  if (__builtin_mul_overflow(a, b, &result) || __builtin_mul_overflow(result, c, &result)) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return result;
}

std::uint64_t tiles(std::size_t n) { return n / kKvTile + (n % kKvTile != 0); }

std::uint64_t key_bytes(const KvShape& shape) {
  return product(tiles(shape.positions), shape.head_size, bytes_of_16(shape.type));
}

std::uint64_t value_bytes(const KvShape& shape) {
  return product(tiles(shape.head_size), tiles(shape.positions), kKvTile * bytes_of_16(shape.type));
}

void put_half(float value, void* to) {
  const std::uint16_t half = half_from_float(value);
  std::memcpy(to, &half, sizeof half);
}

void append_f32(const KvShape& shape, std::byte* keys, std::byte* values, std::size_t position,
                const float* key, const float* value) {
  const std::size_t capacity = rounded_to_tiles(shape.positions);
  std::byte* tile = keys + position / kKvTile * shape.head_size * bytes_of_16(KvType::kF32);
  for (std::size_t d = 0; d < shape.head_size; ++d) {
    std::memcpy(tile + (d * kKvTile + position % kKvTile) * sizeof(float), key + d, sizeof(float));
    std::byte* strip = values + (d / kKvTile * capacity + position) * bytes_of_16(KvType::kF32);
    std::memcpy(strip + d % kKvTile * sizeof(float), value + d, sizeof(float));
  }
}

void append_f16(const KvShape& shape, std::byte* keys, std::byte* values, std::size_t position,
                const float* key, const float* value) {
  const std::size_t capacity = rounded_to_tiles(shape.positions);
  std::byte* tile = keys + position / kKvTile * shape.head_size * bytes_of_16(KvType::kF16);
  for (std::size_t d = 0; d < shape.head_size; ++d) {
    put_half(key[d], tile + (d * kKvTile + position % kKvTile) * sizeof(std::uint16_t));
    std::byte* strip = values + (d / kKvTile * capacity + position) * bytes_of_16(KvType::kF16);
    put_half(value[d], strip + d % kKvTile * sizeof(std::uint16_t));
  }
}

void append_q8_0(const KvShape& shape, std::byte* keys, std::byte* values, std::size_t position,
                 const float* key, const float* value, Isa isa) {
  const std::size_t capacity = rounded_to_tiles(shape.positions);
  std::byte* tile = keys + position / kKvTile * shape.head_size * bytes_of_16(KvType::kQ8_0);
  for (std::size_t b = 0; b < shape.head_size / 32; ++b) {
    QuantisedBlock block;
    quantise({key + b * 32, 32}, {&block, 1}, isa);
    Q8_0Keys& to_keys = reinterpret_cast<Q8_0Keys*>(tile)[b];
    put_half(block.scale, to_keys.scales[position % kKvTile]);
    for (std::size_t d = 0; d < 32; ++d) to_keys.values[d][position % kKvTile] = block.values[d];

    quantise({value + b * 32, 32}, {&block, 1}, isa);
    GgufQ8_0& to_value = reinterpret_cast<GgufQ8_0*>(values)[b * capacity + position];
    put_half(block.scale, to_value.scale);
    std::memcpy(to_value.values, block.values, sizeof to_value.values);
  }
}

}  // namespace

Bytes KvCache::size_of(const KvShape& shape) {
  const std::uint64_t keys = key_bytes(shape);
  const std::uint64_t values = value_bytes(shape);
  if (values > std::numeric_limits<std::uint64_t>::max() - keys)
    return Bytes(std::numeric_limits<std::uint64_t>::max());
  return Bytes(product(shape.heads, keys + values, 1));
}

Result<KvCache> KvCache::make(const KvShape& shape, std::span<std::byte> memory) {
  const std::string where = fmt::format("KV cache of {} heads of {} and {} positions", shape.heads,
                                        shape.head_size, shape.positions);
  if (shape.heads == 0 || shape.head_size == 0 || shape.positions == 0) {
    return bad_input(where, "empty", "at least one of each");
  }
  if (shape.type == KvType::kQ8_0 && shape.head_size % 32 != 0) {
    return bad_input(where, "a head ends within a q8_0 block", "a multiple of 32",
                     std::to_string(shape.head_size));
  }
  const Bytes size = size_of(shape);
  if (memory.size() < size.value) {
    return bad_input(where, "too little memory", fmt::format("{} bytes", size.value),
                     std::to_string(memory.size()));
  }
  KvCache cache;
  cache.shape_ = shape;
  cache.key_bytes_ = key_bytes(shape);
  cache.head_bytes_ = cache.key_bytes_ + value_bytes(shape);
  cache.data_ = memory.data();
  return cache;
}

void KvCache::append(std::size_t position, const float* keys, const float* values, Isa isa) const {
  for (std::size_t head = 0; head < shape_.heads; ++head) {
    std::byte* to_keys = data_ + head * head_bytes_;
    std::byte* to_values = to_keys + key_bytes_;
    const float* key = keys + head * shape_.head_size;
    const float* value = values + head * shape_.head_size;
    switch (shape_.type) {
      case KvType::kF32:
        append_f32(shape_, to_keys, to_values, position, key, value);
        break;
      case KvType::kF16:
        append_f16(shape_, to_keys, to_values, position, key, value);
        break;
      case KvType::kQ8_0:
        append_q8_0(shape_, to_keys, to_values, position, key, value, isa);
        break;
    }
  }
}

}  // namespace spanker
