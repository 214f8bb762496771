#include "spanker/plan/load.hpp"

#include <algorithm>

namespace spanker {

StageLoad stage_load(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
                     std::span<const CardId> cards, StageEnds ends, std::span<const std::uint32_t> layers,
                     std::span<const CardShare> shares) {
  const auto stored = [&](const CardShare& share) {
    return stage_card_memory(problem, layers, ends, share, false).weight_bytes;
  };
  StageLoad load;
  for (const CardShare& share : shares) {
    const Bytes bytes = stored(share);
    load.bytes += bytes;
    load.largest = std::max(load.largest, bytes);
  }
  const BytesPerSecond host = rates.host_link().bandwidth;
  load.seconds = load.bytes / host;
  const Bytes once = stored(whole_share(problem.model.shape, ends));
  if (!rates.host_link_is_shared() || cards.size() < 2 || load.bytes <= once) return load;

  const Payload copies{load.bytes.value - once.value, TensorType::kI8};
  const Seconds relayed = once / host + links.transfer(cards[0], cards[1], copies).total();
  if (relayed < load.seconds) load = {once, relayed, true, load.largest};
  return load;
}

}  // namespace spanker
