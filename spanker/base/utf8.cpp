#include "spanker/base/utf8.hpp"

namespace spanker {

Utf8Prefix read_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {Utf8Kind::kWhole, 1, first};
  if (first < 0xC2 || first > 0xF4) return {Utf8Kind::kInvalid, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  // The second byte tells overlong forms, surrogates and what lies above U+10FFFF.
  std::uint8_t lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  std::uint8_t highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  std::uint32_t code_point = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8Kind::kCut, i};
    if (byte(i) < lowest || byte(i) > highest) return {Utf8Kind::kInvalid, i};
    code_point = (code_point << 6) | (byte(i) & 0x3Fu);
    lowest = 0x80;
    highest = 0xBF;
  }
  return {Utf8Kind::kWhole, length, code_point};
}

std::size_t valid_utf8_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const Utf8Prefix prefix = read_utf8(text.substr(length));
    if (prefix.kind != Utf8Kind::kWhole) break;
    length += prefix.length;
  }
  return length;
}

}  // namespace spanker
