#include "spanker/base/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanker {
namespace {

using namespace std::string_view_literals;

TEST(EscapeControl, LeavesOrdinaryTextAlone) {
  for (const std::string_view text :
       {""sv, "tok_embd.weight"sv, "a\\b \"c\" 100 %"sv, "\u00e4\u20ac\u4e16\U0001f600"sv, "\u00a0"sv,
        "\u2027"sv, "\u202a"sv, "\U0010ffff"sv}) {
    EXPECT_EQ(escape_control(text), text);
  }
}

TEST(EscapeControl, NamesTheCommonOnesAndShowsTheRestAsBytes) {
  EXPECT_EQ(escape_control("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escape_control("\0"sv), "\\x00");
  EXPECT_EQ(escape_control("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(escape_control("\x07"), "\\x07");
  EXPECT_EQ(escape_control("\x1f \x7f"), "\\x1f \\x7f");
  EXPECT_EQ(escape_control("\u0080\u0085\u009b\u009f"), "\\xc2\\x80\\xc2\\x85\\xc2\\x9b\\xc2\\x9f");  // C1
  EXPECT_EQ(escape_control("a\u2028b\u2029c"), "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9c");
}

TEST(EscapeControl, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(escape_control("\xff"), "\\xff");
  EXPECT_EQ(escape_control("a\x80z"), "a\\x80z");
  EXPECT_EQ(escape_control("\xc3"), "\\xc3");                  // cut short
  EXPECT_EQ(escape_control("\xe2\x82"), "\\xe2\\x82");         // cut short
  EXPECT_EQ(escape_control("\xc0\xaf"), "\\xc0\\xaf");         // overlong
  EXPECT_EQ(escape_control("\xc3(\xc3\xa9"), "\\xc3(\u00e9");  // what follows is read afresh
}

RC_GTEST_PROP(EscapeControl, MakesAnyBytesOnePrintableLine, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  const std::string escaped = escape_control(text);
  RC_ASSERT(is_valid_utf8(escaped));
  for (const char c : escaped) {
    const auto byte = static_cast<unsigned char>(c);
    RC_ASSERT(byte >= 0x20 && byte != 0x7f);
  }
  RC_ASSERT(escaped.find("\xe2\x80\xa8") == std::string::npos &&
            escaped.find("\xe2\x80\xa9") == std::string::npos);
  RC_ASSERT(escape_control(escaped) == escaped);
}

struct Range {
  unsigned low;
  unsigned high;
};

// The Unicode Standard, table 3-7: well-formed UTF-8 byte sequences.
const std::vector<std::vector<Range>> kWellFormed = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

bool starts_with_row(std::string_view text, const std::vector<Range>& row) {
  if (text.size() < row.size()) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < row[i].low || byte > row[i].high) return false;
  }
  return true;
}

bool well_formed(std::string_view text) {
  while (!text.empty()) {
    std::size_t length = 0;
    for (const auto& row : kWellFormed) {
      if (starts_with_row(text, row)) length = row.size();
    }
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Every sequence of up to four of the bytes at which some range of the table begins or ends.
TEST(Shortened, KeepsWhatIsShort) {
  EXPECT_EQ(shortened(""), "");
  EXPECT_EQ(shortened(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(shortened(std::string(81, 'x')), std::string(80, 'x') + "...");
}

TEST(IsValidUtf8, AgreesWithTheStandardAtEveryBoundary) {
  constexpr std::array<unsigned, 25> kBytes = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                               0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                               0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  std::size_t valid = 0;
  for (std::size_t length = 0; length <= 4; ++length) {
    std::size_t sequences = 1;
    for (std::size_t i = 0; i < length; ++i) sequences *= kBytes.size();
    std::string text(length, '\0');
    for (std::size_t n = 0; n < sequences; ++n) {
      std::size_t rest = n;
      for (char& c : text) {
        c = static_cast<char>(kBytes[rest % kBytes.size()]);
        rest /= kBytes.size();
      }
      const bool wanted = well_formed(text);
      ASSERT_EQ(is_valid_utf8(text), wanted) << escape_control(text);
      valid += wanted ? 1 : 0;
    }
  }
  EXPECT_GT(valid, 1000u);
}

TEST(IsValidUtf8, KnownSequences) {
  for (const std::string_view good : {""sv, "\0"sv, "\u07ff"sv, "\u0800"sv, "\ud7ff"sv, "\ue000"sv,
                                      "\uffff"sv, "\U00010000"sv, "\U0010ffff"sv, "caf\u00e9"sv}) {
    EXPECT_TRUE(is_valid_utf8(good)) << escape_control(good);
  }
  for (const std::string_view bad :
       {"\xed\xa0\x80"sv, "\xed\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xc0\x80"sv, "\xe0\x9f\xbf"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf8\x88\x80\x80\x80"sv, "abc\xe2\x82"sv, "\xfe\xff"sv}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << escape_control(bad);
  }
}

constexpr std::string_view kNames[] = {"latency", "bandwidth", "lanes", "lane_rate"};

TEST(Closest, FindsAMisspelling) {
  EXPECT_EQ(closest("latancy", kNames), "latency");
  EXPECT_EQ(closest("bandwith", kNames), "bandwidth");
  EXPECT_EQ(closest("lane", kNames), "lanes");
  EXPECT_EQ(closest("lane-rate", kNames), "lane_rate");
  EXPECT_EQ(closest("latency", kNames), "latency");
}

TEST(Closest, IsEmptyWhereNothingIsNear) {
  EXPECT_EQ(closest("colour", kNames), "");
  EXPECT_EQ(closest("latxxxy", kNames), "");  // three of seven differ
  EXPECT_EQ(closest("latency", {}), "");
  EXPECT_EQ(closest(std::string(100, 'x'), kNames), "");
}

TEST(Closest, TakesTheNearestAndTheFirstOfEquals) {
  constexpr std::string_view kCandidates[] = {"pipeline_", "pipelines", "pipeline"};
  EXPECT_EQ(closest("pipeline", kCandidates), "pipeline");
  EXPECT_EQ(closest("pipelinex", kCandidates), "pipeline_");
}

}  // namespace
}  // namespace spanker
