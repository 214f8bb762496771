#pragma once

#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// Whether a shape describes a model that can exist: every count at least 1 and within a generous bound (so
/// that no sum of sizes overflows), query heads a multiple of key/value heads, epsilon and theta finite and
/// positive, experts where the architecture has them and no more for a token than there are. Fails with
/// kBadInput at `where`, naming the hyperparameter.
Result<void> check_shape(const ModelShape& shape, std::string_view where);

}  // namespace spanker
