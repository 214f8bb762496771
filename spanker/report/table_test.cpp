#include "spanker/report/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

const Style kPlain;
const Style kColour{true};

TEST(Table, AlignsColumnsTwoSpacesApart) {
  Table table({{"name", Align::kLeft}, {"bytes", Align::kRight}, {"note", Align::kLeft}});
  table.add({"a", "7", "x"});
  table.add({"longer", "1234567", "y z"});
  EXPECT_EQ(table.to_string(kPlain),
            "  name      bytes  note\n"
            "  a             7  x\n"
            "  longer  1234567  y z\n");
}

TEST(Table, LeavesOutTitlesWhereAllAreEmpty) {
  Table table({{"", Align::kLeft}, {"", Align::kRight}});
  table.add({"a", "10"});
  table.add({"b", "9"});
  EXPECT_EQ(table.to_string(kPlain), "  a  10\n  b   9\n");
  Table one_title({{"", Align::kLeft}, {"n", Align::kRight}});
  one_title.add({"a", "10"});
  EXPECT_EQ(one_title.to_string(kPlain), "      n\n  a  10\n");
}

TEST(Table, HasNoTrailingSpaces) {
  Table table({{"key", Align::kLeft}, {"", Align::kLeft}});
  table.add({"a", ""});
  table.add({"", ""});
  table.add({"b", "long"});
  EXPECT_EQ(table.to_string(kPlain), "  key\n  a\n\n  b    long\n");
}

TEST(Table, WithoutRowsIsItsTitlesOrNothing) {
  EXPECT_EQ(Table({{"a", Align::kLeft}, {"b", Align::kRight}}).to_string(kPlain), "  a  b\n");
  EXPECT_EQ(Table({{"", Align::kLeft}}).to_string(kPlain), "");
}

TEST(Table, CountsCodePointsNotBytes) {
  Table table({{"", Align::kLeft}, {"", Align::kRight}});
  table.add({"1 µs", "█·"});
  table.add({"12 s", "é"});
  EXPECT_EQ(table.to_string(kPlain), "  1 µs  █·\n  12 s   é\n");
}

TEST(Table, EscapesControlCharactersInCells) {
  Table table({{"", Align::kLeft}, {"", Align::kLeft}});
  table.add({"a\nb\x1b[31m", "x"});
  table.add({std::string(testing::kHostile), "\xff"});
  const std::string text = table.to_string(kPlain);
  EXPECT_TRUE(text.starts_with("  a\\nb\\x1b[31m ")) << text;
  testing::expect_clean_text(text);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Table, ColoursItsTitlesOnlyWhenAsked) {
  Table table({{"name", Align::kLeft}});
  table.add({"a"});
  EXPECT_EQ(table.to_string(kPlain), "  name\n  a\n");
  EXPECT_EQ(table.to_string(kColour), "\x1b[2m  name\x1b[0m\n  a\n");
}

TEST(Style, PaintsOnlyWhenAsked) {
  for (const std::string& text : {kPlain.bold("x"), kPlain.dim("x"), kPlain.warning("x")})
    EXPECT_EQ(text, "x");
  EXPECT_EQ(kColour.bold("x"), "\x1b[1mx\x1b[0m");
  EXPECT_EQ(kColour.dim("x"), "\x1b[2mx\x1b[0m");
  EXPECT_EQ(kColour.warning("x"), "\x1b[33mx\x1b[0m");
}

TEST(Bar, FillsItsShare) {
  EXPECT_EQ(bar(0, 4), "····");
  EXPECT_EQ(bar(0.5, 4), "██··");
  EXPECT_EQ(bar(1, 4), "████");
  EXPECT_EQ(bar(0.1, 4), "····");  // to the nearest cell
  EXPECT_EQ(bar(0.13, 4), "█···");
  EXPECT_EQ(bar(0.3, 0), "");
}

TEST(Bar, KeepsItsWidthWhateverTheShare) {
  EXPECT_EQ(bar(-3, 3), "···");
  EXPECT_EQ(bar(7, 3), "███");
}

TEST(DisplayWidth, IsOneCellToACodePoint) {
  EXPECT_EQ(display_width(""), 0u);
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("µs"), 2u);
  EXPECT_EQ(display_width("█·é"), 3u);
  EXPECT_EQ(display_width("\xf0\x9f\x98\x80"), 1u);
}

}  // namespace
}  // namespace spanker
