#include "spanker/collective/schedule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace spanker {
namespace {

constexpr Collective kCollectives[] = {Collective::kAllReduce, Collective::kReduceScatter,
                                       Collective::kAllGather, Collective::kBroadcast, Collective::kGather};
constexpr std::uint32_t kRanks[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 17, 32};
constexpr std::uint64_t kUnits[] = {0, 1, 2, 3, 7, 8, 13, 31, 64, 97, 1000, 1009};

template <class T>
using Vectors = std::vector<std::vector<T>>;  // [ranks, units]

std::string name_of(Collective collective, Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  return std::string(to_string(collective)) + " by " + std::string(to_string(algorithm)) + ", " +
         std::to_string(ranks) + " ranks, " + std::to_string(units) + " units";
}

template <class T>
Vectors<T> execute(const Schedule& schedule, Vectors<T> vectors) {
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    const Vectors<T> before = vectors;
    for (const Transfer& t : schedule.round(i)) {
      for (std::uint64_t u = t.first_unit; u < t.first_unit + t.units; ++u) {
        vectors[t.to][u] = t.reduce ? vectors[t.to][u] + before[t.from][u] : before[t.from][u];
      }
    }
  }
  return vectors;
}

// Modulo 2^64, where a part that is missing or counted twice shows in random values.
Vectors<std::uint64_t> random_vectors(std::uint32_t ranks, std::uint64_t units) {
  std::mt19937_64 random(ranks * 7919 + units);
  Vectors<std::uint64_t> vectors(ranks, std::vector<std::uint64_t>(units));
  for (auto& vector : vectors) std::generate(vector.begin(), vector.end(), std::ref(random));
  return vectors;
}

std::uint32_t owner_of(std::uint64_t unit, std::uint32_t ranks, std::uint64_t units) {
  std::uint32_t rank = 0;
  while (unit >= chunk_of(rank, ranks, units).first_unit + chunk_of(rank, ranks, units).units) ++rank;
  return rank;
}

/// The first fault in what the collective left, against its definition; empty if none.
std::string fault_in_result(Collective collective, const Vectors<std::uint64_t>& before,
                            const Vectors<std::uint64_t>& after) {
  const auto ranks = static_cast<std::uint32_t>(before.size());
  const std::uint64_t units = before[0].size();
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    std::uint64_t sum = 0;
    for (const auto& vector : before) sum += vector[unit];
    const std::uint32_t owner = owner_of(unit, ranks, units);
    for (std::uint32_t rank = 0; rank < ranks; ++rank) {
      std::uint64_t wanted = after[rank][unit];
      if (collective == Collective::kAllReduce) wanted = sum;
      if (collective == Collective::kReduceScatter && rank == owner) wanted = sum;
      if (collective == Collective::kAllGather) wanted = before[owner][unit];
      if (collective == Collective::kBroadcast) wanted = before[0][unit];
      if (collective == Collective::kGather && rank == 0) wanted = before[owner][unit];
      if (after[rank][unit] != wanted) {
        return "wrong value on rank " + std::to_string(rank) + ", unit " + std::to_string(unit);
      }
    }
  }
  return {};
}

/// The first breach of what a Schedule promises; empty if none.
std::string fault_in_schedule(const Schedule& schedule, std::uint32_t ranks, std::uint64_t units) {
  if ((ranks < 2 || units == 0) && schedule.round_count() != 0) return "rounds with nothing to do";
  std::size_t in_rounds = 0;
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    const auto round = schedule.round(i);
    if (round.empty()) return "an empty round";
    in_rounds += round.size();
    std::vector<std::vector<const Transfer*>> into(ranks);
    for (const Transfer& t : round) {
      if (t.from >= ranks || t.to >= ranks) return "a rank outside";
      if (t.from == t.to) return "a rank that sends to itself";
      if (t.units == 0) return "a transfer of nothing";
      if (t.first_unit >= units || t.units > units - t.first_unit) return "units outside the vector";
      into[t.to].push_back(&t);
    }
    for (auto& transfers : into) {
      std::sort(transfers.begin(), transfers.end(),
                [](const Transfer* a, const Transfer* b) { return a->first_unit < b->first_unit; });
      std::uint64_t end = 0;
      std::uint64_t overwritten_end = 0;
      for (const Transfer* t : transfers) {
        if (t->first_unit < (t->reduce ? overwritten_end : end)) return "an overwrite that overlaps";
        end = std::max(end, t->first_unit + t->units);
        if (!t->reduce) overwritten_end = end;
      }
    }
  }
  return in_rounds == schedule.transfers().size() ? "" : "transfers outside the rounds";
}

