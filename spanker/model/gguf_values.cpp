#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <system_error>

#include "spanker/base/byte_reader.hpp"
#include "spanker/model/gguf.hpp"

namespace spanker {
namespace {

template <class T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

/// A number of a GGUF file, whatever its integer type.
struct Integer {
  bool negative;
  std::uint64_t bits;  ///< two's complement
};

template <class T>
Integer load_integer(std::span<const std::byte> bytes) {
  const T value = load<T>(bytes);
  return {value < T{0}, static_cast<std::uint64_t>(value)};
}

/// Nothing where the type is no integer.
std::optional<Integer> as_integer(GgufType type, std::span<const std::byte> bytes) {
  switch (type) {
    case GgufType::kUint8:
      return load_integer<std::uint8_t>(bytes);
    case GgufType::kInt8:
      return load_integer<std::int8_t>(bytes);
    case GgufType::kUint16:
      return load_integer<std::uint16_t>(bytes);
    case GgufType::kInt16:
      return load_integer<std::int16_t>(bytes);
    case GgufType::kUint32:
      return load_integer<std::uint32_t>(bytes);
    case GgufType::kInt32:
      return load_integer<std::int32_t>(bytes);
    case GgufType::kUint64:
      return load_integer<std::uint64_t>(bytes);
    case GgufType::kInt64:
      return load_integer<std::int64_t>(bytes);
    case GgufType::kFloat32:
    case GgufType::kFloat64:
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string to_decimal(const Integer& value) {
  return value.negative ? std::to_string(static_cast<std::int64_t>(value.bits)) : std::to_string(value.bits);
}

double shortest_decimal(float value) {
  const std::string text = fmt::format("{}", value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : static_cast<double>(value);
}

}  // namespace

std::string_view to_string(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
      return "uint8";
    case GgufType::kInt8:
      return "int8";
    case GgufType::kUint16:
      return "uint16";
    case GgufType::kInt16:
      return "int16";
    case GgufType::kUint32:
      return "uint32";
    case GgufType::kInt32:
      return "int32";
    case GgufType::kFloat32:
      return "float32";
    case GgufType::kBool:
      return "bool";
    case GgufType::kString:
      return "string";
    case GgufType::kArray:
      return "array";
    case GgufType::kUint64:
      return "uint64";
    case GgufType::kInt64:
      return "int64";
    case GgufType::kFloat64:
      return "float64";
  }
  return {};
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Failure GgufFile::wrong_type(std::string_view key, std::string_view wanted) const {
  std::string where = fmt::format("{}: {}", name_, key);
  const GgufValue* value = find(key);
  if (value == nullptr) return bad_input(std::move(where), "key is missing", std::string(wanted));
  std::string got(to_string(value->type));
  if (value->type == GgufType::kArray) got += fmt::format(" of {}", to_string(value->element_type));
  return bad_input(std::move(where), "value of a wrong type", std::string(wanted), std::move(got));
}

Result<std::uint32_t> GgufFile::uint32(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto number = value ? as_integer(value->type, value->bytes) : std::nullopt;
  if (!number) return wrong_type(key, "an integer");
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (number->negative || number->bits > kMost) {
    return bad_input(fmt::format("{}: {}", name_, key), "number out of range", fmt::format("0 to {}", kMost),
                     to_decimal(*number));
  }
  return static_cast<std::uint32_t>(number->bits);
}

Result<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value && value->type == GgufType::kFloat32) return shortest_decimal(load<float>(value->bytes));
  if (value && value->type == GgufType::kFloat64) return load<double>(value->bytes);
  return wrong_type(key, "a float");
}

Result<bool> GgufFile::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value || value->type != GgufType::kBool) return wrong_type(key, "a bool");
  return load<std::uint8_t>(value->bytes) != 0;
}

Result<std::string_view> GgufFile::string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value || value->type != GgufType::kString) return wrong_type(key, "a string");
  return std::string_view(reinterpret_cast<const char*>(value->bytes.data()), value->bytes.size());
}

Result<GgufValue> GgufFile::array(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value || value->type != GgufType::kArray) return wrong_type(key, "an array");
  return *value;
}

Result<std::uint64_t> GgufFile::array_length(std::string_view key) const {
  return array(key).map(&GgufValue::count);
}

Result<std::vector<std::int64_t>> GgufFile::integers(std::string_view key) const {
  const auto values = array(key);
  if (!values) return tl::unexpected(values.error());
  std::vector<std::int64_t> out;
  if (values->count == 0) return out;
  const std::size_t size = values->bytes.size() / values->count;
  out.reserve(values->count);
  for (std::uint64_t i = 0; i < values->count; ++i) {
    const auto number = as_integer(values->element_type, values->bytes.subspan(i * size));
    if (!number) return wrong_type(key, "an array of integers");
    const auto element = static_cast<std::int64_t>(number->bits);
    if (!number->negative && element < 0) {
      return bad_input(fmt::format("{}: {}", name_, key), "number out of range", "below 2^63",
                       to_decimal(*number));
    }
    out.push_back(element);
  }
  return out;
}

Result<std::vector<float>> GgufFile::floats(std::string_view key) const {
  const auto values = array(key);
  if (!values) return tl::unexpected(values.error());
  if (values->element_type != GgufType::kFloat32) return wrong_type(key, "an array of float32");
  std::vector<float> out(values->count);
  if (!out.empty()) std::memcpy(out.data(), values->bytes.data(), values->bytes.size());
  return out;
}

Result<std::vector<std::string_view>> GgufFile::strings(std::string_view key) const {
  const auto values = array(key);
  if (!values) return tl::unexpected(values.error());
  if (values->element_type != GgufType::kString) return wrong_type(key, "an array of strings");
  std::vector<std::string_view> out;
  out.reserve(values->count);
  ByteReader reader(values->bytes, name_);
  while (out.size() < values->count) {
    const auto text =
        reader.read<std::uint64_t>("the length of a string").and_then([&](std::uint64_t length) {
          return reader.read_bytes(length, "a string");
        });
    if (!text) return tl::unexpected(text.error());
    out.emplace_back(reinterpret_cast<const char*>(text->data()), text->size());
  }
  return out;
}

}  // namespace spanker
