#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "spanker/base/first_fault.hpp"
#include "spanker/base/result.hpp"

// For the modules that read JSON: not a public header.
namespace spanker {

/// An object of a JSON file, read strictly: what is missing, of the wrong type or out of range is noted as a
/// fault that names the file and the path, and a stand-in value is returned. Every key that is asked for must
/// be there, unless said otherwise.
class StrictObject {
 public:
  /// `path` names the object in errors, "" for the whole file. Everything referred to must outlive the
  /// object.
  StrictObject(const nlohmann::json& object, std::string_view file, std::string path, FirstFault& fault)
      : object_(&object), file_(file), path_(std::move(path)), fault_(&fault) {}

  /// Whether no fault was noted so far, here or elsewhere in the file.
  bool sound() const { return !fault_->error(); }
  bool has(std::string_view key) const { return object_->contains(key); }
  bool is_null(std::string_view key) const;
  bool is_text(std::string_view key) const;
  /// "file: path.key", or "file: path" for no key.
  std::string where(std::string_view key = {}) const;
  void fail(std::string_view key, std::string what, std::string wanted = {}, std::string got = {}) const;

  /// A fault that was found elsewhere.
  void note(const Error& error) const { fault_->note(Failure(error)); }

  /// Any other key is a fault.
  void allow_only(std::span<const std::string_view> keys) const;

  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  /// It must be null; `why_not` is the fault where it is not.
  void null(std::string_view key, std::string_view why_not) const;
  double positive(std::string_view key) const;
  double not_negative(std::string_view key) const;
  StrictObject object(std::string_view key) const;
  /// Nothing where it is null.
  std::optional<StrictObject> object_or_null(std::string_view key) const;
  std::vector<StrictObject> objects(std::string_view key) const;

  /// A whole number from `low` to `high`.
  template <class Integer>
  Integer integer(std::string_view key, Integer low, Integer high) const {
    return static_cast<Integer>(checked_integer(key, low, high));
  }

  /// Whole numbers that the type can hold.
  template <class Integer>
  std::vector<Integer> integers(std::string_view key) const {
    std::vector<Integer> numbers;
    for (const std::uint64_t number : checked_integers(key, std::numeric_limits<Integer>::max())) {
      numbers.push_back(static_cast<Integer>(number));
    }
    return numbers;
  }

  /// One of `values` (not empty), spelled as their to_string says.
  template <class Enum>
  Enum choice(std::string_view key, std::span<const Enum> values) const {
    std::vector<std::string_view> names;
    for (const Enum value : values) names.push_back(to_string(value));
    return values[choice_index(key, names)];
  }

  /// What `parse`, which takes text and where it stands, makes of a text.
  template <class Parse>
  auto parsed(std::string_view key, const Parse& parse) const {
    using Value = typename std::invoke_result_t<Parse, std::string_view, std::string_view>::value_type;
    const auto found = optional_text(key, "text");
    if (!found) return Value{};
    const auto result = parse(*found, where(key));
    if (!result) fault_->note(Failure(result.error()));
    return result.value_or(Value{});
  }

 private:
  const nlohmann::json* find(std::string_view key, std::string_view wanted) const;
  void wrong(std::string_view key, std::string what, std::string wanted, const nlohmann::json& got) const;
  std::optional<std::string> optional_text(std::string_view key, std::string_view wanted) const;
  const nlohmann::json* number(std::string_view key, std::string_view wanted) const;
  std::uint64_t checked_integer(std::string_view key, std::uint64_t low, std::uint64_t high) const;
  std::vector<std::uint64_t> checked_integers(std::string_view key, std::uint64_t high) const;
  std::size_t choice_index(std::string_view key, std::span<const std::string_view> names) const;

  const nlohmann::json* object_;
  std::string_view file_;
  std::string path_;
  FirstFault* fault_;
};

}  // namespace spanker