std::string fault(Collective collective, Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const Schedule schedule = make_schedule(collective, algorithm, ranks, units);
  const std::string broken = fault_in_schedule(schedule, ranks, units);
  if (!broken.empty()) return broken;
  const auto before = random_vectors(ranks, units);
  return fault_in_result(collective, before, execute(schedule, before));
}

TEST(Schedule, EveryAlgorithmDoesWhatItsCollectiveMeans) {
  for (const Collective collective : kCollectives) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      for (const std::uint32_t ranks : kRanks) {
        for (const std::uint64_t units : kUnits) {
          ASSERT_EQ(fault(collective, algorithm, ranks, units), "")
              << name_of(collective, algorithm, ranks, units);
        }
      }
    }
  }
}

RC_GTEST_PROP(Schedule, HoldsForAnyRanksAndUnits, ()) {
  const auto collective =
      *rc::gen::elementOf(std::vector<Collective>(std::begin(kCollectives), std::end(kCollectives)));
  const auto algorithms = algorithms_of(collective);
  const auto algorithm = *rc::gen::elementOf(std::vector<Algorithm>(algorithms.begin(), algorithms.end()));
  const auto ranks = *rc::gen::inRange<std::uint32_t>(1, 70);
  const auto units = *rc::gen::inRange<std::uint64_t>(0, 300);
  RC_ASSERT(fault(collective, algorithm, ranks, units) == "");
}

TEST(Schedule, TheFaultFindersFindFaults) {
  const auto before = random_vectors(3, 6);
  EXPECT_NE(fault_in_result(Collective::kAllReduce, before, before), "");
  EXPECT_NE(fault_in_result(Collective::kReduceScatter, before, before), "");
  EXPECT_NE(fault_in_result(Collective::kAllGather, before, before), "");
  EXPECT_NE(fault_in_result(Collective::kBroadcast, before, before), "");
  EXPECT_NE(fault_in_result(Collective::kGather, before, before), "");

  const auto fault_in_round = [](std::vector<Transfer> round) {
    Schedule schedule;
    schedule.add_round(round);
    return fault_in_schedule(schedule, 3, 6);
  };
  EXPECT_EQ(fault_in_round({{0, 1, 0, 3, true}, {2, 1, 2, 3, true}}), "");
  EXPECT_EQ(fault_in_round({{0, 1, 0, 3, false}, {2, 1, 3, 3, false}}), "");
  EXPECT_EQ(fault_in_round({{0, 1, 0, 3, false}, {2, 1, 2, 3, true}}), "an overwrite that overlaps");
  EXPECT_EQ(fault_in_round({{0, 1, 0, 3, true}, {2, 1, 2, 3, false}}), "an overwrite that overlaps");
  EXPECT_EQ(fault_in_round({{0, 3, 0, 3, true}}), "a rank outside");
  EXPECT_EQ(fault_in_round({{1, 1, 0, 3, true}}), "a rank that sends to itself");
  EXPECT_EQ(fault_in_round({{0, 1, 4, 3, true}}), "units outside the vector");
}

