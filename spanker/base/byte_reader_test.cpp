#include "spanker/base/byte_reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

namespace spanker {
namespace {

constexpr std::array<std::byte, 15> kBytes = {
    std::byte{0x01}, std::byte{0x34}, std::byte{0x12},                                    // u8 1, u16 0x1234
    std::byte{0xfe}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},                   // i32 -2
    std::byte{0x00}, std::byte{0x00}, std::byte{0x00}, std::byte{0x00}, std::byte{0x00},  // f64 1.5
    std::byte{0x00}, std::byte{0xf8}, std::byte{0x3f},
};

TEST(ByteReader, ReadsLittleEndianNumbersInTurn) {
  ByteReader reader(kBytes, "a.gguf");
  EXPECT_EQ(reader.offset(), 0u);
  EXPECT_EQ(reader.remaining(), 15u);
  EXPECT_EQ(reader.read<std::uint8_t>("first").value(), 1);
  EXPECT_EQ(reader.read<std::uint16_t>("second").value(), 0x1234);
  EXPECT_EQ(reader.read<std::int32_t>("third").value(), -2);
  EXPECT_EQ(reader.offset(), 7u);
  EXPECT_EQ(reader.read<double>("fourth").value(), 1.5);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, ReadsBytesInPlace) {
  ByteReader reader(kBytes, "a.gguf");
  ASSERT_TRUE(reader.read_bytes(1, "head"));
  const auto bytes = reader.read_bytes(2, "body");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->data(), kBytes.data() + 1);
  EXPECT_EQ(bytes->size(), 2u);
  EXPECT_EQ(reader.read_bytes(0, "nothing")->size(), 0u);
  EXPECT_EQ(reader.here(), "a.gguf: byte 3");
  EXPECT_EQ(reader.read_bytes(12, "the rest")->size(), 12u);
  EXPECT_EQ(reader.read_bytes(0, "nothing at the end")->size(), 0u);
}

TEST(ByteReader, AReadPastTheEndFailsAndMovesNothing) {
  ByteReader reader(kBytes, "a.gguf");
  ASSERT_TRUE(reader.read_bytes(8, "head"));
  const auto number = reader.read<std::uint64_t>("tensor count");
  ASSERT_FALSE(number);
  EXPECT_EQ(number.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(number.error()),
            "a.gguf: byte 8: file ends inside tensor count, wanted 8 bytes, got 7 bytes");
  EXPECT_EQ(reader.offset(), 8u);

  // A length from the file that would overflow when added to the offset.
  const auto bytes = reader.read_bytes(std::numeric_limits<std::uint64_t>::max(), "name");
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(bytes.error().wanted, "18446744073709551615 bytes");
  EXPECT_EQ(reader.offset(), 8u);
  EXPECT_TRUE(reader.read<std::uint32_t>("what still fits"));
}

TEST(ByteReader, AnEmptyFileHasNothing) {
  ByteReader reader({}, "empty");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.read<std::uint8_t>("magic"));
  EXPECT_TRUE(reader.read_bytes(0, "nothing"));
}

template <class T>
concept Readable = requires(ByteReader reader) {
  reader.read<T>("");
};
static_assert(Readable<float> && Readable<std::int64_t>);
static_assert(!Readable<bool> && !Readable<void*>);

}  // namespace
}  // namespace spanker
