#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "spanker/model/model.hpp"
#include "spanker/plan/problem.hpp"

// Internal to this module: JSON pieces that several reports share.
namespace spanker {

/// name, architecture, parameters, weight_bytes, decode_weight_bytes, kv_bytes_per_token.
nlohmann::ordered_json model_json(const Model& model, TensorType kv_type);

/// model, cluster (name, cards, topology), workload (as the flags name it).
nlohmann::ordered_json question_json(const Problem& problem);

/// Indented and ended by a newline; bytes that are not UTF-8 become U+FFFD.
std::string as_document(const nlohmann::ordered_json& json);

}  // namespace spanker
