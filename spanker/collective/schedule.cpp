#include "spanker/collective/schedule.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <iterator>
#include <vector>

#include "spanker/collective/algorithms.hpp"

namespace spanker {
namespace {

struct Implementation {
  Collective collective;
  Algorithm algorithm;
  Schedule (*make)(Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);
};

// Left out is what another does with less: a tree for reduce_scatter or all_gather would move whole vectors
// in twice the rounds of recursive doubling, and all bytes of a gather end on one rank, so a ring only delays
// them.
constexpr Implementation kImplementations[] = {
    {Collective::kAllReduce, Algorithm::kRing, ring_all_reduce},
    {Collective::kAllReduce, Algorithm::kRingBidirectional, ring_all_reduce},
    {Collective::kAllReduce, Algorithm::kRecursiveDoubling, doubling_all_reduce},
    {Collective::kAllReduce, Algorithm::kHalvingDoubling, halving_all_reduce},
    {Collective::kAllReduce, Algorithm::kHalvingDoublingFarFirst, halving_all_reduce},
    {Collective::kAllReduce, Algorithm::kTree, tree_all_reduce},
    {Collective::kAllReduce, Algorithm::kDirect, direct_all_reduce},
    {Collective::kReduceScatter, Algorithm::kRing, ring_reduce_scatter},
    {Collective::kReduceScatter, Algorithm::kRingBidirectional, ring_reduce_scatter},
    {Collective::kReduceScatter, Algorithm::kHalvingDoubling, halving_reduce_scatter},
    {Collective::kReduceScatter, Algorithm::kHalvingDoublingFarFirst, halving_reduce_scatter},
    {Collective::kReduceScatter, Algorithm::kDirect, direct_reduce_scatter},
    {Collective::kAllGather, Algorithm::kRing, ring_all_gather},
    {Collective::kAllGather, Algorithm::kRingBidirectional, ring_all_gather},
    {Collective::kAllGather, Algorithm::kRecursiveDoubling, halving_all_gather},
    {Collective::kAllGather, Algorithm::kHalvingDoubling, halving_all_gather},
    {Collective::kAllGather, Algorithm::kDirect, direct_all_gather},
    {Collective::kBroadcast, Algorithm::kRing, ring_broadcast},
    {Collective::kBroadcast, Algorithm::kRingBidirectional, ring_broadcast},
    {Collective::kBroadcast, Algorithm::kHalvingDoubling, halving_broadcast},
    {Collective::kBroadcast, Algorithm::kTree, tree_broadcast},
    {Collective::kBroadcast, Algorithm::kDirect, direct_broadcast},
    {Collective::kGather, Algorithm::kTree, tree_gather},
    {Collective::kGather, Algorithm::kDirect, direct_gather},
};

}  // namespace

std::string_view to_string(Collective collective) {
  switch (collective) {
    case Collective::kAllReduce:
      return "all_reduce";
    case Collective::kReduceScatter:
      return "reduce_scatter";
    case Collective::kAllGather:
      return "all_gather";
    case Collective::kBroadcast:
      return "broadcast";
    case Collective::kGather:
      return "gather";
  }
  return {};
}

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRing:
      return "ring";
    case Algorithm::kRingBidirectional:
      return "ring_bidirectional";
    case Algorithm::kRecursiveDoubling:
      return "recursive_doubling";
    case Algorithm::kHalvingDoubling:
      return "halving_doubling";
    case Algorithm::kHalvingDoublingFarFirst:
      return "halving_doubling_far_first";
    case Algorithm::kTree:
      return "tree";
    case Algorithm::kDirect:
      return "direct";
  }
  return {};
}

std::span<const Transfer> Schedule::round(std::size_t index) const& {
  const std::size_t begin = index == 0 ? 0 : round_ends_[index - 1];
  return transfers().subspan(begin, round_ends_[index] - begin);
}

void Schedule::add_round(std::span<const Transfer> transfers) {
  if (transfers.empty()) return;
  transfers_.insert(transfers_.end(), transfers.begin(), transfers.end());
  round_ends_.push_back(transfers_.size());
}

void Schedule::reserve(std::size_t rounds, std::size_t transfers) {
  round_ends_.reserve(round_ends_.size() + rounds);
  transfers_.reserve(transfers_.size() + transfers);
}

Chunk chunk_of(std::uint32_t rank, std::uint32_t ranks, std::uint64_t units) {
  const std::uint64_t smaller = units / ranks;
  const std::uint64_t larger_chunks = units % ranks;
  return {rank * smaller + std::min<std::uint64_t>(rank, larger_chunks),
          smaller + (rank < larger_chunks ? 1 : 0)};
}

std::span<const Algorithm> algorithms_of(Collective collective) {
  static const auto kLists = [] {
    std::array<std::vector<Algorithm>, 5> lists;
    for (const Implementation& each : kImplementations) {
      lists.at(static_cast<std::size_t>(each.collective)).push_back(each.algorithm);
    }
    return lists;
  }();
  return kLists.at(static_cast<std::size_t>(collective));
}

Schedule make_schedule(Collective collective, Algorithm algorithm, std::uint32_t ranks, std::uint64_t units) {
  const auto* found =
      std::find_if(std::begin(kImplementations), std::end(kImplementations), [&](const Implementation& each) {
        return each.collective == collective && each.algorithm == algorithm;
      });
  assert(found != std::end(kImplementations));
  if (found == std::end(kImplementations) || ranks < 2 || units == 0) return {};
  return found->make(algorithm, ranks, units);
}

std::uint64_t most_transfers(Collective collective, Algorithm algorithm, std::uint32_t ranks) {
  const std::uint64_t pairs = std::uint64_t{ranks} * ranks;
  switch (algorithm) {
    case Algorithm::kRing:
      return 2 * pairs;
    case Algorithm::kRingBidirectional:
      return 4 * pairs;
    case Algorithm::kDirect:
      return collective == Collective::kBroadcast || collective == Collective::kGather ? ranks : 2 * pairs;
    case Algorithm::kRecursiveDoubling:
    case Algorithm::kHalvingDoubling:
    case Algorithm::kHalvingDoublingFarFirst:
      break;
    case Algorithm::kTree:
      return 4 * std::uint64_t{ranks};
  }
  // In each of up to two phases every rank sends a few ranges to one partner a round.
  return 4 * std::uint64_t{ranks} * static_cast<std::uint64_t>(std::bit_width(ranks) + 1);
}

}  // namespace spanker
