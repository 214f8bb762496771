#include <bit>
#include <vector>

#include "spanker/collective/algorithms.hpp"
#include "spanker/collective/schedule_builder.hpp"

namespace spanker {
namespace {

/// Halving and doubling need a power of two: the core. Every other rank is surplus and has the rank below it
/// in the core as its partner, which takes in what it has before, and hands it the result after.
struct Fold {
  std::uint32_t core_ranks;
  std::uint32_t surplus;

  explicit Fold(std::uint32_t ranks) : core_ranks(std::bit_floor(ranks)), surplus(ranks - core_ranks) {}

  std::uint32_t core_rank(std::uint32_t i) const { return i < surplus ? 2 * i : i + surplus; }
  std::uint32_t surplus_rank(std::uint32_t i) const { return 2 * i + 1; }
};

void add_fold_in(ScheduleBuilder& builder, const Fold& fold, std::uint64_t units) {
  for (std::uint32_t i = 0; i < fold.surplus; ++i) {
    builder.send(fold.surplus_rank(i), fold.core_rank(i), {0, units}, true);
  }
  builder.end_round();
}

void add_fold_out(ScheduleBuilder& builder, const Fold& fold, std::uint64_t units) {
  for (std::uint32_t i = 0; i < fold.surplus; ++i) {
    builder.send(fold.core_rank(i), fold.surplus_rank(i), {0, units});
  }
  builder.end_round();
}

/// A rank of the core, and the units that are its own before doubling and after halving.
struct Member {
  std::uint32_t rank;
  Chunk block;
};

// Doubling pairs members 1, 2, 4, ... places apart, with ever longer messages. Ranks in ascending order make
// the far partner's message the longest one; in the order of their bit-reversed indices, the near partner's.

std::uint32_t reverse_bits(std::uint32_t value, std::uint32_t end) {
  std::uint32_t reversed = 0;
  for (std::uint32_t bit = 1; bit < end; bit *= 2) reversed = 2 * reversed + ((value & bit) != 0 ? 1 : 0);
  return reversed;
}

/// The index in the core of the member at `place`.
std::uint32_t core_index(Algorithm algorithm, std::uint32_t place, std::uint32_t core_ranks) {
  return algorithm == Algorithm::kHalvingDoubling ? reverse_bits(place, core_ranks) : place;
}

/// With blocks in the members' own order, so that every message is one run of units.
std::vector<Member> members_with_free_blocks(Algorithm algorithm, const Fold& fold, std::uint64_t units) {
  std::vector<Member> members;
  for (std::uint32_t place = 0; place < fold.core_ranks; ++place) {
    members.push_back({fold.core_rank(core_index(algorithm, place, fold.core_ranks)),
                       chunk_of(place, fold.core_ranks, units)});
  }
  return members;
}

/// With each rank's own chunk, and that of the surplus rank folded into it, as its block.
std::vector<Member> members_with_own_chunks(Algorithm algorithm, const Fold& fold, std::uint32_t ranks,
                                            std::uint64_t units) {
  std::vector<Member> members;
  for (std::uint32_t place = 0; place < fold.core_ranks; ++place) {
    const std::uint32_t index = core_index(algorithm, place, fold.core_ranks);
    const std::uint32_t rank = fold.core_rank(index);
    Chunk block = chunk_of(rank, ranks, units);
    if (index < fold.surplus) block.units += chunk_of(rank + 1, ranks, units).units;
    members.push_back({rank, block});
  }
  return members;
}

void send_blocks(ScheduleBuilder& builder, const std::vector<Member>& members, std::uint32_t from,
                 std::uint32_t to, std::uint32_t first_block, std::uint32_t blocks) {
  for (std::uint32_t i = first_block; i < first_block + blocks; ++i) {
    builder.send(members[from].rank, members[to].rank, members[i].block);
  }
}

void add_doubling(ScheduleBuilder& builder, const std::vector<Member>& members) {
  for (std::uint32_t held = 1; held < members.size(); held *= 2) {
    for (std::uint32_t place = 0; place < members.size(); ++place) {
      send_blocks(builder, members, place, place ^ held, place - place % held, held);
    }
    builder.end_round();
  }
}

void add_all_gather(ScheduleBuilder& builder, Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const Fold fold(ranks);
  for (std::uint32_t i = 0; i < fold.surplus; ++i) {
    builder.send(fold.surplus_rank(i), fold.core_rank(i), chunk_of(fold.surplus_rank(i), ranks, units));
  }
  builder.end_round();
  add_doubling(builder, members_with_own_chunks(algorithm, fold, ranks, units));
  for (std::uint32_t i = 0; i < fold.surplus; ++i) {
    const Chunk own = chunk_of(fold.surplus_rank(i), ranks, units);
    const std::uint64_t own_end = own.first_unit + own.units;
    builder.send(fold.core_rank(i), fold.surplus_rank(i), {0, own.first_unit});
    builder.send(fold.core_rank(i), fold.surplus_rank(i), {own_end, units - own_end});
  }
  builder.end_round();
}

}  // namespace

Schedule doubling_all_reduce(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  const Fold fold(ranks);
  ScheduleBuilder builder;
  add_fold_in(builder, fold, units);
  for (std::uint32_t distance = 1; distance < fold.core_ranks; distance *= 2) {
    for (std::uint32_t i = 0; i < fold.core_ranks; ++i) {
      builder.send(fold.core_rank(i), fold.core_rank(i ^ distance), {0, units}, true);
    }
    builder.end_round();
  }
  add_fold_out(builder, fold, units);
  return builder.take();
}

Schedule halving_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const Fold fold(ranks);
  ScheduleBuilder doubling;
  add_doubling(doubling, members_with_free_blocks(algorithm, fold, units));
  const Schedule copies = doubling.take();
  ScheduleBuilder builder;
  add_fold_in(builder, fold, units);
  builder.add_mirrored(copies);
  builder.add(copies);
  add_fold_out(builder, fold, units);
  return builder.take();
}

Schedule halving_reduce_scatter(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder copies;
  add_all_gather(copies, algorithm, ranks, units);
  ScheduleBuilder builder;
  builder.add_mirrored(copies.take());
  return builder.take();
}

Schedule halving_all_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  add_all_gather(builder, algorithm, ranks, units);
  return builder.take();
}

Schedule halving_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const Fold fold(ranks);
  const std::vector<Member> members = members_with_free_blocks(algorithm, fold, units);
  ScheduleBuilder builder;
  for (std::uint32_t held = fold.core_ranks / 2; held > 0; held /= 2) {
    for (std::uint32_t place = 0; place < fold.core_ranks; place += 2 * held) {
      send_blocks(builder, members, place, place + held, place + held, held);
    }
    builder.end_round();
  }
  for (std::uint32_t held = 1; held < fold.core_ranks; held *= 2) {
    for (std::uint32_t place = 0; place < fold.core_ranks; ++place) {
      const std::uint32_t partner = place ^ held;
      const bool scattered_from_there = partner % (2 * held) == 0;
      if (!scattered_from_there) send_blocks(builder, members, place, partner, place - place % held, held);
    }
    builder.end_round();
  }
  add_fold_out(builder, fold, units);
  return builder.take();
}

}  // namespace spanker
