#include "spanker/cluster/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace spanker {
namespace {

/// A ring of two is one cable, and of one none.
std::uint32_t ring_cables(std::uint32_t length) { return length > 2 ? length : length - 1; }

std::uint32_t ring_neighbours(std::uint32_t length) { return std::min(length - 1, 2u); }

CardId ring_neighbour(std::uint32_t length, CardId position, std::uint32_t index) {
  return index == 0 ? (position + 1) % length : (position + length - 1) % length;
}

/// Whether the way up is the shorter one, or as short.
bool upward_is_shortest(std::uint32_t length, CardId from, CardId to) {
  const std::uint32_t up = to >= from ? to - from : to + length - from;
  return up <= length - up;
}

LinkId chain_link(std::uint32_t first_cable, std::uint32_t length, CardId position, bool upward) {
  // In a ring of two both ways are the same cable: position 0 leaves upwards, position 1 downwards.
  if (length == 2) return 2 * first_cable + position;
  if (upward) return 2 * (first_cable + position);
  return 2 * (first_cable + (position == 0 ? length : position) - 1) + 1;
}

}  // namespace

Network::Network(const Cluster& cluster)
    : topology_(cluster.topology),
      card_count_(cluster.card_count),
      columns_(cluster.topology == Topology::kTorus ? cluster.torus_columns : cluster.card_count),
      default_link_(cluster.link) {
  for (const auto& [cable, spec] : cluster.link_overrides) {
    if (const auto id = find_link(cable.first, cable.second)) overrides_.emplace_back(*id, spec);
  }
  std::sort(overrides_.begin(), overrides_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  all_up_ = (default_link_.state == LinkState::kUp || overrides_.size() == link_count()) &&
            std::all_of(overrides_.begin(), overrides_.end(),
                        [](const auto& entry) { return entry.second.state == LinkState::kUp; });
}

std::size_t Network::link_count() const {
  const std::size_t cards = card_count_;
  switch (topology_) {
    case Topology::kRing:
      return 2 * std::size_t{ring_cables(card_count_)};
    case Topology::kLine:
      return 2 * (cards - 1);
    case Topology::kFullMesh:
      return cards * (cards - 1);
    case Topology::kStar:
      return cards == 1 ? 0 : 2 * cards;
    case Topology::kTorus: {
      const std::size_t rows = card_count_ / columns_;
      return 2 * (rows * ring_cables(columns_) + columns_ * std::size_t{ring_cables(card_count_ / columns_)});
    }
  }
  return 0;
}

const LinkSpec& Network::link(LinkId id) const {
  const auto found = std::lower_bound(overrides_.begin(), overrides_.end(), id,
                                      [](const auto& entry, LinkId wanted) { return entry.first < wanted; });
  return found != overrides_.end() && found->first == id ? found->second : default_link_;
}

bool Network::is_up(LinkId id) const { return all_up_ || link(id).state == LinkState::kUp; }

Network::Chain Network::row_of(CardId card) const {
  return {card / columns_ * ring_cables(columns_), columns_};
}

Network::Chain Network::column_of(CardId card) const {
  const std::uint32_t rows = card_count_ / columns_;
  return {rows * ring_cables(columns_) + card % columns_ * ring_cables(rows), rows};
}

std::pair<CardId, CardId> Network::ends(LinkId id) const {
  std::uint32_t cable = id / 2;
  std::pair<CardId, CardId> upward;
  switch (topology_) {
    case Topology::kRing:
    case Topology::kLine:
      upward = {cable, (cable + 1) % card_count_};
      break;
    case Topology::kFullMesh: {
      const CardId from = id / (card_count_ - 1);
      const CardId to = id % (card_count_ - 1);
      return {from, to < from ? to : to + 1};
    }
    case Topology::kStar:
      upward = {cable, card_count_};
      break;
    case Topology::kTorus: {
      const std::uint32_t rows = card_count_ / columns_;
      const std::uint32_t row_cables = rows * ring_cables(columns_);
      if (cable < row_cables) {
        const CardId first = cable / ring_cables(columns_) * columns_;
        const CardId column = cable % ring_cables(columns_);
        upward = {first + column, first + (column + 1) % columns_};
      } else {
        cable -= row_cables;
        const CardId column = cable / ring_cables(rows);
        const CardId row = cable % ring_cables(rows);
        upward = {row * columns_ + column, (row + 1) % rows * columns_ + column};
      }
      break;
    }
  }
  return id % 2 == 0 ? upward : std::pair(upward.second, upward.first);
}

std::string Network::node_name(CardId node) const {
  return node == card_count_ ? "switch" : std::to_string(node);
}

std::string Network::link_name(LinkId id) const {
  const auto [from, to] = ends(id);
  return fmt::format("{}->{}", node_name(from), node_name(to));
}

std::optional<LinkId> Network::find_link(CardId from, CardId to) const {
  if (from == to || from >= node_count() || to >= node_count()) return std::nullopt;
  const auto between = [](Chain chain, CardId a, CardId b) -> std::optional<LinkId> {
    if ((a + 1) % chain.length == b) return chain_link(chain.first_cable, chain.length, a, true);
    if ((b + 1) % chain.length == a) return chain_link(chain.first_cable, chain.length, a, false);
    return std::nullopt;
  };
  switch (topology_) {
    case Topology::kRing:
      return between({0, card_count_}, from, to);
    case Topology::kLine:
      if (std::max(from, to) - std::min(from, to) != 1) return std::nullopt;
      return chain_link(0, card_count_, from, to > from);
    case Topology::kFullMesh:
      return from * (card_count_ - 1) + (to < from ? to : to - 1);
    case Topology::kStar:
      if (to == card_count_) return 2 * from;
      if (from == card_count_) return 2 * to + 1;
      return std::nullopt;
    case Topology::kTorus:
      if (from / columns_ == to / columns_) return between(row_of(from), from % columns_, to % columns_);
      if (from % columns_ == to % columns_) return between(column_of(from), from / columns_, to / columns_);
      return std::nullopt;
  }
  return std::nullopt;
}

bool Network::append_along(Chain chain, CardId from, CardId to, bool upward, std::vector<LinkId>& out) const {
  while (from != to) {
    const LinkId id = chain_link(chain.first_cable, chain.length, from, upward);
    if (!is_up(id)) return false;
    out.push_back(id);
    if (upward) {
      from = from + 1 == chain.length ? 0 : from + 1;
    } else {
      from = (from == 0 ? chain.length : from) - 1;
    }
  }
  return true;
}

bool Network::append_regular_route(CardId from, CardId to, std::vector<LinkId>& out) const {
  const auto append = [&](LinkId id) {
    if (!is_up(id)) return false;
    out.push_back(id);
    return true;
  };
  switch (topology_) {
    case Topology::kRing:
      return append_along({0, card_count_}, from, to, upward_is_shortest(card_count_, from, to), out);
    case Topology::kLine:
      return append_along({0, card_count_}, from, to, to > from, out);
    case Topology::kFullMesh:
      return append(from * (card_count_ - 1) + (to < from ? to : to - 1));
    case Topology::kStar:
      return append(2 * from) && append(2 * to + 1);
    case Topology::kTorus: {
      const CardId row = from / columns_;
      const CardId to_row = to / columns_;
      const CardId column = from % columns_;
      const CardId to_column = to % columns_;
      const std::uint32_t rows = card_count_ / columns_;
      return append_along(row_of(from), column, to_column, upward_is_shortest(columns_, column, to_column),
                          out) &&
             append_along(column_of(to), row, to_row, upward_is_shortest(rows, row, to_row), out);
    }
  }
  return false;
}

bool Network::append_route(CardId from, CardId to, std::vector<LinkId>& out) const {
  if (from >= card_count_ || to >= card_count_) return false;
  if (from == to) return true;
  const std::size_t before = out.size();
  if (append_regular_route(from, to, out)) return true;
  out.resize(before);
  return append_detour(from, to, out);
}

std::uint32_t Network::node_count() const {
  return topology_ == Topology::kStar && card_count_ > 1 ? card_count_ + 1 : card_count_;
}

std::uint32_t Network::neighbour_count(CardId node) const {
  switch (topology_) {
    case Topology::kRing:
      return ring_neighbours(card_count_);
    case Topology::kLine:
      return (node > 0 ? 1 : 0) + (node + 1 < card_count_ ? 1 : 0);
    case Topology::kFullMesh:
      return card_count_ - 1;
    case Topology::kStar:
      return node == card_count_ ? card_count_ : node_count() - card_count_;
    case Topology::kTorus:
      return ring_neighbours(columns_) + ring_neighbours(card_count_ / columns_);
  }
  return 0;
}

CardId Network::neighbour(CardId node, std::uint32_t index) const {
  switch (topology_) {
    case Topology::kRing:
      return ring_neighbour(card_count_, node, index);
    case Topology::kLine:
      return index == 0 && node + 1 < card_count_ ? node + 1 : node - 1;
    case Topology::kFullMesh:
      return index < node ? index : index + 1;
    case Topology::kStar:
      return node == card_count_ ? index : card_count_;
    case Topology::kTorus: {
      const CardId row = node / columns_;
      const CardId column = node % columns_;
      const std::uint32_t along_row = ring_neighbours(columns_);
      if (index < along_row) return row * columns_ + ring_neighbour(columns_, column, index);
      return ring_neighbour(card_count_ / columns_, row, index - along_row) * columns_ + column;
    }
  }
  return node;
}

bool Network::append_detour(CardId from, CardId to, std::vector<LinkId>& out) const {
  // Distances to `to`, breadth first, until `from` has one: then every node nearer to `to` has one as well.
  constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> distance(node_count(), kUnknown);
  std::vector<CardId> queue = {to};
  distance[to] = 0;
  for (std::size_t next = 0; next < queue.size() && distance[from] == kUnknown; ++next) {
    const CardId node = queue[next];
    for (std::uint32_t i = 0; i < neighbour_count(node); ++i) {
      const CardId before = neighbour(node, i);
      if (distance[before] != kUnknown || !is_up(*find_link(before, node))) continue;
      distance[before] = distance[node] + 1;
      queue.push_back(before);
    }
  }
  if (distance[from] == kUnknown) return false;

  for (CardId node = from; node != to;) {
    std::optional<CardId> highest;
    for (std::uint32_t i = 0; i < neighbour_count(node); ++i) {
      const CardId after = neighbour(node, i);
      const bool nearer = distance[after] == distance[node] - 1 && is_up(*find_link(node, after));
      if (nearer && (!highest || after > *highest)) highest = after;
    }
    out.push_back(*find_link(node, *highest));
    node = *highest;
  }
  return true;
}

std::uint32_t Network::most_neighbours() const {
  std::uint32_t most = 0;
  for (CardId card = 0; card < card_count_; ++card) most = std::max(most, neighbour_count(card));
  return most;
}

bool Network::is_uniform() const {
  if (!all_up_) return false;
  if (overrides_.empty()) return true;
  const LinkSpec& first = overrides_.size() == link_count() ? overrides_.front().second : default_link_;
  return std::all_of(overrides_.begin(), overrides_.end(),
                     [&](const auto& entry) { return entry.second == first; });
}

}  // namespace spanker
