#include "spanker/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace spanker {
namespace {

using namespace std::string_view_literals;

/// `text` with a U+FFFD for each invalid prefix, and for one that is cut.
std::string replaced(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Prefix prefix = read_utf8(text);
    out += prefix.kind == Utf8Kind::kWhole ? text.substr(0, prefix.length) : kReplacementCharacter;
    text.remove_prefix(prefix.length);
  }
  return out;
}

TEST(Utf8, ReplacesAsTheUnicodeStandardShows) {
  // Section 3.9, tables 3-8 to 3-11, and the example before them.
  EXPECT_EQ(replaced("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
  EXPECT_EQ(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8, EveryCharacterCutShortIsTheBeginningOfOne) {
  for (const std::string_view character :
       {"\u0080"sv, "\u07FF"sv, "\u0800"sv, "\u0FFF"sv, "\u1000"sv, "\uD7FF"sv, "\uE000"sv, "\uFFFF"sv,
        "\U00010000"sv, "\U0003FFFF"sv, "\U00040000"sv, "\U000FFFFF"sv, "\U00100000"sv, "\U0010FFFF"sv}) {
    const Utf8Prefix whole = read_utf8(character);
    EXPECT_EQ(whole.kind, Utf8Kind::kWhole);
    EXPECT_EQ(whole.length, character.size());
    for (std::size_t length = 1; length < character.size(); ++length) {
      const Utf8Prefix cut = read_utf8(character.substr(0, length));
      EXPECT_EQ(cut.kind, Utf8Kind::kCut);
      EXPECT_EQ(cut.length, length);
      // Followed by anything else it is none.
      const std::string broken = std::string(character.substr(0, length)) + "x";
      EXPECT_EQ(read_utf8(broken).kind, Utf8Kind::kInvalid);
      EXPECT_EQ(read_utf8(broken).length, length);
    }
  }
  EXPECT_EQ(read_utf8("\u20AC").code_point, 0x20ACu);
  EXPECT_EQ(read_utf8("\U0001F600").code_point, 0x1F600u);
}

TEST(Utf8, CountsWhatIsValidAtTheStart) {
  EXPECT_EQ(valid_utf8_length(""), 0u);
  EXPECT_EQ(valid_utf8_length("\u20ACx"), 4u);
  EXPECT_EQ(valid_utf8_length("x\xE2\x82"), 1u);
  EXPECT_EQ(valid_utf8_length("x\0y\xFFz"sv), 3u);
}

}  // namespace
}  // namespace spanker
