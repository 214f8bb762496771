#include "spanker/model/tensor_type.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

struct Traits {
  std::string_view name;
  BlockShape block;
};

// Sizes from ggml's block structs (ggml-common.h). Where gguf-py differs (q8_1, 40 bytes there), the structs
// count.
std::optional<Traits> find_traits(TensorType type) {
  switch (type) {
    case TensorType::kF32:
      return Traits{"f32", {1, 4}};
    case TensorType::kF16:
      return Traits{"f16", {1, 2}};
    case TensorType::kQ4_0:
      return Traits{"q4_0", {32, 18}};
    case TensorType::kQ4_1:
      return Traits{"q4_1", {32, 20}};
    case TensorType::kQ5_0:
      return Traits{"q5_0", {32, 22}};
    case TensorType::kQ5_1:
      return Traits{"q5_1", {32, 24}};
    case TensorType::kQ8_0:
      return Traits{"q8_0", {32, 34}};
    case TensorType::kQ8_1:
      return Traits{"q8_1", {32, 36}};
    case TensorType::kQ2_K:
      return Traits{"q2_k", {256, 84}};
    case TensorType::kQ3_K:
      return Traits{"q3_k", {256, 110}};
    case TensorType::kQ4_K:
      return Traits{"q4_k", {256, 144}};
    case TensorType::kQ5_K:
      return Traits{"q5_k", {256, 176}};
    case TensorType::kQ6_K:
      return Traits{"q6_k", {256, 210}};
    case TensorType::kQ8_K:
      return Traits{"q8_k", {256, 292}};
    case TensorType::kIQ2_XXS:
      return Traits{"iq2_xxs", {256, 66}};
    case TensorType::kIQ2_XS:
      return Traits{"iq2_xs", {256, 74}};
    case TensorType::kIQ3_XXS:
      return Traits{"iq3_xxs", {256, 98}};
    case TensorType::kIQ1_S:
      return Traits{"iq1_s", {256, 50}};
    case TensorType::kIQ4_NL:
      return Traits{"iq4_nl", {32, 18}};
    case TensorType::kIQ3_S:
      return Traits{"iq3_s", {256, 110}};
    case TensorType::kIQ2_S:
      return Traits{"iq2_s", {256, 82}};
    case TensorType::kIQ4_XS:
      return Traits{"iq4_xs", {256, 136}};
    case TensorType::kI8:
      return Traits{"i8", {1, 1}};
    case TensorType::kI16:
      return Traits{"i16", {1, 2}};
    case TensorType::kI32:
      return Traits{"i32", {1, 4}};
    case TensorType::kI64:
      return Traits{"i64", {1, 8}};
    case TensorType::kF64:
      return Traits{"f64", {1, 8}};
    case TensorType::kIQ1_M:
      return Traits{"iq1_m", {256, 56}};
    case TensorType::kBF16:
      return Traits{"bf16", {1, 2}};
    case TensorType::kTQ1_0:
      return Traits{"tq1_0", {256, 54}};
    case TensorType::kTQ2_0:
      return Traits{"tq2_0", {256, 66}};
    case TensorType::kMXFP4:
      return Traits{"mxfp4", {32, 17}};
    case TensorType::kNVFP4:
      return Traits{"nvfp4", {64, 36}};
    case TensorType::kQ1_0:
      return Traits{"q1_0", {128, 18}};
    case TensorType::kQ2_0:
      return Traits{"q2_0", {64, 18}};
  }
  return std::nullopt;
}

constexpr std::uint32_t kLastNumber = 42;

}  // namespace

std::string_view to_string(TensorType type) { return find_traits(type).value().name; }

BlockShape block_shape(TensorType type) { return find_traits(type).value().block; }

bool can_store_weights(TensorType type) {
  return type != TensorType::kI8 && type != TensorType::kI16 && type != TensorType::kI32 &&
         type != TensorType::kI64;
}

std::optional<TensorType> tensor_type_from_ggml(std::uint32_t number) {
  const auto type = static_cast<TensorType>(number);
  if (!find_traits(type)) return std::nullopt;
  return type;
}

Result<TensorType> parse_tensor_type(std::string_view name, std::string_view where) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::vector<std::string_view> known;
  for (std::uint32_t number = 0; number <= kLastNumber; ++number) {
    const auto type = tensor_type_from_ggml(number);
    if (!type) continue;
    known.push_back(to_string(*type));
    if (known.back() == lower) return *type;
  }
  const std::string_view near = closest(lower, known);
  return bad_input(std::string(where), "unknown tensor type",
                   fmt::format("one of {}", fmt::join(known, ", ")),
                   fmt::format("\"{}\"", shortened(name)) +
                       (near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
}

}  // namespace spanker
