#include "spanker/plan/card_groups.hpp"

#include <algorithm>
#include <bit>

#include "spanker/cluster/network.hpp"

namespace spanker {
namespace {

void add_subsets(std::span<const CardId> cards, std::vector<std::vector<std::vector<CardId>>>& by_first) {
  for (std::uint32_t chosen = 1; chosen < (1u << cards.size()); ++chosen) {
    std::vector<CardId> subset;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      if ((chosen >> i & 1u) != 0) subset.push_back(cards[i]);
    }
    by_first[static_cast<std::size_t>(std::countr_zero(chosen))].push_back(std::move(subset));
  }
}

/// Of the first `count` cards, the fastest one, two, three, ...
void add_fastest(const Cluster& cluster, const std::vector<CardId>& cards, std::size_t count,
                 std::vector<std::vector<std::vector<CardId>>>& by_first) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return cluster.card_at(cards[a]).memory_bandwidth.value >
           cluster.card_at(cards[b]).memory_bandwidth.value;
  });
  for (std::size_t chosen = 1; chosen < count; ++chosen) {
    std::vector<std::size_t> places(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(chosen));
    std::ranges::sort(places);
    std::vector<CardId> group;
    for (const std::size_t place : places) group.push_back(cards[place]);
    by_first[places.front()].push_back(std::move(group));
  }
}

}  // namespace

std::vector<std::uint32_t> run_widths(std::uint32_t most, std::span<const std::uint64_t> units) {
  std::vector<std::uint32_t> widths;
  for (std::uint32_t width = 1; width <= most; ++width) {
    const bool smaller_share = width > 1 && std::ranges::any_of(units, [&](std::uint64_t count) {
                                 return (count + width - 1) / width < (count + width - 2) / (width - 1);
                               });
    if (width <= kMaxEveryWidth || smaller_share || std::has_single_bit(width)) widths.push_back(width);
  }
  return widths;
}

CardGroups::CardGroups(const Cluster& cluster, std::span<const std::uint64_t> units) {
  const Network network(cluster);
  cards_ = network.connected_cards();
  const bool alike = cluster.cards_are_equal() && network.is_uniform();
  const bool is_ring = cluster.topology == Topology::kRing;
  const auto count = static_cast<std::uint32_t>(cards_.size());
  starts_at_first_card_ = alike && cluster.topology != Topology::kTorus;
  std::vector<std::uint32_t> widths = run_widths(count, units);
  if (is_ring && widths.back() != count) widths.push_back(count);
  // On a small ring it matters which cards are left out between others.
  placeless_ = starts_at_first_card_ && !(is_ring && count <= kMaxSubsetCards);
  if (placeless_) {
    for (const std::uint32_t width : widths) runs_.push_back({width, {}});
    return;
  }

  std::vector<std::vector<std::vector<CardId>>> groups(count);
  add_subsets(std::span(cards_).first(std::min(count, kMaxSubsetCards)), groups);
  if (count > kMaxSubsetCards) {
    if (!cluster.cards_are_equal()) {
      for (std::uint32_t some = kMaxSubsetCards + 1; some <= count; some += some < kMaxEveryWidth ? 1 : 16) {
        add_fastest(cluster, cards_, some, groups);
      }
    }
  }
  const auto is_run = [&](std::size_t place, const std::vector<CardId>& group) {
    return group.back() == cards_[place + group.size() - 1];
  };
  for (std::uint32_t place = 0; place < count; ++place) {
    std::vector<CardGroup>& here = by_first_.emplace_back();
    for (const std::uint32_t width : widths) {
      if (place + width <= count) here.push_back({width, {}});
    }
    auto& others = groups[place];
    std::ranges::sort(others);
    others.erase(std::unique(others.begin(), others.end()), others.end());
    for (auto& cards : others) {
      if (!is_run(place, cards)) here.push_back({static_cast<std::uint32_t>(cards.size()), std::move(cards)});
    }
    std::stable_sort(here.begin(), here.end(),
                     [](const CardGroup& a, const CardGroup& b) { return a.size < b.size; });
  }
}

std::span<const CardGroup> CardGroups::from(std::size_t place) const {
  if (!placeless_) return by_first_[place];
  const auto end = std::ranges::upper_bound(runs_, cards_.size() - place, {}, &CardGroup::size);
  return {runs_.begin(), end};
}

std::vector<CardId> CardGroups::cards_of(std::size_t place, const CardGroup& group) const {
  if (!group.cards.empty()) return group.cards;
  const auto first = cards_.begin() + static_cast<std::ptrdiff_t>(place);
  return {first, first + group.size};
}

std::size_t CardGroups::end_of(std::size_t place, const CardGroup& group) const {
  if (group.cards.empty()) return place + group.size;
  const auto last = std::ranges::lower_bound(cards_, group.cards.back());
  return static_cast<std::size_t>(last - cards_.begin()) + 1;
}

}  // namespace spanker
