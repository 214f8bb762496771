#pragma once

#include <cstddef>
#include <span>

#include "spanker/kernels/isa.hpp"

namespace spanker {

/// out[i] = weight[i] * x[i] / sqrt(mean of x^2 + epsilon), as in "Root Mean Square Layer Normalization"
/// (Zhang and Sennrich, 2019). `weight` has as many elements as a vector; x and out, which may be the same,
/// hold vectors one after another: one a token, or, for Qwen 3's norms of queries and keys, one a head.
void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon, std::span<float> out,
              Isa isa = best_isa());

/// out[i] = gate[i] / (1 + e^-gate[i]) * up[i] ("GLU Variants Improve Transformer", Shazeer, 2020). `out` may
/// be one of the others. Relative error below 1e-6; of a gate below -88, whose true product is nearer to 0
/// than 1e-36 * up, only the smallness is kept.
void swiglu(std::span<const float> gate, std::span<const float> up, std::span<float> out,
            Isa isa = best_isa());

/// sum[i] += x[i]: the residual stream, and biases.
void add_to(std::span<float> sum, std::span<const float> x, Isa isa = best_isa());

/// x[i] = e^(x[i] - m) / sum over j of e^(x[j] - m), m the greatest. Not empty. Relative error below 1e-6
/// where the result is above e^-87; what is smaller stays that small.
void softmax(std::span<float> x, Isa isa = best_isa());

/// The index of the greatest element, of equals the first. NaN is never the greatest; 0 if all are NaN. Not
/// empty.
std::size_t argmax(std::span<const float> x);

}  // namespace spanker
