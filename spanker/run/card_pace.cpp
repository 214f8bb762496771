#include "spanker/run/card_pace.hpp"

#include <algorithm>

namespace spanker {
namespace {

PacedRoute route_between(const ClusterRates& rates, CardId from, CardId to) {
  std::vector<LinkId> links;
  rates.network().append_route(from, to, links);
  PacedRoute route;
  if (links.empty()) return route;
  route.first_link = links.front();
  route.last_link = links.back();
  route.first_bandwidth = rates.link(links.front()).bandwidth;
  route.last_bandwidth = rates.link(links.back()).bandwidth;
  route.bandwidth = route.first_bandwidth;
  for (const LinkId link : links) {
    route.bandwidth = std::min(route.bandwidth, rates.link(link).bandwidth);
    route.latency += rates.link(link).latency;
  }
  return route;
}

}  // namespace

CardPace card_pace(const ClusterRates& rates, const std::vector<CardId>& cards, std::size_t rank,
                   PacedClock::Time start) {
  return {PacedClock(start), rates.card(cards[rank]), rates.host_link(),
          [&rates, cards](std::uint32_t from, std::uint32_t to) {
            return route_between(rates, cards[from], cards[to]);
          }};
}

}  // namespace spanker
