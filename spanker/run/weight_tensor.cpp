#include "spanker/run/weight_tensor.hpp"

#include <fmt/format.h>

#include "spanker/kernels/dequantise.hpp"

namespace spanker {

Result<WeightType> weight_type_of(TensorType type, std::string_view where) {
  for (const WeightType known : {WeightType::kF32, WeightType::kF16, WeightType::kBF16, WeightType::kQ8_0,
                                 WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ6_K}) {
    if (to_string(known) == to_string(type)) return known;
  }
  return bad_input(std::string(where), "weights of that type cannot be run",
                   "f32, f16, bf16, q8_0, q4_0, q4_k or q6_k", std::string(to_string(type)));
}

Result<std::vector<float>> elements_of(const GgufFiles& files, std::string_view name, Interval elements) {
  const PlacedTensor& placed = *files.find_tensor(name);
  const auto type =
      weight_type_of(placed.tensor->type, fmt::format("{}: tensor {}", placed.file->name(), name));
  if (!type) return tl::unexpected(type.error());
  const WeightBlock block = weight_block(*type);
  std::vector<float> values(elements.count);
  dequantise(*type, placed.data().data() + elements.first / block.elements * block.bytes, values);
  return values;
}

}  // namespace spanker
