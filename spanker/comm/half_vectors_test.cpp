#include "spanker/comm/half_vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "spanker/base/float16.hpp"
#include "spanker/base/random.hpp"

namespace spanker {
namespace {

// Eights are converted by the processor, the rest by the functions for one: both have to agree on every bit,
// for what is equal on all ranks must not depend on where in a vector it lies.

TEST(HalfVectors, ReadEveryHalfAsOneIsRead) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> values(halves.size());
  read_halves(reinterpret_cast<const std::byte*>(halves.data()), values);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    float wanted = float_from_half(halves[i]);
    const bool signalling = (i & 0x7C00) == 0x7C00 && (i & 0x3FF) != 0 && (i & 0x200) == 0;
    if (signalling) continue;  // the processor makes them quiet; write_halves never makes one
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(wanted)) << i;
  }
}

TEST(HalfVectors, WriteAnyFloatAsOneIsWritten) {
  SplitMix64 random(3);
  std::vector<float> values;
  for (std::uint32_t exponent = 0; exponent < 512; ++exponent) {  // with the sign
    for (std::uint32_t i = 0; i < 64; ++i) {
      const std::uint32_t fraction =
          i < 8 ? i * 0x1000 : static_cast<std::uint32_t>(random.next()) & 0x7FFFFF;
      values.push_back(std::bit_cast<float>(exponent << 23 | fraction));
    }
  }
  std::vector<std::uint16_t> halves(values.size());
  write_halves(values, reinterpret_cast<std::byte*>(halves.data()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(halves[i], half_from_float(values[i])) << std::bit_cast<std::uint32_t>(values[i]);
  }
}

TEST(HalfVectors, OfAnyLengthAndAlignment) {
  for (std::size_t elements = 0; elements < 35; ++elements) {
    std::vector<float> values(elements);
    for (std::size_t i = 0; i < elements; ++i) values[i] = static_cast<float>(i) - 4;
    std::vector<std::byte> bytes(2 * elements + 2, std::byte{0xAB});
    write_halves(values, bytes.data() + 1);
    EXPECT_EQ(bytes.front(), std::byte{0xAB});
    EXPECT_EQ(bytes.back(), std::byte{0xAB});
    std::vector<float> after(elements + 1, 99);
    read_halves(bytes.data() + 1, std::span(after).first(elements));
    EXPECT_TRUE(std::equal(values.begin(), values.end(), after.begin()));
    EXPECT_EQ(after.back(), 99);
  }
}

}  // namespace
}  // namespace spanker