// What makes the tokens of a run the same on every card.
TEST(Schedule, AllRanksHoldTheSameBitsAfterAnAllReduce) {
  for (const Algorithm algorithm : algorithms_of(Collective::kAllReduce)) {
    for (const std::uint32_t ranks : kRanks) {
      for (const std::uint64_t units : {1u, 13u, 97u}) {
        std::mt19937 random(ranks);
        std::normal_distribution<float> normal;
        Vectors<float> vectors(ranks, std::vector<float>(units));
        for (auto& vector : vectors) {
          std::generate(vector.begin(), vector.end(), [&] { return normal(random); });
        }
        vectors = execute(make_schedule(Collective::kAllReduce, algorithm, ranks, units), std::move(vectors));
        for (std::uint32_t rank = 1; rank < ranks; ++rank) {
          for (std::uint64_t unit = 0; unit < units; ++unit) {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(vectors[rank][unit]),
                      std::bit_cast<std::uint32_t>(vectors[0][unit]))
                << name_of(Collective::kAllReduce, algorithm, ranks, units) << ", rank " << rank << ", unit "
                << unit;
          }
        }
      }
    }
  }
}

TEST(Schedule, TheSameArgumentsGiveTheSameSchedule) {
  for (const Collective collective : kCollectives) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      const Schedule once = make_schedule(collective, algorithm, 7, 100);
      const Schedule again = make_schedule(collective, algorithm, 7, 100);
      ASSERT_EQ(once.round_count(), again.round_count());
      EXPECT_TRUE(std::equal(once.transfers().begin(), once.transfers().end(), again.transfers().begin(),
                             again.transfers().end()));
    }
  }
}

// Written out by hand for three ranks and three units.
TEST(Schedule, ARingAllReduceOfThreeRanks) {
  const Schedule schedule = make_schedule(Collective::kAllReduce, Algorithm::kRing, 3, 3);
  const std::vector<std::set<std::vector<std::uint64_t>>> wanted = {
      // from, to, unit, reduce
      {{0, 1, 2, 1}, {1, 2, 0, 1}, {2, 0, 1, 1}},
      {{0, 1, 1, 1}, {1, 2, 2, 1}, {2, 0, 0, 1}},
      {{0, 1, 0, 0}, {1, 2, 1, 0}, {2, 0, 2, 0}},
      {{0, 1, 2, 0}, {1, 2, 0, 0}, {2, 0, 1, 0}},
  };
  ASSERT_EQ(schedule.round_count(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::set<std::vector<std::uint64_t>> got;
    for (const Transfer& t : schedule.round(i)) {
      EXPECT_EQ(t.units, 1u);
      got.insert({t.from, t.to, t.first_unit, t.reduce ? 1u : 0u});
    }
    EXPECT_EQ(got, wanted[i]) << "round " << i;
  }
}

TEST(Schedule, ChunksOfARingGoOneWayOnly) {
  for (const Collective collective :
       {Collective::kAllReduce, Collective::kReduceScatter, Collective::kAllGather, Collective::kBroadcast}) {
    const Schedule one_way = make_schedule(collective, Algorithm::kRing, 5, 100);
    for (const Transfer& t : one_way.transfers()) {
      EXPECT_EQ(t.to, (t.from + 1) % 5) << to_string(collective);
    }
    const Schedule both_ways = make_schedule(collective, Algorithm::kRingBidirectional, 5, 100);
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    for (const Transfer& t : both_ways.transfers()) {
      ASSERT_TRUE(t.to == (t.from + 1) % 5 || t.from == (t.to + 1) % 5) << to_string(collective);
      (t.to == (t.from + 1) % 5 ? up : down) += t.units;
    }
    EXPECT_EQ(up, down) << to_string(collective);
  }
}

TEST(Schedule, NearAndFarPartnersDifferInWhoGetsTheLongMessages) {
  // The first message of rank 0: half the vector, to the rank next to it or to the one opposite.
  const auto first_of_rank_0 = [](Algorithm algorithm) {
    const Schedule schedule = make_schedule(Collective::kAllReduce, algorithm, 8, 800);
    const auto round = schedule.round(0);
    const auto found =
        std::find_if(round.begin(), round.end(), [](const Transfer& t) { return t.from == 0; });
    return found == round.end() ? Transfer{} : *found;
  };
  EXPECT_EQ(first_of_rank_0(Algorithm::kHalvingDoubling), (Transfer{0, 1, 400, 400, true}));
  EXPECT_EQ(first_of_rank_0(Algorithm::kHalvingDoublingFarFirst), (Transfer{0, 4, 400, 400, true}));
}

TEST(Schedule, RoundsFollowOneAnotherAndEmptyOnesAreLeftOut) {
  Schedule schedule;
  EXPECT_EQ(schedule.round_count(), 0u);
  const std::vector<Transfer> first = {{0, 1, 0, 5, false}, {1, 0, 5, 5, false}};
  const std::vector<Transfer> second = {{1, 2, 0, 9, true}};
  schedule.add_round(first);
  schedule.add_round({});
  schedule.add_round(second);
  ASSERT_EQ(schedule.round_count(), 2u);
  EXPECT_EQ(schedule.transfers().size(), 3u);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), schedule.round(0).begin(), schedule.round(0).end()));
  EXPECT_TRUE(std::equal(second.begin(), second.end(), schedule.round(1).begin(), schedule.round(1).end()));
}

