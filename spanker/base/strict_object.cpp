#include "spanker/base/strict_object.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

const Json kEmptyObject = Json::object();

bool is_whole_number(const Json& value, std::uint64_t low, std::uint64_t high) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() >= low &&
         value.get<std::uint64_t>() <= high;
}

std::string whole_number_text(std::uint64_t low, std::uint64_t high) {
  return fmt::format("a whole number from {} to {}", low, high);
}

const char* fault_of(const Json& number) {
  return number.is_number_integer() ? "out of range" : "wrong type";
}

}  // namespace

bool StrictObject::is_null(std::string_view key) const {
  const auto found = object_->find(key);
  return found != object_->end() && found->is_null();
}

bool StrictObject::is_text(std::string_view key) const {
  const auto found = object_->find(key);
  return found != object_->end() && found->is_string();
}

std::string StrictObject::where(std::string_view key) const {
  const std::string_view dot = path_.empty() || key.empty() ? "" : ".";
  return fmt::format("{}: {}{}{}", file_, path_, dot, shortened(key));
}

void StrictObject::fail(std::string_view key, std::string what, std::string wanted, std::string got) const {
  if (!sound()) return;  // what is not told need not be put into words
  fault_->note(bad_input(where(key), std::move(what), std::move(wanted), std::move(got)));
}

void StrictObject::wrong(std::string_view key, std::string what, std::string wanted, const Json& got) const {
  if (!sound()) return;
  fail(key, std::move(what), std::move(wanted),
       shortened(got.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

void StrictObject::allow_only(std::span<const std::string_view> keys) const {
  for (const auto& [key, value] : object_->items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string_view near = closest(key, keys);
    if (near.empty()) {
      fail(key, "unknown key", fmt::format("one of {}", fmt::join(keys, ", ")));
    } else {
      fail(key, fmt::format("unknown key, did you mean {}?", near));
    }
  }
}

const Json* StrictObject::find(std::string_view key, std::string_view wanted) const {
  const auto found = object_->find(key);
  if (found != object_->end()) return &*found;
  fail(key, "missing", std::string(wanted));
  return nullptr;
}

std::optional<std::string> StrictObject::optional_text(std::string_view key, std::string_view wanted) const {
  const Json* value = find(key, wanted);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  wrong(key, "wrong type", std::string(wanted), *value);
  return std::nullopt;
}

std::string StrictObject::text(std::string_view key) const { return optional_text(key, "text").value_or(""); }

bool StrictObject::flag(std::string_view key) const {
  const Json* value = find(key, "true or false");
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  wrong(key, "wrong type", "true or false", *value);
  return false;
}

void StrictObject::null(std::string_view key, std::string_view why_not) const {
  const Json* value = find(key, "null");
  if (value != nullptr && !value->is_null()) wrong(key, std::string(why_not), "null", *value);
}

const Json* StrictObject::number(std::string_view key, std::string_view wanted) const {
  const Json* value = find(key, wanted);
  if (value == nullptr || value->is_number()) return value;
  wrong(key, "wrong type", std::string(wanted), *value);
  return nullptr;
}

double StrictObject::positive(std::string_view key) const {
  constexpr std::string_view kWanted = "a number above 0";
  const Json* value = number(key, kWanted);
  if (value == nullptr) return 1;
  if (value->get<double>() > 0) return value->get<double>();
  wrong(key, "out of range", std::string(kWanted), *value);
  return 1;
}

double StrictObject::not_negative(std::string_view key) const {
  constexpr std::string_view kWanted = "a number, 0 or more";
  const Json* value = number(key, kWanted);
  if (value == nullptr) return 0;
  if (value->get<double>() >= 0) return value->get<double>();
  wrong(key, "out of range", std::string(kWanted), *value);
  return 0;
}

std::uint64_t StrictObject::checked_integer(std::string_view key, std::uint64_t low,
                                            std::uint64_t high) const {
  const std::string wanted = whole_number_text(low, high);
  const Json* value = find(key, wanted);
  if (value == nullptr) return low;
  if (is_whole_number(*value, low, high)) return value->get<std::uint64_t>();
  wrong(key, fault_of(*value), wanted, *value);
  return low;
}

std::vector<std::uint64_t> StrictObject::checked_integers(std::string_view key, std::uint64_t high) const {
  constexpr std::string_view kWanted = "an array of whole numbers";
  std::vector<std::uint64_t> numbers;
  const Json* array = find(key, kWanted);
  if (array == nullptr) return numbers;
  if (!array->is_array()) wrong(key, "wrong type", std::string(kWanted), *array);
  for (const Json& value : *array) {
    if (!is_whole_number(value, 0, high)) {
      wrong(fmt::format("{}[{}]", key, numbers.size()), fault_of(value), whole_number_text(0, high), value);
      break;
    }
    numbers.push_back(value.get<std::uint64_t>());
  }
  return numbers;
}

StrictObject StrictObject::object(std::string_view key) const {
  const std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  const Json* value = find(key, "an object");
  if (value == nullptr) return {kEmptyObject, file_, path, *fault_};
  if (!value->is_object()) wrong(key, "wrong type", "an object", *value);
  return {value->is_object() ? *value : kEmptyObject, file_, path, *fault_};
}

std::optional<StrictObject> StrictObject::object_or_null(std::string_view key) const {
  const Json* value = find(key, "an object or null");
  if (value == nullptr || value->is_null()) return std::nullopt;
  return object(key);
}

std::vector<StrictObject> StrictObject::objects(std::string_view key) const {
  constexpr std::string_view kWanted = "an array of objects";
  std::vector<StrictObject> objects;
  const Json* array = find(key, kWanted);
  if (array == nullptr) return objects;
  if (!array->is_array()) {
    wrong(key, "wrong type", std::string(kWanted), *array);
    return objects;
  }
  for (const Json& value : *array) {
    const std::string element = fmt::format("{}[{}]", key, objects.size());
    if (!value.is_object()) {
      wrong(element, "wrong type", "an object", value);
      break;
    }
    objects.emplace_back(value, file_, path_.empty() ? element : fmt::format("{}.{}", path_, element),
                         *fault_);
  }
  return objects;
}

std::size_t StrictObject::choice_index(std::string_view key, std::span<const std::string_view> names) const {
  const std::string wanted = fmt::format("one of {}", fmt::join(names, ", "));
  const auto name = optional_text(key, wanted);
  if (!name) return 0;
  const auto found = std::find(names.begin(), names.end(), *name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  wrong(key, "unknown", wanted, *name);
  return 0;
}

}  // namespace spanker
