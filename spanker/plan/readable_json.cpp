#include "spanker/plan/readable_json.hpp"

#include <algorithm>
#include <cstddef>

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 120;

std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// "[1, 2]" or "{"a": 1, "b": 2}" of an array or object of plain values.
std::string on_one_line(const Json& json) {
  std::string line;
  for (const auto& [key, value] : json.items()) {
    if (!line.empty()) line += ", ";
    if (json.is_object()) line += compact(key) + ": ";
    line += compact(value);
  }
  return json.is_object() ? "{" + line + "}" : "[" + line + "]";
}

void append(const Json& json, std::size_t indent, std::string& out) {
  if (!json.is_structured() || json.empty()) {
    out += compact(json);
    return;
  }
  if (std::none_of(json.begin(), json.end(), [](const Json& value) { return value.is_structured(); })) {
    const std::string line = on_one_line(json);
    if (json.is_array() || indent + line.size() <= kColumns) {
      out += line;
      return;
    }
  }
  out += json.is_object() ? '{' : '[';
  const char* before = "\n";
  for (const auto& [key, value] : json.items()) {
    out += before;
    out.append(indent + 2, ' ');
    if (json.is_object()) out += compact(key) + ": ";
    append(value, indent + 2, out);
    before = ",\n";
  }
  out += '\n';
  out.append(indent, ' ');
  out += json.is_object() ? '}' : ']';
}

}  // namespace

std::string readable_json(const Json& json) {
  std::string out;
  append(json, 0, out);
  return out + "\n";
}

}  // namespace spanker
