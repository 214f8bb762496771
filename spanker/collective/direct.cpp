#include "spanker/collective/algorithms.hpp"
#include "spanker/collective/schedule_builder.hpp"

namespace spanker {
namespace {

/// Every rank sends its chunk to every other.
void add_all_gather(ScheduleBuilder& builder, std::uint32_t ranks, std::uint64_t units) {
  builder.reserve(1, std::size_t{ranks} * (ranks - 1));
  for (std::uint32_t from = 0; from < ranks; ++from) {
    for (std::uint32_t to = 0; to < ranks; ++to) {
      if (to != from) builder.send(from, to, chunk_of(from, ranks, units));
    }
  }
  builder.end_round();
}

void add_reduce_scatter(ScheduleBuilder& builder, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder copies;
  add_all_gather(copies, ranks, units);
  builder.add_mirrored(copies.take());
}

}  // namespace

Schedule direct_all_reduce(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  add_reduce_scatter(builder, ranks, units);
  add_all_gather(builder, ranks, units);
  return builder.take();
}

Schedule direct_reduce_scatter(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  add_reduce_scatter(builder, ranks, units);
  return builder.take();
}

Schedule direct_all_gather(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  add_all_gather(builder, ranks, units);
  return builder.take();
}

Schedule direct_broadcast(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  for (std::uint32_t to = 1; to < ranks; ++to) builder.send(0, to, {0, units});
  builder.end_round();
  return builder.take();
}

Schedule direct_gather(Algorithm, std::uint32_t ranks, std::uint64_t units) {
  ScheduleBuilder builder;
  for (std::uint32_t from = 1; from < ranks; ++from) builder.send(from, 0, chunk_of(from, ranks, units));
  builder.end_round();
  return builder.take();
}

}  // namespace spanker
