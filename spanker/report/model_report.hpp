#pragma once

#include <string>

#include "spanker/model/model.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// A model's shape in HF's names, how it is quantised and what a token costs, as one JSON object.
std::string to_json(const Model& model, TensorType kv_type);
/// The same as tables.
std::string to_text(const Model& model, TensorType kv_type, const Style& style);

}  // namespace spanker
