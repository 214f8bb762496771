#pragma once

#include <cstdint>

#include "spanker/collective/schedule.hpp"

namespace spanker {

// One function for each collective that an algorithm implements; internal to this module. `ranks` is at least
// 2, `units` at least 1. `algorithm` says which variant of the family: kRing or kRingBidirectional; near or
// far partner first.

Schedule ring_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule ring_reduce_scatter(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule ring_all_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
/// A pipeline: the vector in as many pieces as there are ranks, passed on from neighbour to neighbour.
Schedule ring_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);

/// Whole vectors; kRecursiveDoubling only.
Schedule doubling_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule halving_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule halving_reduce_scatter(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
/// kRecursiveDoubling is the mirror image of a far-first reduce_scatter, kHalvingDoubling that of a
/// near-first one.
Schedule halving_all_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
/// A scatter down a binomial tree, then an all_gather; kHalvingDoubling only.
Schedule halving_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);

Schedule tree_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule tree_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule tree_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);

Schedule direct_all_reduce(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule direct_reduce_scatter(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule direct_all_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule direct_broadcast(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
Schedule direct_gather(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);

}  // namespace spanker
