#include "spanker/cluster/cluster.hpp"

#include <algorithm>

namespace spanker {

std::string_view to_string(Topology topology) {
  switch (topology) {
    case Topology::kRing:
      return "ring";
    case Topology::kLine:
      return "line";
    case Topology::kFullMesh:
      return "full_mesh";
    case Topology::kStar:
      return "star";
    case Topology::kTorus:
      return "torus";
  }
  return {};
}

bool perform_alike(const CardSpec& a, const CardSpec& b) {
  const auto same_numbers = [](const auto& left, const auto& right) {
    return left.value == right.value && left.low == right.low && left.high == right.high;
  };
  const auto same_or_none = [&](const auto& left, const auto& right) {
    return left.has_value() == right.has_value() && (!left || same_numbers(*left, *right));
  };
  return same_or_none(a.compute, b.compute) && same_or_none(a.serial_share, b.serial_share) &&
         a.serial_layer == b.serial_layer && same_or_none(a.wait_share, b.wait_share) &&
         same_numbers(a.memory_bandwidth, b.memory_bandwidth) &&
         same_numbers(a.memory_capacity, b.memory_capacity) &&
         same_numbers(a.step_overhead, b.step_overhead) && same_numbers(a.token_overhead, b.token_overhead);
}

const CardSpec& Cluster::card_at(CardId card_id) const {
  const auto found = card_overrides.find(card_id);
  return found == card_overrides.end() ? card : found->second;
}

bool Cluster::cards_are_equal() const {
  if (card_overrides.empty()) return true;
  // Where every card has an override, `card` itself describes none of them.
  const CardSpec& first = card_overrides.size() == card_count ? card_overrides.begin()->second : card;
  return std::all_of(card_overrides.begin(), card_overrides.end(),
                     [&](const auto& entry) { return perform_alike(entry.second, first); });
}

}  // namespace spanker
