#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/cost/round_cost.hpp"

namespace spanker {

/// Prices flows that start together on a ring or a line whose links are all alike and up. What RoundPricer
/// says of them, to the bit, without their routes: every flow takes a run of consecutive links, so sums along
/// the cards tell what each link carries. Not thread-safe.
class ChainRoundPricer {
 public:
  /// Of a cluster in a ring or a line, with uniform links. `rates` must outlive the pricer.
  explicit ChainRoundPricer(const ClusterRates& rates);

  /// The cost of the slowest flow, among equals of the first one.
  Cost slowest(std::span<const Flow> flows);

 private:
  /// Links of one direction, by the cards that they leave: `hops` of them from `first` on.
  struct Run {
    bool upward;
    std::uint32_t first;
    std::uint32_t hops;
  };
  /// What the links of one direction carry.
  struct Direction {
    std::vector<std::uint64_t> bytes;  ///< by the card that the link leaves; all others than these are 0:
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    std::uint64_t most = 0;

    void add(std::uint32_t from, std::uint32_t to, std::uint64_t more);
    /// From differences between neighbours.
    void sum();
    void clear();
  };

  Run run_of(const Flow& flow) const;
  void load(std::span<const Flow> flows);
  std::uint64_t most_bytes(const Run& run) const;

  Topology topology_;
  std::uint32_t card_count_;
  BytesPerSecond bandwidth_;
  std::vector<Seconds> latency_;         ///< by hops
  std::array<Direction, 2> directions_;  ///< down, up
  std::vector<Run> runs_;                ///< scratch of slowest
};

}  // namespace spanker
