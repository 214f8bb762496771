#include "spanker/kernels/matmul.hpp"

#include <algorithm>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"

namespace spanker {
namespace {

/// Calls products(group, chunk, first vector, count, sums) for each group, chunk and few vectors, in the
/// order in which the weights lie, and keeps the rows of the range: in y, which has the sums of earlier
/// chunks.
template <class Products>
void for_parts(const PackedMatrix& weights, std::size_t vectors, RowRange rows, float* y,
               std::size_t y_stride, Products products) {
  const std::size_t last = (rows.end + kGroupRows - 1) / kGroupRows;
  std::size_t panel = rows.begin / kGroupRows;
  while (panel < last) {
    const std::size_t panel_end = std::min(last, panel / kPanelGroups * kPanelGroups + kPanelGroups);
    for (std::size_t chunk = 0; chunk < weights.chunks(); ++chunk) {
      for (std::size_t group = panel; group < panel_end; ++group) {
        const std::size_t begin = std::max(rows.begin, group * kGroupRows);
        const std::size_t end = std::min(rows.end, (group + 1) * kGroupRows);
        for (std::size_t first = 0; first < vectors; first += kMaxVectors) {
          const std::size_t count = std::min(kMaxVectors, vectors - first);
          alignas(64) GroupProducts sums{};
          const auto each_vector = [&](auto copy) {
            for (std::size_t v = 0; v < count; ++v) {
              copy(y + (first + v) * y_stride + begin, sums[v] + begin % kGroupRows,
                   (end - begin) * sizeof(float));
            }
          };
          if (chunk > 0) {
            each_vector([](const float* in_y, float* in_sums, std::size_t bytes) {
              std::memcpy(in_sums, in_y, bytes);
            });
          }
          products(group, chunk, first, count, sums);
          each_vector([](float* in_y, const float* in_sums, std::size_t bytes) {
            std::memcpy(in_y, in_sums, bytes);
          });
        }
      }
    }
    panel = panel_end;
  }
}

}  // namespace

RowRange part_of_rows(std::size_t rows, std::size_t part, std::size_t parts) {
  // Ranges that end within a panel leave gaps in what is read, which matters little in a few of many panels.
  const std::size_t panel_rows = kPanelGroups * kGroupRows;
  const std::size_t unit = rows / panel_rows >= 8 * parts ? panel_rows : kGroupRows;
  const std::size_t units = (rows + unit - 1) / unit;
  return {std::min(rows, units * part / parts * unit), std::min(rows, units * (part + 1) / parts * unit)};
}

void matmul(const PackedMatrix& weights, const Activations& x, RowRange rows, float* y, std::size_t y_stride,
            Isa isa) {
  const KernelTable& kernels = kernels_of(isa);
  const std::size_t columns = weights.columns();
  const auto float_matmul = [&](FloatProducts products) {
    for_parts(
        weights, x.count, rows, y, y_stride,
        [&](std::size_t group, std::size_t chunk, std::size_t first, std::size_t count, GroupProducts& sums) {
          products(weights.part(group, chunk), weights.chunk_columns(chunk),
                   x.values + first * columns + chunk * kChunkColumns, columns, count, sums);
        });
  };
  const auto quantised_matmul = [&](QuantisedProducts products) {
    const std::size_t blocks = columns / kUnitColumns;
    for_parts(
        weights, x.count, rows, y, y_stride,
        [&](std::size_t group, std::size_t chunk, std::size_t first, std::size_t count, GroupProducts& sums) {
          products(weights.part(group, chunk), weights.chunk_columns(chunk),
                   x.blocks + first * blocks + chunk * (kChunkColumns / kUnitColumns), blocks, count, sums);
        });
  };
  switch (weights.type()) {
    case WeightType::kF32:
      return float_matmul(kernels.f32);
    case WeightType::kF16:
      return float_matmul(kernels.f16);
    case WeightType::kBF16:
      return float_matmul(kernels.bf16);
    case WeightType::kQ8_0:
      return quantised_matmul(kernels.q8_0);
    case WeightType::kQ4_0:
      return quantised_matmul(kernels.q4_0);
    case WeightType::kQ4_K:
      return quantised_matmul(kernels.q4_k);
    case WeightType::kQ6_K:
      return quantised_matmul(kernels.q6_k);
  }
}

}  // namespace spanker
