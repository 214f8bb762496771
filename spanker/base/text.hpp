#pragma once

#include <span>
#include <string>
#include <string_view>

namespace spanker {

/// `text` made safe for a terminal and for one line: control characters (C0, DEL, C1), line and paragraph
/// separators and bytes that are not valid UTF-8 become "\n", "\t", "\x1b" and so on. Other text is
/// unchanged.
std::string escape_control(std::string_view text);

/// At most 80 bytes of `text`, then "..." where there is more. For errors, since what a file holds may be as
/// long as the file.
std::string shortened(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_valid_utf8(std::string_view text);

/// The candidate closest to `text` by edit distance, for "did you mean"; empty where none is within a third
/// of its length.
std::string_view closest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace spanker
