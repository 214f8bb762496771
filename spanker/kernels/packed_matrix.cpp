#include "spanker/kernels/packed_matrix.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "spanker/kernels/pack.hpp"
#include "spanker/kernels/packed_unit.hpp"

namespace spanker {
namespace {

template <class Block>
void unpack(const std::byte* group, std::size_t row, std::span<float> out) {
  for (std::size_t unit = 0; unit < out.size() / kUnitColumns; ++unit) {
    const PackedUnit weights = unit_of(reinterpret_cast<const Block*>(group), unit, row);
    for (std::size_t i = 0; i < kUnitColumns; ++i) {
      out[unit * kUnitColumns + i] = weights.scale * static_cast<float>(weights.group_scales[i / 16]) *
                                         static_cast<float>(weights.values[i]) -
                                     weights.minimum_scale * static_cast<float>(weights.minimum);
    }
  }
}

std::uint16_t bits_at(const std::byte* group, std::size_t column, std::size_t row) {
  std::uint16_t bits;
  std::memcpy(&bits, group + (column * kGroupRows + row) * sizeof bits, sizeof bits);
  return bits;
}

/// out.size() weights of row `in_group` of a part.
void unpack_part(WeightType type, const std::byte* from, std::size_t in_group, std::span<float> out) {
  switch (type) {
    case WeightType::kF32:
      for (std::size_t i = 0; i < out.size(); ++i) {
        std::memcpy(&out[i], from + (i * kGroupRows + in_group) * sizeof(float), sizeof(float));
      }
      return;
    case WeightType::kF16:
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = float_from_half(bits_at(from, i, in_group));
      return;
    case WeightType::kBF16:
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits_at(from, i, in_group)) << 16);
      }
      return;
    case WeightType::kQ8_0:
      return unpack<PackedQ8_0>(from, in_group, out);
    case WeightType::kQ4_0:
      return unpack<PackedQ4_0>(from, in_group, out);
    case WeightType::kQ4_K:
      return unpack<PackedQ4_K>(from, in_group, out);
    case WeightType::kQ6_K:
      return unpack<PackedQ6_K>(from, in_group, out);
  }
}

}  // namespace

Bytes PackedMatrix::size_of(WeightType type, std::size_t rows, std::size_t columns) {
  const WeightBlock block = weight_block(type);
  const std::uint64_t groups = rows / kGroupRows + (rows % kGroupRows != 0);
  std::uint64_t size = columns / block.elements + (columns % block.elements != 0);
  for (const std::uint64_t factor : {groups, std::uint64_t{kGroupRows * block.bytes}}) {
    if (__builtin_mul_overflow(size, factor, &size)) return Bytes(std::numeric_limits<std::uint64_t>::max());
  }
  return Bytes(size);
}

Result<PackedMatrix> PackedMatrix::make(WeightType type, std::size_t rows, std::size_t columns,
                                        std::span<std::byte> memory) {
  const std::string where = fmt::format("matrix of {} x {} {} weights", rows, columns, to_string(type));
  if (rows == 0 || columns == 0) return bad_input(where, "empty", "at least one row and one column");
  const WeightBlock block = weight_block(type);
  if (columns % block.elements != 0) {
    return bad_input(where, "columns end within a block", fmt::format("a multiple of {}", block.elements),
                     std::to_string(columns));
  }
  const Bytes size = size_of(type, rows, columns);
  if (memory.size() < size.value) {
    return bad_input(where, "too little memory", fmt::format("{} bytes", size.value),
                     std::to_string(memory.size()));
  }
  PackedMatrix matrix;
  matrix.type_ = type;
  matrix.rows_ = rows;
  matrix.columns_ = columns;
  matrix.group_bytes_ = columns / block.elements * block.bytes * kGroupRows;
  matrix.chunk_bytes_ = kChunkColumns / block.elements * block.bytes * kGroupRows;
  matrix.data_ = memory.data();
  return matrix;
}

std::byte* PackedMatrix::part(std::size_t group, std::size_t chunk) const {
  const std::size_t panel = group / kPanelGroups * kPanelGroups;
  const std::size_t groups = (rows_ + kGroupRows - 1) / kGroupRows;
  const std::size_t panel_groups = std::min(kPanelGroups, groups - panel);
  const std::size_t before = chunk * chunk_bytes_;
  const std::size_t size = std::min(chunk_bytes_, group_bytes_ - before);
  return data_ + panel * group_bytes_ + panel_groups * before + (group - panel) * size;
}

void PackedMatrix::pack(std::size_t first_row, const StoredRows& rows) const {
  for (std::size_t i = 0; i < rows.count; ++i) {
    const std::size_t row = first_row + i;
    const std::byte* stored = rows.first + i * rows.stride;
    for (std::size_t chunk = 0; chunk < chunks(); ++chunk) {
      pack_row(type_, stored + chunk * chunk_bytes_ / kGroupRows, chunk_columns(chunk),
               part(row / kGroupRows, chunk), row % kGroupRows);
    }
  }
}

void PackedMatrix::unpack_row(std::size_t row, std::span<float> out) const {
  for (std::size_t chunk = 0; chunk < chunks(); ++chunk) {
    unpack_part(type_, part(row / kGroupRows, chunk), row % kGroupRows,
                out.subspan(chunk * kChunkColumns, chunk_columns(chunk)));
  }
}

}  // namespace spanker
