#include "spanker/kernels/vectors.hpp"

#include "spanker/kernels/kernel_table.hpp"

namespace spanker {

void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon, std::span<float> out,
              Isa isa) {
  const auto kernel = kernels_of(isa).rms_norm;
  for (std::size_t i = 0; i < x.size(); i += weight.size()) {
    kernel(x.data() + i, weight.data(), weight.size(), epsilon, out.data() + i);
  }
}

void swiglu(std::span<const float> gate, std::span<const float> up, std::span<float> out, Isa isa) {
  kernels_of(isa).swiglu(gate.data(), up.data(), out.size(), out.data());
}

void add_to(std::span<float> sum, std::span<const float> x, Isa isa) {
  kernels_of(isa).add_to(x.data(), sum.size(), sum.data());
}

void softmax(std::span<float> x, Isa isa) { kernels_of(isa).softmax(x.data(), x.size()); }

std::size_t argmax(std::span<const float> x) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    // A NaN in the first place gives way to any number.
    if (x[i] > x[best] || (x[best] != x[best] && x[i] == x[i])) best = i;
  }
  return best;
}

}  // namespace spanker
