#pragma once

#include <cstddef>
#include <span>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/kernels/isa.hpp"

namespace spanker {

/// How keys and values are stored: q8_0 is a half as scale of each 32 elements and 8 bits for each.
enum class KvType { kF32, kF16, kQ8_0 };

/// The shape of one layer's keys and values on a card.
struct KvShape {
  KvType type;
  std::size_t heads;      ///< key/value heads that the card holds
  std::size_t head_size;  ///< elements; a multiple of 32 where the type is q8_0
  std::size_t positions;  ///< the most that it can hold
};

/// Keys and values of one layer. A view: copies share the memory, which the caller keeps.
///
/// Head after head, all keys and then all values. Keys lie in tiles of 16 positions, [head_size][16], so that
/// scores need no sum across a register; values in strips of 16 elements, [positions][16], so that both are
/// read forward. With q8_0 the 32 elements that share a scale lie together: 16 scales before [32][16] keys,
/// one scale before 32 values.
class KvCache {
 public:
  /// Bytes for such a cache: those of the elements, with positions rounded up to a multiple of 16 and so the
  /// head size of the values. The greatest number if they do not fit in 64 bits.
  static Bytes size_of(const KvShape& shape);

  /// A cache over the first `size_of(shape)` bytes of `memory`, which hold zeros. Fails with kBadInput if a
  /// number of the shape is 0, if q8_0 does not divide the head size, or if the memory is too small.
  static Result<KvCache> make(const KvShape& shape, std::span<std::byte> memory);

  /// Stores one position's keys and values: heads * head_size floats each, head after head. position <
  /// positions.
  void append(std::size_t position, const float* keys, const float* values, Isa isa = best_isa()) const;

  const KvShape& shape() const { return shape_; }
  const std::byte* keys(std::size_t head) const { return data_ + head * head_bytes_; }
  const std::byte* values(std::size_t head) const { return keys(head) + key_bytes_; }

 private:
  KvShape shape_{};
  std::size_t key_bytes_ = 0;   ///< of one head
  std::size_t head_bytes_ = 0;  ///< keys and values of one head
  std::byte* data_ = nullptr;
};

}  // namespace spanker