RC_GTEST_PROP(ChunkOf, CoversTheVectorInOrder, ()) {
  const auto ranks = *rc::gen::inRange<std::uint32_t>(1, 2000);
  const auto units =
      *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 5000), rc::gen::arbitrary<std::uint64_t>());
  std::uint64_t end = 0;
  std::uint64_t previous = chunk_of(0, ranks, units).units;
  const std::uint64_t largest = previous;
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    const Chunk chunk = chunk_of(rank, ranks, units);
    RC_ASSERT(chunk.first_unit == end);
    RC_ASSERT(chunk.units <= previous);
    RC_ASSERT(largest - chunk.units <= 1u);
    end += chunk.units;
    previous = chunk.units;
  }
  RC_ASSERT(end == units);
}

TEST(ChunkOf, LargerChunksComeFirst) {
  EXPECT_EQ(chunk_of(0, 4, 10), (Chunk{0, 3}));
  EXPECT_EQ(chunk_of(1, 4, 10), (Chunk{3, 3}));
  EXPECT_EQ(chunk_of(2, 4, 10), (Chunk{6, 2}));
  EXPECT_EQ(chunk_of(3, 4, 10), (Chunk{8, 2}));
  EXPECT_EQ(chunk_of(3, 4, 2), (Chunk{2, 0}));
}

TEST(AlgorithmsOf, EveryCollectiveHasAWayForLongAndForShortMessages) {
  const auto names = [](Collective collective) {
    std::string text;
    for (const Algorithm algorithm : algorithms_of(collective))
      text += std::string(to_string(algorithm)) + " ";
    return text;
  };
  EXPECT_EQ(
      names(Collective::kAllReduce),
      "ring ring_bidirectional recursive_doubling halving_doubling halving_doubling_far_first tree direct ");
  EXPECT_EQ(names(Collective::kReduceScatter),
            "ring ring_bidirectional halving_doubling halving_doubling_far_first direct ");
  EXPECT_EQ(names(Collective::kAllGather),
            "ring ring_bidirectional recursive_doubling halving_doubling direct ");
  EXPECT_EQ(names(Collective::kBroadcast), "ring ring_bidirectional halving_doubling tree direct ");
  EXPECT_EQ(names(Collective::kGather), "tree direct ");
}

TEST(MostTransfers, NoScheduleHasMore) {
  for (const Collective collective : kCollectives) {
    for (const Algorithm algorithm : algorithms_of(collective)) {
      for (std::uint32_t ranks = 2; ranks <= 20; ++ranks) {
        for (const std::uint64_t units : {1u, 7u, 64u, 1000u}) {
          const Schedule schedule = make_schedule(collective, algorithm, ranks, units);
          EXPECT_LE(schedule.transfers().size(), most_transfers(collective, algorithm, ranks))
              << to_string(collective) << " " << to_string(algorithm) << " " << ranks;
        }
      }
    }
  }
}

TEST(ToString, NamesCollectives) {
  std::vector<std::string_view> names;
  for (const Collective collective : kCollectives) names.push_back(to_string(collective));
  EXPECT_EQ(names, (std::vector<std::string_view>{"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                                  "gather"}));
}

}  // namespace
}  // namespace spanker
