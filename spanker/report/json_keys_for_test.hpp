#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "spanker/base/text.hpp"

/// What several tests of this module check.
namespace spanker::testing {

/// Control characters, an escape sequence, bytes that are not UTF-8, quotes and a line separator.
inline constexpr std::string_view kHostile = "a\x1b[31m\n\r\t\x7f\"\\\xff\xc3 \xe2\x80\xa8\xed\xa0\x80z";

/// The document, which must be one JSON object, in UTF-8, ended by one newline.
inline nlohmann::json parse_document(const std::string& document) {
  EXPECT_TRUE(is_valid_utf8(document));
  EXPECT_TRUE(document.ends_with("}\n"));
  auto json = nlohmann::json::parse(document, nullptr, false);
  EXPECT_TRUE(json.is_object()) << document;
  return json;
}

struct KeyOfType {
  const char* pointer;    ///< RFC 6901
  std::string_view type;  ///< nlohmann's name of it
};

inline void expect_keys(const nlohmann::json& json, std::initializer_list<KeyOfType> keys) {
  for (const auto& [pointer, type] : keys) {
    const nlohmann::json::json_pointer at(pointer);
    if (json.contains(at)) {
      EXPECT_EQ(json.at(at).type_name(), type) << pointer;
    } else {
      ADD_FAILURE() << "no " << pointer;
    }
  }
}

/// Text for a terminal: UTF-8 lines without control characters or trailing spaces.
inline void expect_clean_text(const std::string& text) {
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_EQ(text.find(" \n"), std::string::npos) << text;
  std::string without_breaks = text;
  std::erase(without_breaks, '\n');
  EXPECT_EQ(escape_control(without_breaks), without_breaks);
}

}  // namespace spanker::testing
