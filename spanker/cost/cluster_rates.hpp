#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "spanker/cluster/cluster.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cost/cost.hpp"

namespace spanker {

/// Which end of every range a price is taken at.
enum class Bound {
  kLow,    ///< pessimistic: low bandwidths and rates, high latencies and overheads
  kValue,  ///< the stated values
  kHigh,   ///< optimistic
};

struct LinkRates {
  BytesPerSecond bandwidth;
  Seconds latency{0};
};

/// A cluster's numbers at one end of their ranges, ready for pricing. Memory capacity is never ranged: it is
/// its stated value at every bound, since a plan that fits must fit.
class ClusterRates {
 public:
  ClusterRates(const Cluster& cluster, Bound bound);

  const Network& network() const { return network_; }
  std::uint32_t card_count() const { return card_count_; }
  Topology topology() const { return topology_; }
  const CardRates& card(CardId id) const;
  LinkRates link(LinkId id) const;
  const LinkRates& host_link() const { return host_link_; }
  bool host_link_is_shared() const { return host_link_is_shared_; }
  /// Whether no card differs from another.
  bool cards_are_equal() const { return card_overrides_.empty(); }

 private:
  Bound bound_;
  Network network_;
  std::uint32_t card_count_;
  Topology topology_;
  CardRates card_;
  std::map<CardId, CardRates> card_overrides_;
  std::optional<LinkRates> uniform_link_;  ///< set where all links are alike
  LinkRates host_link_;
  bool host_link_is_shared_;
};

}  // namespace spanker
