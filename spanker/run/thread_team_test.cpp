#include "spanker/run/thread_team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

namespace spanker {
namespace {

TEST(ThreadTeam, EachThreadDoesItsPartOfEachRound) {
  for (const std::uint32_t spins : {0u, 1000u}) {
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
      auto team = ThreadTeam::make(threads, spins);
      ASSERT_TRUE(team.has_value());
      ASSERT_EQ((*team)->size(), threads);
      std::vector<std::size_t> sums(threads, 0);
      for (std::size_t round = 1; round <= 200; ++round) {
        // Without a barrier at the end of a round, some thread would see another's round.
        std::atomic<std::size_t> here{0};
        (*team)->run([&](std::size_t thread) {
          sums[thread] += round;
          ++here;
        });
        ASSERT_EQ(here.load(), threads);
      }
      EXPECT_EQ(sums, std::vector<std::size_t>(threads, 200 * 201 / 2));
    }
  }
}

TEST(ThreadTeam, PortionsCoverAllOnceInWholeUnits) {
  for (const std::size_t unit : {1u, 16u, 32u}) {
    for (std::size_t n = 0; n < 200; n += 7) {
      for (std::size_t threads = 1; threads < 9; ++threads) {
        std::size_t next = 0;
        for (std::size_t thread = 0; thread < threads; ++thread) {
          const Portion portion = portion_of(n, thread, threads, unit);
          ASSERT_EQ(portion.begin, next);
          ASSERT_GE(portion.end, portion.begin);
          ASSERT_TRUE(portion.end % unit == 0 || portion.end == n);
          // No thread has more than a unit above its even part.
          ASSERT_LE(portion.end - portion.begin, n / threads + 2 * unit);
          next = portion.end;
        }
        ASSERT_EQ(next, n);
      }
    }
  }
}

}  // namespace
}  // namespace spanker
