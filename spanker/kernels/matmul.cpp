#include "spanker/kernels/matmul.hpp"

#include <algorithm>
#include <cstring>

#include "spanker/kernels/kernel_table.hpp"

namespace spanker {
namespace {

/// Calls products(group, first vector, count, out) for each group and each few vectors, and keeps the rows of
/// the range.
template <class Products>
void for_groups(std::size_t vectors, RowRange rows, float* y, std::size_t y_stride, Products products) {
  for (std::size_t group = rows.begin / kGroupRows; group * kGroupRows < rows.end; ++group) {
    const std::size_t begin = std::max(rows.begin, group * kGroupRows);
    const std::size_t end = std::min(rows.end, (group + 1) * kGroupRows);
    for (std::size_t first = 0; first < vectors; first += kMaxVectors) {
      const std::size_t count = std::min(kMaxVectors, vectors - first);
      alignas(64) GroupProducts out;
      products(group, first, count, out);
      for (std::size_t v = 0; v < count; ++v) {
        std::memcpy(y + (first + v) * y_stride + begin, out[v] + begin % kGroupRows,
                    (end - begin) * sizeof(float));
      }
    }
  }
}

}  // namespace

RowRange part_of_rows(std::size_t rows, std::size_t part, std::size_t parts) {
  const std::size_t groups = (rows + kGroupRows - 1) / kGroupRows;
  return {std::min(rows, groups * part / parts * kGroupRows),
          std::min(rows, groups * (part + 1) / parts * kGroupRows)};
}

void matmul(const PackedMatrix& weights, const Activations& x, RowRange rows, float* y, std::size_t y_stride,
            Isa isa) {
  const KernelTable& kernels = kernels_of(isa);
  const std::size_t columns = weights.columns();
  const auto float_matmul = [&](FloatProducts products) {
    for_groups(x.count, rows, y, y_stride,
               [&](std::size_t group, std::size_t first, std::size_t count, GroupProducts& out) {
                 products(weights.group(group), columns, x.values + first * columns, columns, count, out);
               });
  };
  const auto quantised_matmul = [&](QuantisedProducts products) {
    const std::size_t blocks = columns / kUnitColumns;
    for_groups(x.count, rows, y, y_stride,
               [&](std::size_t group, std::size_t first, std::size_t count, GroupProducts& out) {
                 products(weights.group(group), columns, x.blocks + first * blocks, blocks, count, out);
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
