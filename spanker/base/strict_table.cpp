#include "spanker/base/strict_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

/// toml++ limits how deep values nest, but frees the tables of a dotted key (a.b.c...) recursively, however
/// many there are: half a million overflow the stack. A key ends with its line, so a bound on a line's dots
/// bounds the depth without telling keys from strings. Lines of nothing but comment hold no key.
Result<void> refuse_deep_keys(std::string_view text, std::string_view file) {
  constexpr std::ptrdiff_t kMaxDots = 64;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view row = text.substr(0, text.find('\n'));
    const std::size_t first = row.find_first_not_of(" \t");
    const bool is_comment = first != std::string_view::npos && row[first] == '#';
    if (!is_comment && std::count(row.begin(), row.end(), '.') > kMaxDots) {
      return bad_input(fmt::format("{}:{}", file, line), "too many dots in one line",
                       fmt::format("at most {}", kMaxDots));
    }
    text.remove_prefix(std::min(row.size() + 1, text.size()));
  }
  return {};
}

}  // namespace

std::string_view type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a bare number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return {};
}

Result<toml::table> parse_toml(std::string_view text, std::string_view file) {
  if (auto shallow = refuse_deep_keys(text, file); !shallow) return tl::unexpected(shallow.error());
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    return bad_input(fmt::format("{}:{}", file, error.source().begin.line),
                     fmt::format("not valid TOML: {}", error.description()));
  }
}

std::string StrictTable::where(std::string_view key) const {
  const toml::node* node = key.empty() ? table_ : table_->get(key);
  const auto line = node == nullptr ? 0 : node->source().begin.line;
  const std::string place = line == 0 ? std::string(file_) : fmt::format("{}:{}", file_, line);
  const std::string_view dot = path_.empty() || key.empty() ? "" : ".";
  return fmt::format("{}: {}{}{}", place, path_, dot, key);
}

void StrictTable::fail(std::string_view key, std::string what, std::string wanted, std::string got) const {
  fault_->note(bad_input(where(key), std::move(what), std::move(wanted), std::move(got)));
}

void StrictTable::expect_schema(std::string_view schema) const {
  const std::string wanted = fmt::format("\"{}\"", schema);
  const std::string got = text("schema", wanted);
  if (got != schema) fail("schema", "unknown schema", wanted, fmt::format("\"{}\"", got));
}

void StrictTable::allow_only(std::span<const std::string_view> keys) const {
  for (const auto& [key, node] : *table_) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    const std::string_view near = closest(key.str(), keys);
    if (near.empty()) {
      fail(key.str(), "unknown key", fmt::format("one of {}", fmt::join(keys, ", ")));
    } else {
      fail(key.str(), fmt::format("unknown key, did you mean {}?", near));
    }
  }
}

const toml::node* StrictTable::find(std::string_view key, std::string_view wanted) const {
  const toml::node* node = table_->get(key);
  if (node == nullptr) fail(key, "missing", std::string(wanted));
  return node;
}

std::optional<std::string> StrictTable::optional_text(std::string_view key, std::string_view wanted) const {
  const toml::node* node = find(key, wanted);
  if (node == nullptr) return std::nullopt;
  const auto* string = node->as_string();
  if (string == nullptr) {
    fail(key, "wrong type", std::string(wanted), std::string(type_of(*node)));
    return std::nullopt;
  }
  return string->get();
}

std::string StrictTable::text(std::string_view key, std::string_view wanted) const {
  return optional_text(key, wanted).value_or("");
}

bool StrictTable::flag(std::string_view key) const {
  const toml::node* node = find(key, "true or false");
  if (node == nullptr) return false;
  if (const auto* boolean = node->as_boolean()) return boolean->get();
  fail(key, "wrong type", "true or false", std::string(type_of(*node)));
  return false;
}

std::uint32_t StrictTable::integer(std::string_view key, std::uint32_t low, std::uint32_t high) const {
  const std::string wanted = fmt::format("a whole number from {} to {}", low, high);
  const toml::node* node = find(key, wanted);
  if (node == nullptr) return low;
  const auto* number = node->as_integer();
  if (number == nullptr) {
    fail(key, "wrong type", wanted, node->is_floating_point() ? "a fraction" : std::string(type_of(*node)));
    return low;
  }
  if (number->get() < low || number->get() > high) {
    fail(key, "out of range", wanted, std::to_string(number->get()));
    return low;
  }
  return static_cast<std::uint32_t>(number->get());
}

double StrictTable::number(std::string_view key, double low, double high) const {
  const std::string wanted = fmt::format("a number from {} to {}", low, high);
  const toml::node* node = find(key, wanted);
  if (node == nullptr) return low;
  double number = low;
  if (const auto* whole = node->as_integer()) {
    number = static_cast<double>(whole->get());
  } else if (const auto* fraction = node->as_floating_point()) {
    number = fraction->get();
  } else {
    fail(key, "wrong type", wanted, std::string(type_of(*node)));
  }
  // What is not a number compares with nothing.
  if (number >= low && number <= high) return number;
  fail(key, "out of range", wanted, fmt::format("{}", number));
  return low;
}

const toml::array* StrictTable::array(std::string_view key, std::string_view wanted) const {
  const toml::node* node = find(key, wanted);
  if (node == nullptr) return nullptr;
  if (!node->is_array()) fail(key, "wrong type", std::string(wanted), std::string(type_of(*node)));
  return node->as_array();
}

StrictTable StrictTable::table(std::string_view key) const {
  static const toml::table kEmpty;
  const std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  const toml::node* node = find(key, "a table");
  if (node == nullptr) return {kEmpty, file_, path, *fault_};
  if (!node->is_table()) fail(key, "wrong type", "a table", std::string(type_of(*node)));
  return {node->is_table() ? *node->as_table() : kEmpty, file_, path, *fault_};
}

std::vector<StrictTable> StrictTable::tables(std::string_view key) const {
  std::vector<StrictTable> result;
  const toml::node* node = table_->get(key);
  if (node == nullptr) return result;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    fail(key, "wrong type", fmt::format("tables, each headed [[{}]]", key), std::string(type_of(*node)));
    return result;
  }
  for (const toml::node& element : *array) {
    const std::string path = fmt::format("{}[{}]", key, result.size());
    if (!element.is_table()) {
      fail(key, fmt::format("wrong type of element {}", result.size()), "a table",
           std::string(type_of(element)));
      break;
    }
    result.emplace_back(*element.as_table(), file_, path, *fault_);
  }
  return result;
}

std::size_t StrictTable::choice_index(std::string_view key, std::span<const std::string_view> names) const {
  const std::string wanted = fmt::format("one of {}", fmt::join(names, ", "));
  const auto name = optional_text(key, wanted);
  if (!name) return 0;
  const auto found = std::find(names.begin(), names.end(), *name);
  if (found == names.end()) {
    fail(key, "unknown", wanted, fmt::format("\"{}\"", *name));
    return 0;
  }
  return static_cast<std::size_t>(found - names.begin());
}

bool StrictTable::is_string(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_string();
}

bool StrictTable::is_table(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_table();
}

}  // namespace spanker
