#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "spanker/plan/aim.hpp"
#include "spanker/plan/price.hpp"

namespace spanker {

/// A share in whole units: of heads, columns or rows. The last unit of rows may be smaller (where the
/// vocabulary is not a multiple of it); heads and columns are always whole units, as quantisation blocks
/// divide the matrices that they cut.
using Units = std::uint64_t;

/// A share of rows by its place among the sizes that one can have, from none on: whole units and, where the
/// vocabulary ends with a smaller piece, so many units with that piece.
using RowStep = std::uint64_t;

/// One pass of an aim over layers of one kind, or several that every share costs the same.
struct CostAxis {
  std::size_t pass = 0;  ///< one of them
  std::size_t kind = 0;
  double weight = 0;  ///< of all of them together
};

/// What shares of a stage cost in the passes of an aim.
class ShareCosts {
 public:
  /// `pricers` are of the aim's passes, in their order. All must outlive the object.
  ShareCosts(const Problem& problem, const ClusterRates& rates, const Aim& aim,
             std::span<const PassPricer> pricers);

  const Problem& problem() const { return problem_; }
  std::size_t pass_count() const { return pricers_.size(); }
  Units head_units() const { return head_units_; }
  Units column_units() const { return column_units_; }
  Units row_units() const { return row_units_; }
  std::uint64_t columns(Units units) const { return units * problem_.column_unit; }
  std::uint64_t rows(Units units) const {
    return std::min<std::uint64_t>(units * problem_.row_unit, problem_.model.shape.vocab_size);
  }

  /// All rows.
  RowStep row_steps() const { return step_of_rows(problem_.model.shape.vocab_size); }
  std::uint64_t rows_of_step(RowStep step) const {
    return whole_units(step) * problem_.row_unit + (takes_last_piece(step) ? last_piece_ : 0);
  }
  /// The largest of at most so many rows.
  RowStep step_of_rows(std::uint64_t rows) const {
    const Units whole = rows / problem_.row_unit;
    if (last_piece_ == 0) return whole;
    return 2 * whole + (rows % problem_.row_unit >= last_piece_ ? 1 : 0);
  }
  /// What a card that can do a step can do of whole units, and whether of the smaller last piece besides.
  Units whole_units(RowStep step) const { return last_piece_ == 0 ? step : step / 2; }
  bool takes_last_piece(RowStep step) const { return last_piece_ != 0 && step % 2 == 1; }

  // Axes of a stage with that many layers of each kind.
  std::vector<CostAxis> attention_axes(std::span<const std::uint32_t> layers) const;
  std::vector<CostAxis> ffn_axes(std::span<const std::uint32_t> layers) const;
  std::vector<CostAxis> logits_axes() const;
  /// The axis of attention that (pass, kind) belongs to, as attention_axes names it; and of the network.
  std::pair<std::size_t, std::size_t> attention_axis_of(std::size_t pass, std::size_t kind) const {
    return attention_same_[pass * kinds_ + kind];
  }
  std::pair<std::size_t, std::size_t> ffn_axis_of(std::size_t pass, std::size_t kind) const {
    return ffn_same_[pass * kinds_ + kind];
  }

  /// A card that performs like `card`, the same for all that do.
  CardId example(CardId card) const { return examples_.empty() ? 0 : examples_[card]; }

  /// Whether `count` units of query heads from unit `first` on use one key/value head more than so many heads
  /// need.
  bool straddles(Units first, Units count) const { return straddles_[first * (head_units_ + 1) + count]; }
  HeadShare heads(Units count, bool straddles) const;
  /// The place of `count` units of heads from `first` on in tables by share of heads: two places a count, the
  /// second for shares that straddle.
  std::size_t head_place(Units first, Units count) const {
    return 2 * count + (straddles(first, count) ? 1 : 0);
  }

  // Seconds of one card in one layer (or in the logits).
  double head_seconds(const CostAxis& axis, CardId card, Units first, Units count) const;
  double column_seconds(const CostAxis& axis, CardId card, Units count) const;
  double row_seconds(const CostAxis& axis, CardId card, RowStep step) const;
  /// By head_place.
  const std::vector<double>& head_seconds(const CostAxis& axis, CardId card) const {
    return head_table(axis, card).seconds;
  }
  /// The seconds that some number of heads can take on a card, ascending.
  const std::vector<double>& head_seconds_of_any_share(const CostAxis& axis, CardId card) const;
  /// Gather of logits among `cards` where that is the largest share, by the aim's weights.
  double gather_seconds(CardId sampling_card, std::span<const CardId> cards, RowStep largest) const;

 private:
  struct HeadTable {
    std::vector<double> seconds;  ///< by head_place
    std::vector<double> sorted;
  };
  const HeadTable& head_table(const CostAxis& axis, CardId card) const {
    HeadTable& table = head_tables_[table_of(axis, card)];
    if (table.seconds.empty()) fill(table, axis, card);
    return table;
  }
  void fill(HeadTable& table, const CostAxis& axis, CardId card) const;

  /// Seconds by share, each kept from when it was first asked for.
  class Remembered {
   public:
    Remembered(std::size_t tables, std::size_t shares) : shares_(shares), tables_(tables) {}

    template <class Seconds>
    double at(std::size_t table, std::size_t share, const Seconds& seconds) {
      // Many cards that are all different, with many units: too much memory.
      if (tables_.size() * shares_ > kMostRemembered) return seconds();
      std::vector<double>& known = tables_[table];
      if (known.empty()) known.assign(shares_, -1);
      if (known[share] < 0) known[share] = seconds();
      return known[share];
    }

   private:
    static constexpr std::size_t kMostRemembered = std::size_t{1} << 20;
    std::size_t shares_;
    std::vector<std::vector<double>> tables_;
  };
  std::size_t table_of(const CostAxis& axis, CardId card) const {
    return (axis.pass * kinds_ + axis.kind) * card_count_ + example(card);
  }

  const Problem& problem_;
  const Aim& aim_;
  std::span<const PassPricer> pricers_;
  std::size_t kinds_;
  Units head_units_;
  Units column_units_;
  Units row_units_;
  std::uint64_t last_piece_;      ///< rows beyond the last whole unit
  std::vector<CardId> examples_;  ///< empty where all cards perform alike
  /// By pass and kind: the first (pass, kind) whose operators cost the same.
  std::vector<std::pair<std::size_t, std::size_t>> attention_same_;
  std::vector<std::pair<std::size_t, std::size_t>> ffn_same_;
  std::vector<std::size_t> logits_same_;
  std::vector<bool> straddles_;
  std::size_t card_count_;
  // By pass, kind and example.
  mutable std::vector<HeadTable> head_tables_;  ///< empty until asked for
  mutable Remembered column_seconds_;
  mutable Remembered row_seconds_;  ///< by step
};

/// The most units in [0, units] that `fits`, which holds for 0 and, from some number on, no more.
template <class Fits>
Units most_units(Units units, const Fits& fits) {
  Units low = 0;
  Units high = units;
  while (low < high) {
    const Units middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace spanker
