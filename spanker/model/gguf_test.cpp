#include "spanker/model/gguf.hpp"

#include <gtest/gtest.h>

#include <string>

#include "spanker/model/gguf_bytes_for_test.hpp"

namespace spanker {
namespace {

using testing::GgufBytes;

/// One key, and tensors "a" (f32, 4 x 2, 32 bytes) and "b" (q4_0, 64, 36 bytes).
GgufBytes small_file(std::uint32_t version = 3) {
  GgufBytes bytes;
  bytes.header(2, 1, version)
      .u32_key("k", 7)
      .tensor("a", {4, 2}, 0, 0)
      .tensor("b", {64}, 2, 32)
      .pad()
      .zeros(32 + 36);
  return bytes;
}

std::string error_line(const GgufBytes& bytes) {
  const auto file = GgufFile::parse(bytes.span(), "f.gguf");
  if (file) return "no error";
  EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
  return to_line(file.error());
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Gguf, ReadsVersions2And3) {
  for (const std::uint32_t version : {2u, 3u}) {
    const GgufBytes bytes = small_file(version);
    const auto file = GgufFile::parse(bytes.span(), "f.gguf");
    ASSERT_TRUE(file) << to_line(file.error());
    EXPECT_EQ(file->name(), "f.gguf");
    EXPECT_EQ(file->version(), version);
    EXPECT_EQ(file->alignment(), 32u);
    EXPECT_EQ(file->uint32("k"), 7u);
    ASSERT_EQ(file->tensors().size(), 2u);
    // 24 header bytes; the key 9 + 4 + 4; tensor infos of 9 + 4 + 16 + 12 and 9 + 4 + 8 + 12: 115, so data at
    // 128.
    EXPECT_EQ(file->tensors()[0].name, "a");
    EXPECT_EQ(file->tensors()[0].type, TensorType::kF32);
    EXPECT_EQ(file->tensors()[0].dimensions, (std::vector<std::uint64_t>{4, 2}));
    EXPECT_EQ(file->tensors()[0].offset, 128u);
    EXPECT_EQ(file->tensors()[0].bytes, Bytes(32));
    EXPECT_EQ(file->find_tensor("b"), &file->tensors()[1]);
    EXPECT_EQ(file->tensors()[1].offset, 160u);
    EXPECT_EQ(file->tensors()[1].bytes, Bytes(36));
    EXPECT_EQ(file->find_tensor("c"), nullptr);
    EXPECT_EQ(file->data(file->tensors()[1]).data(), bytes.span().data() + 160);
    EXPECT_EQ(file->data(file->tensors()[1]).size(), 36u);
  }
}

TEST(Gguf, SurvivesBeingCopiedAndMoved) {
  const GgufBytes bytes = small_file();
  auto parsed = GgufFile::parse(bytes.span(), "f.gguf");
  const GgufFile copy = *parsed;
  const GgufFile moved = std::move(*parsed);
  EXPECT_EQ(copy.find_tensor("b"), &copy.tensors()[1]);
  EXPECT_EQ(moved.find_tensor("b"), &moved.tensors()[1]);
  EXPECT_EQ(copy.uint32("k"), 7u);
}

TEST(Gguf, ReadsAFileOfNothing) {
  const auto file = GgufFile::parse(GgufBytes().header(0, 0).span(), "f.gguf");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->tensors().empty());
}

TEST(Gguf, OtherAlignmentsMoveTheData) {
  GgufBytes bytes;
  bytes.header(1, 1).u32_key("general.alignment", 8).tensor("a", {1}, 24, 0);
  const std::size_t data = (bytes.size() + 7) / 8 * 8;
  bytes.pad(8).zeros(1);
  const auto file = GgufFile::parse(bytes.span(), "f.gguf");
  ASSERT_TRUE(file) << to_line(file.error());
  EXPECT_EQ(file->alignment(), 8u);
  EXPECT_EQ(file->tensors()[0].offset, data);
}

TEST(Gguf, TensorsMayStandInAnyOrderWithGaps) {
  GgufBytes bytes;
  bytes.header(2, 0).tensor("a", {4}, 0, 96).tensor("b", {4}, 0, 0).pad().zeros(112);
  EXPECT_EQ(error_line(bytes), "no error");
}

TEST(Gguf, WrongStart) {
  EXPECT_EQ(error_line(GgufBytes().raw("PK\x03\x04 and more")),
            "f.gguf: not a GGUF file, wanted \"GGUF\" in its first four bytes, got \"PK\\x03\\x04\"");
  EXPECT_HAS(error_line(GgufBytes()), "f.gguf: byte 0: file ends inside the magic number");
  EXPECT_HAS(error_line(GgufBytes().raw("GGUF").u32(1).u32(0).u32(0)),
             "version not supported, wanted 2 or 3, got 1");
  EXPECT_HAS(error_line(GgufBytes().header(0, 0, 4)), "version not supported, wanted 2 or 3, got 4");
  EXPECT_HAS(error_line(GgufBytes().header(0, 0, 0)), "version not supported, wanted 2 or 3, got 0");
  EXPECT_HAS(error_line(GgufBytes().raw("FUGG").u32(3)), "big-endian");
  EXPECT_HAS(error_line(GgufBytes().raw("GGUF").raw({"\0\0\0\3", 4}).u64(0).u64(0)), "big-endian");
}

TEST(Gguf, CountsThatTheFileHasNoRoomFor) {
  for (const std::uint64_t count : {std::uint64_t{2}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_HAS(error_line(GgufBytes().header(count, 0).zeros(50)),
               "f.gguf: byte 8: the tensor count is larger than the file has room for");
    EXPECT_HAS(error_line(GgufBytes().header(0, count).zeros(14)),
               "f.gguf: byte 16: the metadata count is larger than the file has room for");
  }
}

TEST(Gguf, Keys) {
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).u32_key("", 1)),
             "byte 24: a metadata key of a wrong length");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).u32_key(std::string(65536, 'k'), 1)), "1 to 65535 bytes");
  EXPECT_EQ(error_line(GgufBytes().header(0, 1).u32_key(std::string(65535, 'k'), 1)), "no error");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).u32_key("k\xC3", 1)),
             "a metadata key is not text, wanted valid UTF-8");
  EXPECT_HAS(error_line(GgufBytes().header(0, 2).u32_key("twin", 1).u32_key("twin", 1)),
             "f.gguf: twin: key stands twice");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).u64(1u << 20).zeros(20)), "file ends inside a metadata key");
}

