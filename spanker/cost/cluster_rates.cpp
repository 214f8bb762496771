#include "spanker/cost/cluster_rates.hpp"

#include <limits>

namespace spanker {
namespace {

/// For numbers of which more is better.
template <class T>
T more_is_better(const Ranged<T>& ranged, Bound bound) {
  switch (bound) {
    case Bound::kLow:
      return ranged.low;
    case Bound::kValue:
      return ranged.value;
    case Bound::kHigh:
      return ranged.high;
  }
  return ranged.value;
}

template <class T>
T less_is_better(const Ranged<T>& ranged, Bound bound) {
  switch (bound) {
    case Bound::kLow:
      return ranged.high;
    case Bound::kValue:
      return ranged.value;
    case Bound::kHigh:
      return ranged.low;
  }
  return ranged.value;
}

CardRates rates_of(const CardSpec& spec, Bound bound) {
  return {more_is_better(spec.memory_bandwidth, bound),
          spec.compute ? more_is_better(*spec.compute, bound)
                       : OpsPerSecond(std::numeric_limits<double>::infinity()),
          less_is_better(spec.step_overhead, bound),
          less_is_better(spec.token_overhead, bound),
          spec.memory_capacity.value,
          spec.serial_share ? less_is_better(*spec.serial_share, bound).value : 0};
}

template <class Spec>
LinkRates link_rates_of(const Spec& spec, Bound bound) {
  return {more_is_better(spec.bandwidth, bound), less_is_better(spec.latency, bound)};
}

}  // namespace

ClusterRates::ClusterRates(const Cluster& cluster, Bound bound)
    : bound_(bound),
      network_(cluster),
      card_count_(cluster.card_count),
      topology_(cluster.topology),
      card_(rates_of(cluster.cards_are_equal() ? cluster.card_at(0) : cluster.card, bound)),
      host_link_(link_rates_of(cluster.host_link, bound)),
      host_link_is_shared_(cluster.host_link.shared) {
  if (!cluster.cards_are_equal()) {
    for (const auto& [id, spec] : cluster.card_overrides) card_overrides_.emplace(id, rates_of(spec, bound));
  }
  if (network_.link_count() > 0 && network_.is_uniform())
    uniform_link_ = link_rates_of(network_.link(0), bound);
}

const CardRates& ClusterRates::card(CardId id) const {
  const auto found = card_overrides_.find(id);
  return found == card_overrides_.end() ? card_ : found->second;
}

LinkRates ClusterRates::link(LinkId id) const {
  return uniform_link_ ? *uniform_link_ : link_rates_of(network_.link(id), bound_);
}

}  // namespace spanker
