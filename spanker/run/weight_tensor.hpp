#pragma once

#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/kernels/weight_type.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/run/interval.hpp"

// Internal to this module.
namespace spanker {

/// How the kernels compute with a stored type. Fails with kBadInput at `where` for types that they do not
/// have.
Result<WeightType> weight_type_of(TensorType type, std::string_view where);

/// Elements of the tensor of that name, which must be there and hold them, as floats; no others are read.
/// Whole blocks where its type has any. Fails as weight_type_of does.
Result<std::vector<float>> elements_of(const GgufFiles& files, std::string_view name, Interval elements);

}  // namespace spanker
