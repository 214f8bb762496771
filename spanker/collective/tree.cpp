#include <algorithm>
#include <bit>

#include "spanker/collective/algorithms.hpp"
#include "spanker/collective/schedule_builder.hpp"

namespace spanker {
namespace {

// A binomial tree: rank r's parent is r without its lowest bit, so that a subtree is a run of ranks. On a
// ring no two transfers of a round then share a link.

/// The vector goes to the farthest child first, whose subtree is the largest.
void add_broadcast(ScheduleBuilder& builder, std::uint64_t ranks, std::uint64_t units) {
  for (std::uint64_t distance = std::bit_ceil(ranks) / 2; distance > 0; distance /= 2) {
    for (std::uint64_t rank = 0; rank + distance < ranks; rank += 2 * distance) {
      builder.send(static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(rank + distance), {0, units});
    }
    builder.end_round();
  }
}

}  // namespace

Schedule tree_all_reduce(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder copies;
  add_broadcast(copies, ranks, units);
  ScheduleBuilder builder;
  builder.add_mirrored(copies.take());
  add_broadcast(builder, ranks, units);
  return builder.take();
}

Schedule tree_broadcast(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  add_broadcast(builder, ranks, units);
  return builder.take();
}

Schedule tree_gather(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  for (std::uint64_t distance = 1; distance < ranks; distance *= 2) {
    for (std::uint64_t rank = distance; rank < ranks; rank += 2 * distance) {
      const std::uint64_t last = std::min<std::uint64_t>(rank + distance, ranks) - 1;
      const Chunk first_chunk = chunk_of(static_cast<std::uint32_t>(rank), ranks, units);
      const Chunk last_chunk = chunk_of(static_cast<std::uint32_t>(last), ranks, units);
      const Chunk subtree = {first_chunk.first_unit,
                             last_chunk.first_unit + last_chunk.units - first_chunk.first_unit};
      builder.send(static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(rank - distance), subtree);
    }
    builder.end_round();
  }
  return builder.take();
}

}  // namespace spanker
