#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "spanker/base/result.hpp"

// For the modules that read JSON: not a public header.
namespace spanker {

/// A JSON object of any bytes, as hostile as they may be: in time and memory that grow with `text`. `kind`
/// names in errors what the file should be ("a config.json"), `file` where it is. Fails with kBadInput at the
/// byte or at the key's path: no JSON object and nothing else, a key twice in an object, more than 32 levels,
/// a number beyond a double.
Result<nlohmann::json> parse_json_object(std::string_view text, std::string_view file, std::string_view kind);

}  // namespace spanker