TEST(Gguf, Values) {
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).key("k", 13).u32(0)),
             "unknown type of a metadata value, wanted 0 to 12");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).key("k", 7).number(2, 1)),
             "byte 37: not a bool, wanted 0 or 1, got 2");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).key("k", 10).u32(0)), "file ends inside a metadata value");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).key("k", 8).u64(~std::uint64_t{0})),
             "file ends inside a string");
}

TEST(Gguf, Arrays) {
  const auto array = [](std::uint32_t type, std::uint64_t count) {
    GgufBytes bytes;
    bytes.header(0, 1).key("k", 9).u32(type).u64(count);
    return bytes;
  };
  EXPECT_EQ(error_line(array(6, 2).zeros(8)), "no error");
  EXPECT_HAS(error_line(array(6, 2).zeros(7)),
             "byte 41: the length of an array is larger than the file has room for");
  for (const std::uint32_t type : {0u, 4u, 8u, 9u, 12u}) {
    EXPECT_HAS(error_line(array(type, std::uint64_t{1} << 63).zeros(64)), "the length of an array is larger");
    EXPECT_HAS(error_line(array(type, std::uint64_t{1} << 61).zeros(64)), "the length of an array is larger");
  }
  EXPECT_HAS(error_line(array(99, 0)), "unknown type of a metadata value, wanted 0 to 12, got 99");
  EXPECT_HAS(error_line(array(7, 3).number(1, 1).number(0, 1).number(3, 1)), "byte 51: not a bool");
  EXPECT_HAS(error_line(array(8, 2).text("one").u64(90)), "file ends inside a string");
}

TEST(Gguf, ArraysNestFourDeep) {
  for (const int levels : {4, 5}) {
    GgufBytes bytes;
    bytes.header(0, 1).key("k", 9);
    for (int level = 1; level < levels; ++level) bytes.u32(9).u64(1);
    bytes.u32(0).u64(1).number(5, 1);
    if (levels == 4) {
      EXPECT_EQ(error_line(bytes), "no error");
    } else {
      EXPECT_HAS(error_line(bytes), "arrays nested too deeply, wanted at most 4 levels");
    }
  }
}

TEST(Gguf, Alignments) {
  for (const std::uint32_t alignment : {0u, 1u, 4u, 24u, 33u, 0xFFFFFFFFu}) {
    EXPECT_HAS(error_line(GgufBytes().header(0, 1).u32_key("general.alignment", alignment)),
               "f.gguf: general.alignment: wrong alignment, wanted a power of two, at least 8");
  }
  EXPECT_EQ(error_line(GgufBytes().header(0, 1).u32_key("general.alignment", 1u << 31)), "no error");
  EXPECT_HAS(error_line(GgufBytes().header(0, 1).string_key("general.alignment", "32")),
             "general.alignment: value of a wrong type, wanted an integer, got string");
}

