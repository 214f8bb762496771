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

const CardSpec& Cluster::card_at(CardId card_id) const {
  const auto found = card_overrides.find(card_id);
  return found == card_overrides.end() ? card : found->second;
}

bool Cluster::cards_are_equal() const {
  if (card_overrides.empty()) return true;
  // Where every card has an override, `card` itself describes none of them.
  const CardSpec& first = card_overrides.size() == card_count ? card_overrides.begin()->second : card;
  return std::all_of(card_overrides.begin(), card_overrides.end(),
                     [&](const auto& entry) { return entry.second == first; });
}

}  // namespace spanker
