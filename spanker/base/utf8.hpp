#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spanker {

/// U+FFFD, which stands for what is no text.
inline constexpr std::string_view kReplacementCharacter = "\uFFFD";

enum class Utf8Kind {
  kWhole,    ///< a character
  kCut,      ///< the beginning of a character, at the end of the text
  kInvalid,  ///< bytes that no character begins with
};

/// What a text begins with.
struct Utf8Prefix {
  Utf8Kind kind = Utf8Kind::kInvalid;
  std::size_t length = 0;        ///< in bytes, 1 to 4
  std::uint32_t code_point = 0;  ///< of a whole character
};

/// Reads the start of `text`, which is not empty, after table 3-7 of the Unicode standard: no overlong forms,
/// no surrogates, at most U+10FFFF. Invalid bytes are as many as one U+FFFD should stand for (section 3.9,
/// "maximal subparts").
Utf8Prefix read_utf8(std::string_view text);

/// The bytes at the start of `text` that are whole characters.
std::size_t valid_utf8_length(std::string_view text);

}  // namespace spanker