/// The error of a file with that one tensor and 1024 bytes of data.
std::string tensor_error(std::string_view name, std::initializer_list<std::uint64_t> dimensions,
                         std::uint32_t type, std::uint64_t offset = 0) {
  GgufBytes bytes;
  return error_line(bytes.header(1, 0).tensor(name, dimensions, type, offset).pad().zeros(1024));
}

TEST(Gguf, TensorNames) {
  EXPECT_HAS(tensor_error("", {1}, 0),
             "a tensor's name of a wrong length, wanted 1 to 64 bytes, got 0 bytes");
  EXPECT_EQ(tensor_error(std::string(64, 'n'), {1}, 0), "no error");
  EXPECT_HAS(tensor_error(std::string(65, 'n'), {1}, 0), "wanted 1 to 64 bytes, got 65 bytes");
  EXPECT_HAS(tensor_error("\xFF", {1}, 0), "a tensor's name is not text");
  GgufBytes twins;
  twins.header(2, 0).tensor("t", {1}, 0, 0).tensor("t", {1}, 0, 32).pad().zeros(64);
  EXPECT_HAS(error_line(twins), "f.gguf: tensor t: tensor stands twice in the file");
}

TEST(Gguf, TensorDimensions) {
  EXPECT_HAS(tensor_error("t", {}, 0), "f.gguf: tensor t: wrong number of dimensions, wanted 1 to 4, got 0");
  EXPECT_HAS(tensor_error("t", {1, 1, 1, 1, 1}, 0), "wanted 1 to 4, got 5");
  EXPECT_EQ(tensor_error("t", {2, 2, 2, 2}, 0), "no error");
  EXPECT_HAS(tensor_error("t", {0}, 0), "wrong dimension, wanted at least 1, got 0");
  EXPECT_HAS(tensor_error("t", {4, 0}, 0), "wrong dimension, wanted at least 1, got 0");
  EXPECT_HAS(tensor_error("t", {1ull << 32, 1ull << 32}, 0),
             "dimensions too large, wanted fewer than 2^63 bytes");
  EXPECT_HAS(tensor_error("t", {1ull << 61}, 0), "dimensions too large");   // 2^63 bytes
  EXPECT_HAS(tensor_error("t", {1ull << 62}, 28), "dimensions too large");  // 2^65 bytes
  EXPECT_HAS(tensor_error("t", {1ull << 60}, 0), "file is cut short");
}

TEST(Gguf, TensorTypes) {
  for (const std::uint32_t removed : {4u, 5u, 31u, 33u, 36u, 38u, 1000u}) {
    EXPECT_HAS(tensor_error("t", {256}, removed), "f.gguf: tensor t: unknown tensor type");
  }
  EXPECT_HAS(tensor_error("t", {48, 2}, 2),
             "rows cannot be stored as q4_0, wanted a first dimension that is a multiple of "
             "32, got 48");
  EXPECT_HAS(tensor_error("t", {32, 8}, 12), "rows cannot be stored as q4_k");
}

TEST(Gguf, TensorPlaces) {
  EXPECT_HAS(tensor_error("t", {4}, 0, 16),
             "tensor t: misaligned data, wanted an offset that is a multiple of 32, got 16");
  // Data starts at 24 + 9 + 4 + 8 + 12 = 57, padded to 64; the file has 64 + 1024 bytes.
  EXPECT_EQ(tensor_error("t", {256}, 0), "no error");
  EXPECT_EQ(tensor_error("t", {256}, 0, 32),
            "f.gguf: tensor t: file is cut short, wanted 1120 bytes, where this tensor ends, got 1088 bytes");
  EXPECT_HAS(tensor_error("t", {4}, 0, 2048), "file is cut short");
  EXPECT_HAS(tensor_error("t", {4}, 0, ~31ull), "data lies outside any file");
  EXPECT_HAS(tensor_error("t", {16}, 0, ~31ull - 64), "data lies outside any file");
  EXPECT_HAS(tensor_error("t", {1ull << 60}, 0, 1ull << 63), "file is cut short");
}

TEST(Gguf, OverlappingTensors) {
  GgufBytes bytes;
  bytes.header(3, 0)
      .tensor("a", {16}, 0, 64)
      .tensor("b", {17}, 0, 0)
      .tensor("c", {4}, 0, 128)
      .pad()
      .zeros(256);
  const auto line = error_line(bytes);
  EXPECT_HAS(line, "f.gguf: tensor a: data overlaps with tensor b");
  GgufBytes same;
  same.header(2, 0).tensor("a", {4}, 0, 0).tensor("b", {4}, 0, 0).pad().zeros(64);
  EXPECT_HAS(error_line(same), "data overlaps with tensor");
}

}  // namespace
}  // namespace spanker
