#pragma once

#include <span>
#include <vector>

#include "spanker/cost/cluster_rates.hpp"

namespace spanker {

/// Some bytes on their way from one card to another.
struct Flow {
  CardId from = 0;
  CardId to = 0;
  Bytes bytes;
};

/// Prices flows that start together. Not thread-safe.
///
/// A flow takes latency summed over its hops + bytes / bandwidth of its slowest link (cut-through); flows
/// that share a directed link share its bandwidth, so a link that carries B bytes needs B / bandwidth.
class RoundPricer {
 public:
  /// `rates` must outlive the pricer.
  explicit RoundPricer(const ClusterRates& rates)
      : rates_(rates), link_bytes_(rates.network().link_count(), 0) {}

  /// The cost of each flow, in order, until the next call. Infinite link_latency where no route is up.
  std::span<const Cost> costs(std::span<const Flow> flows);

 private:
  const ClusterRates& rates_;
  std::vector<Cost> costs_;
  std::vector<LinkId> routes_;  ///< one after another
  std::vector<std::size_t> route_ends_;
  std::vector<std::uint64_t> link_bytes_;
};

}  // namespace spanker
