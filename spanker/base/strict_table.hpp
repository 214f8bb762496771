#pragma once

#include <toml++/toml.h>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "spanker/base/first_fault.hpp"
#include "spanker/base/result.hpp"

// For the modules that read TOML: not a public header.
namespace spanker {

/// Parses TOML of any bytes. `file` is named in errors.
Result<toml::table> parse_toml(std::string_view text, std::string_view file);

/// What a node is, for errors: "a table", "a bare number".
std::string_view type_of(const toml::node& node);

/// A table of a TOML file, read strictly: what is missing, of the wrong type or out of range is noted as a
/// fault that names the file, the line and the key, and a stand-in value is returned.
class StrictTable {
 public:
  /// `path` names the table in errors, "" for the whole file. Everything referred to must outlive the object.
  StrictTable(const toml::table& table, std::string_view file, std::string path, FirstFault& fault)
      : table_(&table), file_(file), path_(std::move(path)), fault_(&fault) {}

  bool has(std::string_view key) const { return table_->contains(key); }
  bool is_string(std::string_view key) const;
  bool is_table(std::string_view key) const;
  /// "file:line: table.key"; without a line where the key is absent. For no key "file:line: table".
  std::string where(std::string_view key = {}) const;
  void fail(std::string_view key, std::string what, std::string wanted = {}, std::string got = {}) const;

  /// The key schema must have that value. A file of another schema has other keys, so this comes first.
  void expect_schema(std::string_view schema) const;
  /// Any other key is a fault.
  void allow_only(std::span<const std::string_view> keys) const;

  std::string text(std::string_view key, std::string_view wanted = "a string") const;
  bool flag(std::string_view key) const;
  std::uint32_t integer(std::string_view key, std::uint32_t low, std::uint32_t high) const;
  /// A number without a unit, whole or not.
  double number(std::string_view key, double low, double high) const;
  /// Of any elements; null where it is missing or no array.
  const toml::array* array(std::string_view key, std::string_view wanted) const;
  StrictTable table(std::string_view key) const;
  /// An array of tables; none where the key is absent.
  std::vector<StrictTable> tables(std::string_view key) const;

  /// One of `values`, spelled as their to_string says.
  template <class Enum, std::size_t N>
  Enum choice(std::string_view key, const std::array<Enum, N>& values) const {
    std::array<std::string_view, N> names;
    for (std::size_t i = 0; i < N; ++i) names[i] = to_string(values[i]);
    return values[choice_index(key, names)];
  }

  /// A quantity string. `parse` is one of parse_quantity.hpp's, or what takes and returns the like.
  template <class Parse>
  auto quantity(std::string_view key, const Parse& parse,
                std::string_view wanted = "a quantity: a string of a number and a unit") const {
    using Value = typename std::invoke_result_t<Parse, std::string_view, std::string_view>::value_type;
    const auto found = optional_text(key, wanted);
    if (!found) return Value{};
    const auto result = parse(*found, where(key));
    if (!result) fault_->note(Failure(result.error()));
    return result.value_or(Value{});
  }

 private:
  const toml::node* find(std::string_view key, std::string_view wanted) const;
  std::optional<std::string> optional_text(std::string_view key, std::string_view wanted) const;
  std::size_t choice_index(std::string_view key, std::span<const std::string_view> names) const;

  const toml::table* table_;
  std::string_view file_;
  std::string path_;
  FirstFault* fault_;
};

}  // namespace spanker
