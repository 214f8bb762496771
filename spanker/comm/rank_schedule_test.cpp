#include "spanker/comm/rank_schedule.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

namespace spanker {
namespace {

constexpr Collective kCollectives[] = {Collective::kAllReduce, Collective::kReduceScatter,
                                       Collective::kAllGather, Collective::kBroadcast, Collective::kGather};

/// Counts each transfer of a round once for its sender and once for its receiver.
using Transfers =
    std::map<std::tuple<std::size_t, std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t, bool>, int>;

TEST(RankSchedule, RanksTogetherHaveEveryTransferOnceAtEachEnd) {
  for (const Collective collective : kCollectives) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      for (const std::uint32_t ranks : {2u, 3u, 6u, 8u, 13u}) {
        const std::uint64_t units = 50;
        const Schedule schedule = make_schedule(collective, algorithm, ranks, units);
        Transfers wanted;
        for (std::size_t i = 0; i < schedule.round_count(); ++i) {
          for (const Transfer& t : schedule.round(i)) {
            wanted[{i, t.from, t.to, t.first_unit, t.units, t.reduce}] += 2;
          }
        }
        Transfers got;
        for (std::uint32_t rank = 0; rank < ranks; ++rank) {
          for (const auto& round : rank_schedule(schedule, rank, units).rounds) {
            for (const auto& send : round.sends) {
              for (const auto& p : send.parts) {
                ++got[{round.index, rank, send.peer, p.units.first_unit, p.units.units, p.reduce}];
              }
            }
            for (const auto& receive : round.receives) {
              for (const auto& p : receive.parts) {
                ++got[{round.index, receive.peer, rank, p.units.first_unit, p.units.units, p.reduce}];
              }
            }
          }
        }
        EXPECT_EQ(got, wanted) << to_string(collective) << " by " << to_string(algorithm) << ", " << ranks;
      }
    }
  }
}

TEST(RankSchedule, OneMessageForEachPairAndRound) {
  Schedule schedule;
  const std::vector<Transfer> round = {{0, 1, 0, 2, false}, {0, 2, 0, 2, false}, {0, 1, 5, 1, false}};
  schedule.add_round(round);
  const RankSchedule own = rank_schedule(schedule, 0, 6);
  ASSERT_EQ(own.rounds.size(), 1u);
  ASSERT_EQ(own.rounds[0].sends.size(), 2u);
  EXPECT_EQ(own.rounds[0].sends[0].peer, 1u);
  EXPECT_EQ(own.rounds[0].sends[0].parts.size(), 2u);
  EXPECT_FALSE(own.rounds[0].sends[1].repeats);
  EXPECT_TRUE(rank_schedule(schedule, 3, 6).rounds.empty());
}

TEST(RankSchedule, KnowsWhatIsSentAgainToAnother) {
  const Schedule schedule = make_schedule(Collective::kBroadcast, Algorithm::kDirect, 4, 10);
  const RankSchedule own = rank_schedule(schedule, 0, 10);
  ASSERT_EQ(own.rounds[0].sends.size(), 3u);
  EXPECT_FALSE(own.rounds[0].sends[0].repeats);
  EXPECT_TRUE(own.rounds[0].sends[1].repeats);
  EXPECT_TRUE(own.rounds[0].sends[2].repeats);
}

// Only recursive doubling adds to what it sends at the same time.
TEST(RankSchedule, KnowsWhereItChangesWhatItSends) {
  for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
    bool changes = false;
    for (std::uint32_t rank = 0; rank < 6; ++rank) {
      for (const auto& round :
           rank_schedule(make_schedule(Collective::kAllReduce, algorithm, 6, 60), rank, 60).rounds) {
        changes |= round.changes_what_it_sends;
      }
    }
    EXPECT_EQ(changes, algorithm == Algorithm::kRecursiveDoubling) << to_string(algorithm);
  }
}

TEST(RankSchedule, KnowsWhatNoCopyCameFor) {
  const Schedule ring = make_schedule(Collective::kAllReduce, Algorithm::kRing, 3, 9);
  std::uint64_t units = 0;
  for (std::uint32_t rank = 0; rank < 3; ++rank) {
    for (const Chunk& chunk : rank_schedule(ring, rank, 9).never_copied) units += chunk.units;
  }
  EXPECT_EQ(units, 9u);  // each is added up on one rank and copied to the others
  const Schedule tree = make_schedule(Collective::kAllReduce, Algorithm::kTree, 3, 9);
  EXPECT_EQ(rank_schedule(tree, 0, 9).never_copied, (std::vector<Chunk>{{0, 9}}));
  EXPECT_TRUE(rank_schedule(tree, 1, 9).never_copied.empty());
  const Schedule gather = make_schedule(Collective::kAllGather, Algorithm::kDirect, 3, 9);
  EXPECT_EQ(rank_schedule(gather, 1, 9).never_copied, (std::vector<Chunk>{{3, 3}}));
}

}  // namespace
}  // namespace spanker
