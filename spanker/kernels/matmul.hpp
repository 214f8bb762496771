#pragma once

#include <cstddef>

#include "spanker/kernels/isa.hpp"
#include "spanker/kernels/packed_matrix.hpp"
#include "spanker/kernels/quantise.hpp"

namespace spanker {

/// The vectors to multiply with, one after another: `count` of as many elements as the matrix has columns.
/// Matrices of quantised types read `blocks` (columns / 32 for each vector), the others `values`.
struct Activations {
  std::size_t count;
  const float* values;
  const QuantisedBlock* blocks;
};

/// Rows begin to end - 1.
struct RowRange {
  std::size_t begin;
  std::size_t end;
};

/// The part of `part` (0 to parts - 1) when rows are dealt to `parts` threads: nearly equal ranges that begin
/// at multiples of 16, where they are many of 64, together all rows.
RowRange part_of_rows(std::size_t rows, std::size_t part, std::size_t parts);

/// y[t * y_stride + row] = sum over columns of weights[row][column] * x[t][column], for the rows of the range
/// and all t.
///
/// One bit pattern for a row and a vector, whatever the range, the other vectors and the instructions: so
/// rows may be dealt to threads and cards in any way, and a token has the same result in prefill and in
/// decode. Ranges that begin at multiples of 16 are fastest, since 16 rows are computed at a time. Reads the
/// matrix once for each 8 vectors, and from the caches but for the first time.
///
/// Quantised types: the sums of products within 32 columns (within 16 for Q6_K) are exact integers; of those,
/// and for F32, F16 and BF16 of all products, a float sum is made in ascending order of columns (F32, F16,
/// BF16: one of the even columns plus one of the odd ones), a rounding for each.
void matmul(const PackedMatrix& weights, const Activations& x, RowRange rows, float* y, std::size_t y_stride,
            Isa isa = best_isa());

}  // namespace spanker
