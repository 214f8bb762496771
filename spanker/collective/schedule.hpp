#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace spanker {

/// What a collective does to vectors of `units` units, one on each rank.
enum class Collective {
  kAllReduce,      ///< every rank ends with the element-wise reduction of all vectors
  kReduceScatter,  ///< rank r ends with chunk r of that reduction; the rest of its vector is unspecified
  kAllGather,      ///< rank r starts with chunk r; every rank ends with all chunks
  kBroadcast,      ///< every rank ends with rank 0's vector
  kGather,         ///< rank r starts with chunk r; rank 0 ends with all chunks
};

/// How the vectors travel; docs/collectives.md says when each one wins. Costs are those of an all_reduce of n
/// units over p ranks: the rounds, the units sent in total, and the units sent by the busiest rank where p
/// divides n. P is the largest power of two up to p, m = log2 P; [x] is 1 where x holds, else 0. After an
/// all_reduce by any of them all ranks hold the same bits, also in floating point.
enum class Algorithm {
  /// Chunks travel one way round, from rank to rank + 1. 2(p-1) rounds; 2(p-1)n; 2n(p-1)/p.
  kRing,
  /// Half of each chunk travels each way at once. As kRing, but each direction carries half of it.
  kRingBidirectional,
  /// Partners at distances 1, 2, 4, ... exchange all they have.
  /// m + 2[p>P] rounds; (mP + 2(p-P))n; (m + [p>P])n.
  kRecursiveDoubling,
  /// Partners exchange halves, quarters, ... and back. Near partner first: long messages travel short ways.
  /// 2m + 2[p>P] rounds; 2(p-1)n; 2n(P-1)/P + n[p>P].
  kHalvingDoubling,
  /// As kHalvingDoubling, but the far partner first: long messages travel long ways.
  kHalvingDoublingFarFirst,
  /// A binomial tree with rank 0 as its root, up and down again.
  /// 2 ceil(log2 p) rounds; 2(p-1)n; n ceil(log2 p).
  kTree,
  /// Every pair at once. 2 rounds; 2(p-1)n; 2n(p-1)/p.
  kDirect,
};

/// "all_reduce", "reduce_scatter", "all_gather", "broadcast", "gather".
std::string_view to_string(Collective collective);
/// "ring", "ring_bidirectional", "recursive_doubling", "halving_doubling", "halving_doubling_far_first",
/// "tree", "direct".
std::string_view to_string(Algorithm algorithm);

/// Some units of the vector, moved from one rank to another. The receiver adds them to its own (`reduce`) or
/// overwrites its own. All transfers of a round read what was there before the round. Within a round several
/// may add to the same units (in the order of the round, so that sums are reproducible); units that one
/// overwrites are touched by no other.
struct Transfer {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t first_unit = 0;
  std::uint64_t units = 0;  ///< at least 1
  bool reduce = false;

  bool operator==(const Transfer&) const = default;
};

/// Who sends what to whom, in which round. A round starts when the one before has ended on every rank.
class Schedule {
 public:
  std::size_t round_count() const { return round_ends_.size(); }
  /// `index` < round_count().
  std::span<const Transfer> round(std::size_t index) const&;
  std::span<const Transfer> transfers() const& { return transfers_; }
  // A loop over the transfers of a temporary would read what is gone.
  std::span<const Transfer> round(std::size_t index) const&& = delete;
  std::span<const Transfer> transfers() const&& = delete;

  /// Appends a round; empty rounds are left out.
  void add_round(std::span<const Transfer> transfers);
  /// Makes room for so many more.
  void reserve(std::size_t rounds, std::size_t transfers);

 private:
  std::vector<Transfer> transfers_;
  std::vector<std::size_t> round_ends_;
};

/// The units of rank r's chunk when `units` are divided over `ranks`: contiguous, in rank order, sizes
/// differing by at most one, larger chunks first. `rank` < `ranks`.
struct Chunk {
  std::uint64_t first_unit;
  std::uint64_t units;

  bool operator==(const Chunk&) const = default;
};
Chunk chunk_of(std::uint32_t rank, std::uint32_t ranks, std::uint64_t units);

/// The algorithms that implement a collective, in the order of the enumeration.
std::span<const Algorithm> algorithms_of(Collective collective);

/// The schedule; no rounds where `ranks` < 2 or `units` is 0. Pure: the same arguments give the same
/// schedule. A unit is the smallest piece that can travel alone (one element, or one quantisation block).
/// `algorithm` must be one of algorithms_of(collective).
Schedule make_schedule(Collective collective, Algorithm algorithm, std::uint32_t ranks, std::uint64_t units);

/// No schedule of these over `ranks` ranks has more transfers, whatever the units; to be asked before one is
/// made.
std::uint64_t most_transfers(Collective collective, Algorithm algorithm, std::uint32_t ranks);

}  // namespace spanker
