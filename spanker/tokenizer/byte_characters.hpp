#pragma once

#include <optional>
#include <string>
#include <string_view>

// Internal to this module.
namespace spanker {

/// The bytes that `name` spells in the alphabet of byte-level BPE, which has a visible character for each
/// byte: the byte's own in Latin 1 where that is visible, for the 68 others U+0100 to U+0143 in order
/// (openai/gpt-2, encoder.py, bytes_to_unicode). Nothing where a character is none of them.
std::optional<std::string> bytes_of_characters(std::string_view name);

}  // namespace spanker
