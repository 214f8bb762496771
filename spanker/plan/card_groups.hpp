#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/cluster/cluster.hpp"

namespace spanker {

inline constexpr std::uint32_t kMaxSubsetCards = 8;
inline constexpr std::uint32_t kMaxEveryWidth = 64;

/// Widths from 1 to `most` at which something changes: all up to kMaxEveryWidth; beyond that those at which
/// the largest share of one of `units` (of heads, columns, rows) becomes smaller, and powers of two.
std::vector<std::uint32_t> run_widths(std::uint32_t most, std::span<const std::uint64_t> units);

/// Cards that may serve as a stage, in the order of their numbers.
struct CardGroup {
  std::uint32_t size = 1;
  std::vector<CardId> cards;  ///< empty: the `size` cards from some place of the list on
};

/// The groups of cards that a search tries as stages. Stages follow one another in the order of the cards'
/// numbers, and cards that only links that are not up cut off are left out.
///
/// - Equal cards on uniform wiring but a torus or a ring of up to kMaxSubsetCards: the first cards of the
///   cluster, in runs, one after another.
/// - Else, up to kMaxSubsetCards cards: every subset.
/// - Else: runs; every subset of the first kMaxSubsetCards cards; and, where cards differ, the fastest few by
///   memory bandwidth of the first 9, 10, 11, ... cards (above 64 in steps of 16). Between stages cards may
///   be left out.
///
/// A run may have any width up to kMaxEveryWidth; beyond that only widths at which the largest share of
/// heads, columns or rows becomes smaller, powers of two, and on a ring all cards.
///
/// But for rings and tori, a cluster with a card more has all these groups too.
class CardGroups {
 public:
  /// `units`: of heads, columns and rows, which only widths above kMaxEveryWidth ask for.
  CardGroups(const Cluster& cluster, std::span<const std::uint64_t> units);

  /// Connected cards, ascending.
  const std::vector<CardId>& cards() const { return cards_; }
  /// Groups whose first card is cards()[place].
  std::span<const CardGroup> from(std::size_t place) const;
  std::vector<CardId> cards_of(std::size_t place, const CardGroup& group) const;
  /// The place after the group's last card.
  std::size_t end_of(std::size_t place, const CardGroup& group) const;
  /// Whether one place is as good as another, so that only the first cards are used, one after another.
  bool placeless() const { return placeless_; }
  /// Whether plans start at the first card.
  bool starts_at_first_card() const { return starts_at_first_card_; }

 private:
  std::vector<CardId> cards_;
  bool placeless_ = false;
  bool starts_at_first_card_ = false;
  std::vector<CardGroup> runs_;                   ///< by size, where placeless
  std::vector<std::vector<CardGroup>> by_first_;  ///< else
};

}  // namespace spanker
