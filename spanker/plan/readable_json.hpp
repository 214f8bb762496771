#pragma once

#include <nlohmann/json.hpp>
#include <string>

// Internal to this module.
namespace spanker {

/// Indented by 2 for people who edit it, and ended by a newline: lists of plain values take one line, and so
/// do objects of plain values that fit into 120 columns. Bytes that are not UTF-8 become U+FFFD.
std::string readable_json(const nlohmann::ordered_json& json);

}  // namespace spanker
