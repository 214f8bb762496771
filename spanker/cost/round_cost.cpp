#include "spanker/cost/round_cost.hpp"

#include <algorithm>
#include <limits>

namespace spanker {

std::span<const Cost> RoundPricer::costs(std::span<const Flow> flows) {
  routes_.clear();
  route_ends_.clear();
  costs_.assign(flows.size(), Cost{});
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (!rates_.network().append_route(flows[i].from, flows[i].to, routes_)) {
      costs_[i].link_latency = Seconds(std::numeric_limits<double>::infinity());
    }
    route_ends_.push_back(routes_.size());
  }
  std::size_t hop = 0;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    for (; hop < route_ends_[i]; ++hop) link_bytes_[routes_[hop]] += flows[i].bytes.value;
  }
  hop = 0;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    for (; hop < route_ends_[i]; ++hop) {
      const LinkRates link = rates_.link(routes_[hop]);
      costs_[i].link_latency += link.latency;
      costs_[i].link_bandwidth =
          std::max(costs_[i].link_bandwidth, Bytes(link_bytes_[routes_[hop]]) / link.bandwidth);
    }
  }
  for (const LinkId id : routes_) link_bytes_[id] = 0;
  return costs_;
}

}  // namespace spanker
