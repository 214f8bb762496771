#pragma once

#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// Whether a plan that was made for `planned` is one for `model`: the same shape, and every tensor stored
/// alike; names may differ. Fails with kBadInput at `where`, naming what differs first.
Result<void> check_same_model(const Model& planned, const Model& model, std::string_view where);

}  // namespace spanker
