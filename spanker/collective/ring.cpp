#include <algorithm>
#include <initializer_list>
#include <vector>

#include "spanker/collective/algorithms.hpp"
#include "spanker/collective/schedule_builder.hpp"

namespace spanker {
namespace {

/// One direction round the ring, and the part of each chunk that goes that way.
struct Lane {
  std::uint32_t step;  ///< to the next rank, modulo the ranks
  std::vector<Chunk> parts;
};

/// One lane up; for kRingBidirectional a second one down, with the second half of each chunk.
std::vector<Lane> lanes_of(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  std::vector<Lane> lanes = {{1, {}}};
  if (algorithm == Algorithm::kRingBidirectional) lanes.push_back({ranks - 1, {}});
  const auto lane_count = static_cast<std::uint32_t>(lanes.size());
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    const Chunk chunk = chunk_of(rank, ranks, units);
    for (std::uint32_t i = 0; i < lane_count; ++i) {
      const Chunk part = chunk_of(i, lane_count, chunk.units);
      lanes[i].parts.push_back({chunk.first_unit + part.first_unit, part.units});
    }
  }
  return lanes;
}

enum class Phase { kReduceScatter, kAllGather };

/// In each round of a phase every rank passes on what came in the round before. At first that is its own
/// chunk when gathering; when reducing, the chunk of the rank before it, which is then the last to receive
/// it.
Schedule ring(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units,
              std::initializer_list<Phase> phases) {
  const std::vector<Lane> lanes = lanes_of(algorithm, ranks, units);
  const std::size_t rounds = phases.size() * (ranks - 1);
  ScheduleBuilder builder;
  builder.reserve(rounds, rounds * ranks * lanes.size());
  for (const Phase phase : phases) {
    const bool reduce = phase == Phase::kReduceScatter;
    for (std::uint32_t round = 0; round + 1 < ranks; ++round) {
      for (const Lane& lane : lanes) {
        const std::uint64_t back = std::uint64_t{ranks - lane.step} * (round + (reduce ? 1 : 0));
        for (std::uint64_t rank = 0; rank < ranks; ++rank) {
          builder.send(static_cast<std::uint32_t>(rank),
                       static_cast<std::uint32_t>((rank + lane.step) % ranks),
                       lane.parts[(rank + back) % ranks], reduce);
        }
      }
      builder.end_round();
    }
  }
  return builder.take();
}

}  // namespace

Schedule ring_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  return ring(algorithm, ranks, units, {Phase::kReduceScatter, Phase::kAllGather});
}

Schedule ring_reduce_scatter(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  return ring(algorithm, ranks, units, {Phase::kReduceScatter});
}

Schedule ring_all_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  return ring(algorithm, ranks, units, {Phase::kAllGather});
}

Schedule ring_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const std::vector<Lane> lanes = lanes_of(algorithm, ranks, units);
  const std::uint32_t hops = ranks - 1;
  ScheduleBuilder builder;
  for (std::uint32_t round = 0; round < 2 * hops; ++round) {
    // Piece i leaves the root in round i.
    const std::uint32_t first_hop = round > hops ? round - hops : 0;
    const std::uint32_t end_hop = std::min(round + 1, hops);
    for (const Lane& lane : lanes) {
      for (std::uint32_t hop = first_hop; hop < end_hop; ++hop) {
        const std::uint64_t from = std::uint64_t{hop} * lane.step % ranks;
        builder.send(static_cast<std::uint32_t>(from), static_cast<std::uint32_t>((from + lane.step) % ranks),
                     lane.parts[round - hop]);
      }
    }
    builder.end_round();
  }
  return builder.take();
}

}  // namespace spanker
