#include "spanker/cost/serial_share.hpp"

#include <algorithm>
#include <cmath>

namespace spanker {
namespace {

void scale_share(CardSpec& card, Bytes layer) {
  if (!card.serial_share || !card.serial_layer) return;
  const auto scaled = [&](Share share, Bound bound) {
    return Share(std::min(1.0, share.value * serial_scale(*card.serial_layer, layer, bound)));
  };
  Ranged<Share>& share = *card.serial_share;
  share.value = scaled(share.value, Bound::kValue);
  share.low = scaled(share.low, Bound::kHigh);
  share.high = scaled(share.high, Bound::kLow);
  card.serial_layer.reset();
}

}  // namespace

double serial_scale(Bytes seen, Bytes layer, Bound bound) {
  const double fixed =
      static_cast<double>(seen.value) / static_cast<double>(std::max<std::uint64_t>(1, layer.value));
  switch (bound) {
    case Bound::kLow:
      return std::max(1.0, fixed);
    case Bound::kHigh:
      return std::min(1.0, fixed);
    case Bound::kValue:
      break;
  }
  return std::sqrt(fixed);
}

Cluster for_layers_of(Bytes layer, Cluster cluster) {
  scale_share(cluster.card, layer);
  for (auto& [id, card] : cluster.card_overrides) scale_share(card, layer);
  return cluster;
}

}  // namespace spanker
