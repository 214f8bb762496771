#include "spanker/cluster/profile_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "spanker/base/format_quantity.hpp"

namespace spanker {
namespace {

bool lacks_support(const Ranged<BytesPerSecond>& rate) {
  return rate.source.empty() && rate.low == rate.value && rate.value == rate.high;
}

}  // namespace

std::vector<std::string> profile_warnings(const Cluster& cluster) {
  std::vector<std::string> warnings;

  CardId slowest = 0;
  bool all_compute = true;
  for (CardId card = 0; card < cluster.card_count; ++card) {
    const CardSpec& spec = cluster.card_at(card);
    if (spec.memory_bandwidth.value < cluster.card_at(slowest).memory_bandwidth.value) slowest = card;
    all_compute = all_compute && spec.compute.has_value();
  }
  const BytesPerSecond memory = cluster.card_at(slowest).memory_bandwidth.value;
  BytesPerSecond link = cluster.link.bandwidth.value;
  for (const auto& [cable, spec] : cluster.link_overrides) link = std::max(link, spec.bandwidth.value);
  if (cluster.card_count > 1 && memory < 4 * link) {
    warnings.push_back(fmt::format("card {}: memory bandwidth {} is below 4 x link bandwidth {}", slowest,
                                   format(memory), format(link)));
  }

  if (!all_compute) {
    warnings.emplace_back(
        "card.compute is absent: arithmetic is not modelled, prefill times are lower bounds");
  }

  std::vector<std::string_view> thin;
  if (lacks_support(cluster.card.memory_bandwidth)) thin.push_back("card.memory_bandwidth");
  if (cluster.card_count > 1 && lacks_support(cluster.link.bandwidth)) thin.push_back("link.bandwidth");
  if (lacks_support(cluster.host_link.bandwidth)) thin.push_back("host_link.bandwidth");
  if (!thin.empty()) {
    warnings.push_back(
        fmt::format("thin sources: {} without a range or a source, so the band of a prediction leaves out "
                    "their uncertainty",
                    fmt::join(thin, ", ")));
  }
  return warnings;
}

}  // namespace spanker
