#include "spanker/kernels/memory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace spanker {
namespace {

TEST(Memory, HoldsZerosThatCanBeWritten) {
  auto memory = Memory::allocate(Bytes(100000));
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->bytes().size(), 100000u);
  for (const std::byte byte : memory->bytes()) ASSERT_EQ(byte, std::byte{0});
  memory->bytes().back() = std::byte{1};
  const Memory moved = std::move(*memory);
  EXPECT_EQ(moved.bytes().back(), std::byte{1});
  EXPECT_TRUE(Memory::allocate(Bytes(0)));
}

TEST(Memory, MoreThanThereIs) {
  const auto memory = Memory::allocate(Bytes(std::numeric_limits<std::uint64_t>::max() / 2));
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().kind, ErrorKind::kInfeasible);
  EXPECT_EQ(to_line(memory.error()),
            "memory of a card: the system has not that much to give, wanted 9223372036854775807 bytes");
}

}  // namespace
}  // namespace spanker
