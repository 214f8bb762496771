#include "spanker/simulate/link_meter.hpp"

#include <algorithm>
#include <utility>

namespace spanker {
namespace {

/// Beyond the numbers of the network's links: the host's two directions for each card.
constexpr std::uint64_t kHostKeys = std::uint64_t{1} << 40;

}  // namespace

LinkMeter::LinkMeter(const ClusterRates& rates) : rates_(rates) {}

std::size_t LinkMeter::line_of(std::uint64_t key, LinkRates rates, std::string name) {
  const auto [entry, is_new] = line_indices_.try_emplace(key, lines_.size());
  if (is_new) lines_.push_back({rates, 0, {std::move(name), {}, Seconds(0), Seconds(0)}});
  return entry->second;
}

LinkMeter::Route LinkMeter::route(CardId from, CardId to) {
  const auto [entry, is_new] = routes_.try_emplace({from, to});
  std::vector<std::size_t>& lines = entry->second;
  if (!is_new) return &lines;
  if (from == kHost || to == kHost) {
    const CardId card = from == kHost ? to : from;
    const bool up = from == kHost;
    const bool shared = rates_.host_link_is_shared();
    const std::string cards = shared ? "cards" : "card " + std::to_string(card);
    const std::uint64_t key = kHostKeys + 2 * std::uint64_t{shared ? 0 : card} + (up ? 0 : 1);
    lines.push_back(line_of(key, rates_.host_link(), up ? "host->" + cards : cards + "->host"));
    return &lines;
  }
  std::vector<LinkId> links;
  rates_.network().append_route(from, to, links);
  for (const LinkId link : links) {
    lines.push_back(line_of(link, rates_.link(link), rates_.network().link_name(link)));
  }
  return &lines;
}

void LinkMeter::begin(Route route) {
  for (const std::size_t line : *route) ++lines_[line].active;
}

void LinkMeter::abandon(Route route) {
  for (const std::size_t line : *route) --lines_[line].active;
}

void LinkMeter::end(Route route, Bytes bytes, Seconds duration) {
  Seconds latency{0};
  Seconds alone{0};
  Line* crowded = nullptr;
  const auto load = [](const Line& line) { return line.active / line.rates.bandwidth.value; };
  for (const std::size_t index : *route) {
    Line& line = lines_[index];
    const Seconds carrying = bytes / line.rates.bandwidth;
    latency += line.rates.latency;
    alone = std::max(alone, carrying);
    line.use.bytes += bytes;
    line.use.carrying += carrying;
    if (crowded == nullptr || load(line) > load(*crowded)) crowded = &line;
  }
  const Seconds delay = duration - latency - alone;
  // What rounding of a simulated clock makes is no delay.
  if (crowded != nullptr && delay.count() > 1e-9 + 1e-6 * duration.count()) crowded->use.delay += delay;
  abandon(route);
}

std::vector<LinkUse> LinkMeter::uses() const {
  std::vector<LinkUse> uses;
  for (const auto& [key, index] : line_indices_) {
    if (lines_[index].use.bytes.value > 0) uses.push_back(lines_[index].use);
  }
  return uses;
}

}  // namespace spanker
