#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spanker/cluster/cluster.hpp"

namespace spanker {

/// A directed link of a network, from 0 to link_count() - 1.
using LinkId = std::uint32_t;

/// The directed links of a cluster and the routes over them. Links are numbered without a table: a ring or a
/// full mesh of thousands of cards costs no memory per link. Keeps a copy of what it needs of the cluster,
/// and never changes: threads may share one.
///
/// Routes are shortest paths over links that are up, and deterministic:
/// ring: the shorter way round, ties towards the higher index (modulo the count);
/// line, full mesh, star (card, switch, card): the only shortest path;
/// torus (row-major, `torus_columns` wide): along the row first, then along the column, each as on a ring.
/// Where a link on that path is not up, a shortest detour is taken; ties go to the detour whose first
/// differing hop leaves for the higher index. A ring or torus dimension of two cards has one cable, not two;
/// a dimension of one card, and a star of one card, have none.
class Network {
 public:
  /// `cluster` holds the invariants of cluster.hpp (as every cluster that a reader returned does). Overrides
  /// of cables that do not exist are ignored.
  explicit Network(const Cluster& cluster);

  std::size_t link_count() const;
  /// Any `id` below link_count(), here and below.
  const LinkSpec& link(LinkId id) const;
  /// The ends of a link, (from, to); in a star one end is `card_count`, the switch.
  std::pair<CardId, CardId> ends(LinkId id) const;
  /// The link that leads from `from` straight to `to`, if there is such a cable.
  std::optional<LinkId> find_link(CardId from, CardId to) const;
  /// "3", "switch".
  std::string node_name(CardId node) const;
  /// "0->1", "3->switch".
  std::string link_name(LinkId id) const;

  /// Appends the links from `from` to `to`, in order, to `out`. False, with `out` unchanged, where no path is
  /// up or one of the cards does not exist. from == to: true, nothing appended. O(hops), and without
  /// allocation but for `out`, while the links of the regular path are up; a detour is searched in time and
  /// memory that grow with the cluster.
  bool append_route(CardId from, CardId to, std::vector<LinkId>& out) const;

  /// The most links that lead straight to one card (in a star: from the switch).
  std::uint32_t most_neighbours() const;

  /// Whether every link is up and alike, so that only its topology tells one card's place from another's.
  bool is_uniform() const;

  /// The cards that can reach, and be reached from, the most cards (ties: the set with the lowest card),
  /// ascending. All cards where every link is up.
  std::vector<CardId> connected_cards() const;

 private:
  /// Some cards joined in a line or, closed, in a ring: a whole cluster, or one row or column of a torus.
  /// Cable i joins positions i and i + 1 (modulo the length) and is the links 2 * (first_cable + i), upwards,
  /// and one more, downwards.
  struct Chain {
    std::uint32_t first_cable;
    std::uint32_t length;
  };

  bool is_up(LinkId id) const;
  std::uint32_t node_count() const;
  std::uint32_t neighbour_count(CardId node) const;
  CardId neighbour(CardId node, std::uint32_t index) const;
  Chain row_of(CardId card) const;
  Chain column_of(CardId card) const;
  bool append_along(Chain chain, CardId from, CardId to, bool upward, std::vector<LinkId>& out) const;
  bool append_regular_route(CardId from, CardId to, std::vector<LinkId>& out) const;
  bool append_detour(CardId from, CardId to, std::vector<LinkId>& out) const;
  class Reach;

  Topology topology_;
  std::uint32_t card_count_;
  std::uint32_t columns_;  ///< of a torus; else the card count
  LinkSpec default_link_;
  std::vector<std::pair<LinkId, LinkSpec>> overrides_;  ///< sorted by link
  bool all_up_ = true;
};

}  // namespace spanker
