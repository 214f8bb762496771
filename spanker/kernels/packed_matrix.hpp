#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/kernels/weight_type.hpp"

namespace spanker {

/// Rows of one tensor, or the part of their columns that a card owns, as a GGUF file stores them.
struct StoredRows {
  const std::byte* first;  ///< the first wanted block of the first wanted row, at any address
  std::size_t stride;      ///< bytes from a row to the next
  std::size_t count;
};

/// Columns of a chunk: their activations stay in the nearest cache while a panel's weights stream through it.
inline constexpr std::size_t kChunkColumns = 1024;
/// Groups of a panel, whose first chunks lie one behind the other, then their second ones, and so on.
inline constexpr std::size_t kPanelGroups = 4;

/// A card's shard of one weight matrix, or of several of the same type and columns one below the other (q, k
/// and v; gate and up), in the form that the kernels read: groups of 16 rows interleaved, in the order in
/// which they are read. Without chunks, the activations of 4096 columns were gone from the cache before the
/// next 16 rows wanted them, and a product ran at 70 % of the memory's bandwidth where one of 2048 columns
/// ran at 93 %. Its bytes are those of the stored weights, but for room for rows up to a multiple of 16;
/// those are computed with the others, whatever they hold, and dropped. A view: copies share the memory,
/// which the caller keeps.
class PackedMatrix {
 public:
  /// Bytes that a matrix takes. A shape too great for 64 bits of size takes the greatest number.
  static Bytes size_of(WeightType type, std::size_t rows, std::size_t columns);

  /// An empty matrix over the first `size_of(type, rows, columns)` bytes of `memory`, at any address; a
  /// multiple of 64 is fastest. Fails with kBadInput if rows or columns are 0, if the columns are no multiple
  /// of the type's block, or if the memory is too small.
  static Result<PackedMatrix> make(WeightType type, std::size_t rows, std::size_t columns,
                                   std::span<std::byte> memory);

  /// Writes rows first_row, first_row + 1, ... from `rows`, of this matrix's type, columns() weights of each;
  /// they must lie within the matrix. Threads may pack different rows at the same time.
  void pack(std::size_t first_row, const StoredRows& rows) const;

  /// Weights of one row as `dequantise` makes them from the stored ones. `out` takes columns() floats.
  void unpack_row(std::size_t row, std::span<float> out) const;

  WeightType type() const { return type_; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

  std::size_t chunks() const { return (columns_ + kChunkColumns - 1) / kChunkColumns; }
  /// Those of a chunk below chunks().
  std::size_t chunk_columns(std::size_t chunk) const {
    return std::min(kChunkColumns, columns_ - chunk * kChunkColumns);
  }
  /// Rows 16 * group to 16 * group + 15 in the columns of a chunk, block after block (packed_blocks.hpp).
  std::byte* part(std::size_t group, std::size_t chunk) const;

 private:
  WeightType type_{};
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t group_bytes_ = 0;
  std::size_t chunk_bytes_ = 0;  ///< of a group's chunk that is not its last
  std::byte* data_ = nullptr;
};

}  // namespace spanker
