#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "spanker/model/gguf.hpp"
#include "spanker/model/gguf_bytes_for_test.hpp"

namespace spanker {
namespace {

using testing::GgufBytes;

/// Every type once, and arrays of most.
const GgufBytes& all_types() {
  static const GgufBytes bytes = [] {
    GgufBytes b;
    b.header(0, 23);
    b.key("u8", 0).number(200, 1).key("i8", 1).number(0xFB, 1);
    b.key("u16", 2).number(60000, 2).key("i16", 3).number(0x7FFF, 2);
    b.key("u32", 4).u32(4000000000).key("i32", 5).u32(0xFFFFFFFE);
    b.key("f32", 6)
        .u32(std::bit_cast<std::uint32_t>(1e-5f))
        .key("yes", 7)
        .number(1, 1)
        .key("no", 7)
        .number(0, 1);
    b.key("text", 8).text(std::string_view("a\0\xFF", 3));
    b.key("u64", 10).u64(4294967295).key("i64", 11).u64(12);
    b.key("f64", 12).u64(std::bit_cast<std::uint64_t>(0.1));
    b.key("nan", 6).u32(0x7FC00000).key("big", 10).u64(4294967296);
    b.key("words", 9).u32(8).u64(3).text("one").text("").text("three");
    b.key("floats", 9).u32(6).u64(2).u32(std::bit_cast<std::uint32_t>(1.5f)).u32(0xC0000000);
    b.key("bytes", 9).u32(1).u64(2).number(0xFF, 1).number(3, 1);
    b.key("longs", 9).u32(10).u64(2).u64(5).u64(1ull << 63);
    b.key("none", 9).u32(5).u64(0).key("no_words", 9).u32(8).u64(0).key("no_floats", 9).u32(6).u64(0);
    b.key("nested", 9).u32(9).u64(2).u32(0).u64(1).number(1, 1).u32(8).u64(1).text("x");
    return b;
  }();
  return bytes;
}

GgufFile parsed() {
  auto file = GgufFile::parse(all_types().span(), "v.gguf");
  EXPECT_TRUE(file) << to_line(file.error());
  return *file;
}

template <class T>
std::string line_of(const Result<T>& result) {
  if (result) return "no error";
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
  return to_line(result.error());
}

TEST(GgufValues, IntegersOfAnyTypeThatFit) {
  const GgufFile file = parsed();
  EXPECT_EQ(file.uint32("u8"), 200u);
  EXPECT_EQ(file.uint32("u16"), 60000u);
  EXPECT_EQ(file.uint32("i16"), 32767u);
  EXPECT_EQ(file.uint32("u32"), 4000000000u);
  EXPECT_EQ(file.uint32("u64"), 4294967295u);
  EXPECT_EQ(file.uint32("i64"), 12u);
  EXPECT_EQ(line_of(file.uint32("i8")), "v.gguf: i8: number out of range, wanted 0 to 4294967295, got -5");
  EXPECT_EQ(line_of(file.uint32("i32")), "v.gguf: i32: number out of range, wanted 0 to 4294967295, got -2");
  EXPECT_EQ(line_of(file.uint32("big")),
            "v.gguf: big: number out of range, wanted 0 to 4294967295, got 4294967296");
}

TEST(GgufValues, OtherScalars) {
  const GgufFile file = parsed();
  EXPECT_EQ(file.number("f32"), 1e-5);
  EXPECT_EQ(file.number("f64"), 0.1);
  EXPECT_TRUE(std::isnan(*file.number("nan")));
  EXPECT_EQ(file.boolean("yes"), true);
  EXPECT_EQ(file.boolean("no"), false);
  EXPECT_EQ(file.string("text"), std::string_view("a\0\xFF", 3));
}

TEST(GgufValues, Arrays) {
  const GgufFile file = parsed();
  EXPECT_EQ(file.array_length("words"), 3u);
  EXPECT_EQ(*file.strings("words"), (std::vector<std::string_view>{"one", "", "three"}));
  EXPECT_EQ(*file.floats("floats"), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(*file.integers("bytes"), (std::vector<std::int64_t>{-1, 3}));
  EXPECT_TRUE(file.integers("none")->empty());
  EXPECT_TRUE(file.strings("no_words")->empty());
  EXPECT_TRUE(file.floats("no_floats")->empty());
  EXPECT_EQ(file.array_length("nested"), 2u);
  EXPECT_EQ(line_of(file.integers("longs")),
            "v.gguf: longs: number out of range, wanted below 2^63, got "
            "9223372036854775808");
}

TEST(GgufValues, FindsValuesWhereTheyLie) {
  const GgufFile file = parsed();
  EXPECT_EQ(file.find("absent"), nullptr);
  const GgufValue* words = file.find("words");
  ASSERT_NE(words, nullptr);
  EXPECT_EQ(words->type, GgufType::kArray);
  EXPECT_EQ(words->element_type, GgufType::kString);
  EXPECT_EQ(words->bytes.size(), 3 * 8 + 3 + 5u);
  EXPECT_GE(words->bytes.data(), all_types().span().data());
  EXPECT_LT(words->bytes.data(), all_types().span().data() + all_types().size());
}

TEST(GgufValues, WrongTypesAreNamed) {
  const GgufFile file = parsed();
  EXPECT_EQ(line_of(file.uint32("f32")),
            "v.gguf: f32: value of a wrong type, wanted an integer, got float32");
  EXPECT_EQ(line_of(file.uint32("yes")), "v.gguf: yes: value of a wrong type, wanted an integer, got bool");
  EXPECT_EQ(line_of(file.number("u8")), "v.gguf: u8: value of a wrong type, wanted a float, got uint8");
  EXPECT_EQ(line_of(file.boolean("u8")), "v.gguf: u8: value of a wrong type, wanted a bool, got uint8");
  EXPECT_EQ(line_of(file.string("i64")), "v.gguf: i64: value of a wrong type, wanted a string, got int64");
  EXPECT_EQ(line_of(file.array_length("f64")),
            "v.gguf: f64: value of a wrong type, wanted an array, got float64");
  const std::string got_words = "got array of string";
  EXPECT_EQ(line_of(file.integers("words")),
            "v.gguf: words: value of a wrong type, wanted an array of integers, " + got_words);
  EXPECT_EQ(line_of(file.floats("words")),
            "v.gguf: words: value of a wrong type, wanted an array of float32, " + got_words);
  EXPECT_EQ(line_of(file.strings("floats")),
            "v.gguf: floats: value of a wrong type, wanted an array of strings, got array of float32");
  EXPECT_EQ(line_of(file.integers("u8")), "v.gguf: u8: value of a wrong type, wanted an array, got uint8");
}

TEST(GgufValues, MissingKeysAreNamed) {
  const GgufFile file = parsed();
  EXPECT_EQ(line_of(file.uint32("absent")), "v.gguf: absent: key is missing, wanted an integer");
  EXPECT_EQ(line_of(file.number("absent")), "v.gguf: absent: key is missing, wanted a float");
  EXPECT_EQ(line_of(file.boolean("absent")), "v.gguf: absent: key is missing, wanted a bool");
  EXPECT_EQ(line_of(file.string("absent")), "v.gguf: absent: key is missing, wanted a string");
  EXPECT_EQ(line_of(file.array_length("absent")), "v.gguf: absent: key is missing, wanted an array");
  EXPECT_EQ(line_of(file.strings("absent")), "v.gguf: absent: key is missing, wanted an array");
  EXPECT_EQ(line_of(file.floats("absent")), "v.gguf: absent: key is missing, wanted an array");
  EXPECT_EQ(line_of(file.integers("absent")), "v.gguf: absent: key is missing, wanted an array");
}

TEST(GgufValues, TypeNames) {
  const char* const names[] = {"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                               "bool",  "string", "array",  "uint64", "int64",  "float64"};
  for (std::uint32_t i = 0; i < 13; ++i) EXPECT_EQ(to_string(static_cast<GgufType>(i)), names[i]);
}

}  // namespace
}  // namespace spanker
