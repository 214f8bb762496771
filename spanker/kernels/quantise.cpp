#include "spanker/kernels/quantise.hpp"

#include "spanker/kernels/kernel_table.hpp"

namespace spanker {

void quantise(std::span<const float> values, std::span<QuantisedBlock> blocks, Isa isa) {
  kernels_of(isa).quantise(values.data(), blocks.size(), blocks.data());
}

}  // namespace spanker
