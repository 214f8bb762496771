#include "spanker/kernels/kv_cache.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace spanker {
namespace {

TEST(KvCache, TakesTheBytesOfItsElements) {
  EXPECT_EQ(KvCache::size_of({KvType::kF32, 4, 64, 2048}).value, 2u * 4 * 64 * 2048 * 4);
  EXPECT_EQ(KvCache::size_of({KvType::kF16, 4, 64, 2048}).value, 2u * 4 * 64 * 2048 * 2);
  EXPECT_EQ(KvCache::size_of({KvType::kQ8_0, 4, 64, 2048}).value, 2u * 4 * 64 * 2048 / 32 * 34);
  // Positions up to 16; the head size of values alone to 32.
  EXPECT_EQ(KvCache::size_of({KvType::kF16, 1, 20, 5}).value, (20u + 32) * 16 * 2);
  constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max() / 4;
  constexpr auto kGreatest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(KvCache::size_of({KvType::kF16, 1, 64, kMany}).value, kGreatest);
  EXPECT_EQ(KvCache::size_of({KvType::kF16, kMany, 64, 16}).value, kGreatest);
  EXPECT_EQ(KvCache::size_of({KvType::kF32, 1, kMany, 1}).value, kGreatest);
}

std::string failure(const KvShape& shape, std::size_t bytes) {
  std::vector<std::byte> memory(bytes);
  const auto cache = KvCache::make(shape, memory);
  return cache ? "made" : to_line(cache.error());
}

TEST(KvCache, RefusesWhatCannotBe) {
  EXPECT_EQ(failure({KvType::kF16, 2, 0, 16}, 100),
            "KV cache of 2 heads of 0 and 16 positions: empty, wanted at least one of each");
  EXPECT_EQ(
      failure({KvType::kQ8_0, 2, 48, 16}, 99999),
      "KV cache of 2 heads of 48 and 16 positions: a head ends within a q8_0 block, wanted a multiple of "
      "32, got 48");
  EXPECT_EQ(failure({KvType::kF16, 2, 16, 16}, 2047),
            "KV cache of 2 heads of 16 and 16 positions: too little memory, wanted 2048 bytes, got 2047");
}

}  // namespace
}  // namespace spanker
