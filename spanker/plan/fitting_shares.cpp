#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "spanker/plan/deals.hpp"
#include "spanker/plan/shares.hpp"

namespace spanker {
namespace {

/// Units of heads, columns and rows, card by card.
struct UnitShares {
  std::vector<Units> heads;
  std::vector<Units> columns;
  std::vector<Units> rows;
};

/// What shares take of a card's memory, beside what an empty share takes, and of what is stored.
struct ShareBytes {
  std::uint64_t memory = 0;
  std::uint64_t stored = 0;
};

/// The range of units that cards before a place may have dealt, for all to be dealt in the end.
struct Window {
  Units low = 0;
  Units high = 0;

  std::size_t size() const { return high - low + 1; }
};

/// Windows for each number of cards from none to all, given the most units that each card can take; none
/// where even all together cannot take everything.
std::optional<std::vector<Window>> windows_of(const std::vector<Units>& most, Units units) {
  std::vector<Window> windows(most.size() + 1);
  for (std::size_t i = 0; i < most.size(); ++i)
    windows[i + 1].high = std::min(units, windows[i].high + most[i]);
  if (windows.back().high < units) return std::nullopt;
  windows.back().low = units;
  for (std::size_t i = most.size(); i-- > 0;) {
    windows[i].low = windows[i + 1].low > most[i] ? windows[i + 1].low - most[i] : 0;
  }
  return windows;
}

/// One way to reach a state of the table.
struct Label {
  Units rows = 0;  ///< that the cards so far can hold, at most all
  std::uint64_t stored = 0;
  // The last card's share, and the way to the state before it.
  std::uint32_t heads = 0;
  std::uint32_t columns = 0;
  Units card_rows = 0;
  std::uint32_t before = 0;
};

/// The ways to a state that are not worse than another in rows and in bytes.
class LeanestLabels {
 public:
  static constexpr bool kBytesCount = true;

  std::size_t size() const { return labels_.size(); }
  const Label& operator[](std::size_t i) const { return labels_[i]; }
  void keep(const Label& label) {
    for (const Label& other : labels_) {
      if (other.rows >= label.rows && other.stored <= label.stored) return;
    }
    std::erase_if(labels_, [&](const Label& other) {
      return other.rows <= label.rows && other.stored >= label.stored;
    });
    labels_.push_back(label);
  }

 private:
  std::vector<Label> labels_;
};

/// The way to a state of the most rows, the first one among equals.
class RoomiestLabel {
 public:
  static constexpr bool kBytesCount = false;

  std::size_t size() const { return is_known_ ? 1 : 0; }
  const Label& operator[](std::size_t) const { return label_; }
  void keep(const Label& label) {
    if (is_known_ && label_.rows >= label.rows) return;
    label_ = label;
    is_known_ = true;
  }

 private:
  Label label_;
  bool is_known_ = false;
};

/// Deals that every card can hold. Axes: attention's, the network's, and for logits theirs and the largest
/// share of rows.
class FittingSpace : public DealSpace {
 public:
  explicit FittingSpace(const ShareQuestion& question);

  std::size_t axes() const override {
    return attention_.size() + ffn_.size() + (question_.ends.last ? logits_.size() + 1 : 0);
  }
  double cost(std::size_t axis, double value) const override;
  double next(std::size_t axis, double value) const override;
  double most(std::size_t axis) const override;
  bool exhausted() const override { return steps_ > kMaxFittingSteps; }
  std::optional<Bounds> reached(const Bounds& bounds) const override {
    const auto shares = within(bounds, false);
    if (!shares) return std::nullopt;
    return reached_by(*shares);
  }

  /// A deal within the bounds; of least stored bytes where these count.
  std::optional<UnitShares> within(const Bounds& bounds, bool bytes_count) const;

 private:
  /// What bounds leave of each card.
  struct Limits {
    std::vector<std::vector<bool>> heads;  ///< by card and head_place: whether the card does so many
    std::vector<Units> columns;
    std::vector<RowStep> rows;
  };

  bool is_rows_axis(std::size_t axis) const {
    return axis >= attention_.size() + ffn_.size() + logits_.size();
  }
  const CostAxis& axis_at(std::size_t axis) const {
    if (axis < attention_.size()) return attention_[axis];
    axis -= attention_.size();
    return axis < ffn_.size() ? ffn_[axis] : logits_[axis - ffn_.size()];
  }
  ShareBytes bytes_of(const CardShare& share) const;
  const ShareBytes& head_bytes(Units first, Units count) const {
    return head_bytes_[costs_.head_place(first, count)];
  }
  const ShareBytes& column_bytes(Units count) const { return column_bytes_[count]; }
  ShareBytes row_bytes(std::uint64_t rows) const {
    if (rows == 0) return {};
    return {first_row_.memory + (rows - 1) * next_row_.memory,
            first_row_.stored + (rows - 1) * next_row_.stored};
  }
  RowStep rows_within(std::uint64_t bytes, RowStep most) const;
  /// Units of rows for a card that can do a step where `dealt` are dealt: all that are left where it can end
  /// with the last one, else whole ones.
  Units rows_taken(Units dealt, RowStep step) const {
    const Units whole = costs_.whole_units(step);
    return dealt + whole + (costs_.takes_last_piece(step) ? 1 : 0) >= row_units_ ? row_units_ - dealt : whole;
  }

  Limits limits_of(const Bounds& bounds) const;
  bool heads_fit(const Limits& limits, std::size_t card, Units first, Units count) const;
  bool may_fit(const Limits& limits) const;
  Bounds reached_by(const UnitShares& shares) const;

  enum class Verdict { kFits, kDoesNot, kTooLarge };
  /// Exactly, by a table over cards, heads dealt and columns dealt; gives up where it grows too large.
  template <class Labels>
  Verdict by_table(const Limits& limits, UnitShares& out) const;
  /// The most rows for a card beside so much memory and each number of columns, as far as these fit.
  std::vector<RowStep> rows_beside(const Limits& limits, std::size_t card, std::uint64_t memory) const;
  /// Heads, then columns where they take no room from rows, then the other columns, then rows.
  std::optional<UnitShares> one_after_another(const Limits& limits) const;

  const ShareQuestion& question_;
  const ShareCosts& costs_;
  std::vector<CostAxis> attention_;
  std::vector<CostAxis> ffn_;
  std::vector<CostAxis> logits_;
  std::vector<std::uint64_t> free_;  ///< capacity less an empty share, by card
  bool empty_fits_ = true;
  Units row_units_ = 0;  ///< none where the stage has no rows
  RowStep row_steps_ = 0;
  std::vector<ShareBytes> head_bytes_;  ///< by head_place
  std::vector<ShareBytes> column_bytes_;
  ShareBytes first_row_;
  ShareBytes next_row_;
  mutable std::uint64_t steps_ = 0;  ///< of all tables so far, and of what leads to them
};

FittingSpace::FittingSpace(const ShareQuestion& question)
    : question_(question),
      costs_(question.costs),
      attention_(costs_.attention_axes(question.layers)),
      ffn_(costs_.ffn_axes(question.layers)) {
  if (question.ends.last) logits_ = costs_.logits_axes();
  for (const CardId card : question.cards) {
    const std::uint64_t capacity = question.problem().cluster.card_at(card).memory_capacity.value.value;
    const std::uint64_t empty = stage_card_memory(question.problem(), question.layers, question.ends, {},
                                                  card == question.sampling_card)
                                    .total()
                                    .value;
    empty_fits_ &= empty <= capacity;
    free_.push_back(capacity - std::min(capacity, empty));
  }
  for (Units count = 0; count <= costs_.head_units(); ++count) {
    for (const bool straddles : {false, true}) {
      head_bytes_.push_back(bytes_of({costs_.heads(count, count > 0 && straddles), 0, 0}));
    }
  }
  for (Units count = 0; count <= costs_.column_units(); ++count) {
    column_bytes_.push_back(bytes_of({{}, costs_.columns(count), 0}));
  }
  if (question.ends.first || question.ends.last) {
    row_units_ = costs_.row_units();
    row_steps_ = costs_.row_steps();
    first_row_ = bytes_of({{}, 0, 1});
    const ShareBytes two = bytes_of({{}, 0, 2});
    next_row_ = {two.memory - first_row_.memory, two.stored - first_row_.stored};
  }
}

ShareBytes FittingSpace::bytes_of(const CardShare& share) const {
  const Problem& problem = question_.problem();
  const CardMemory with = stage_card_memory(problem, question_.layers, question_.ends, share, false);
  const CardMemory without = stage_card_memory(problem, question_.layers, question_.ends, {}, false);
  return {with.total().value - without.total().value, with.weight_bytes.value - without.weight_bytes.value};
}

double FittingSpace::cost(std::size_t axis, double value) const {
  if (!is_rows_axis(axis)) return axis_at(axis).weight * value;
  return costs_.gather_seconds(question_.sampling_card, question_.cards, static_cast<RowStep>(value));
}

double FittingSpace::next(std::size_t axis, double value) const {
  if (is_rows_axis(axis)) return std::floor(value) + 1;
  if (axis < attention_.size()) return next_head_seconds(question_, axis_at(axis), value);
  if (axis < attention_.size() + ffn_.size()) return next_column_seconds(question_, axis_at(axis), value);
  return next_row_seconds(question_, axis_at(axis), value);
}

double FittingSpace::most(std::size_t axis) const {
  if (is_rows_axis(axis)) return static_cast<double>(row_steps_);
  if (axis < attention_.size()) return most_head_seconds(question_, axis_at(axis));
  if (axis < attention_.size() + ffn_.size()) return most_column_seconds(question_, axis_at(axis));
  return most_row_seconds(question_, axis_at(axis));
}

RowStep FittingSpace::rows_within(std::uint64_t bytes, RowStep most) const {
  if (next_row_.memory == 0 && first_row_.memory == 0) return most;  // rows that nobody stores
  if (bytes < first_row_.memory) return 0;
  if (next_row_.memory == 0) return most;
  return std::min(most, costs_.step_of_rows(1 + (bytes - first_row_.memory) / next_row_.memory));
}

FittingSpace::Limits FittingSpace::limits_of(const Bounds& bounds) const {
  const std::span all(bounds);
  const auto attention = all.first(attention_.size());
  const auto ffn = all.subspan(attention_.size(), ffn_.size());
  const auto logits = all.subspan(attention_.size() + ffn_.size(), logits_.size());
  Limits limits;
  std::map<CardId, std::pair<Units, RowStep>> known;
  for (std::size_t i = 0; i < question_.cards.size(); ++i) {
    const CardId card = costs_.example(question_.cards[i]);
    const auto [entry, is_new] = known.try_emplace(card);
    if (is_new) {
      entry->second.first = most_columns(costs_, ffn_, ffn, card);
      RowStep rows = row_steps_;
      if (question_.ends.last) {
        rows = std::min(rows, most_rows(costs_, logits_, logits, card));
        if (bounds.back() < static_cast<double>(rows)) rows = static_cast<RowStep>(bounds.back());
      }
      entry->second.second = rows;
    }
    limits.columns.push_back(
        most_units(entry->second.first, [&](Units count) { return column_bytes(count).memory <= free_[i]; }));
    limits.rows.push_back(entry->second.second);
    std::vector<bool>& heads = limits.heads.emplace_back(head_bytes_.size(), true);
    for (std::size_t share = 0; share < heads.size(); ++share) {
      heads[share] = head_bytes_[share].memory <= free_[i];
      for (std::size_t axis = 0; axis < attention_.size(); ++axis) {
        heads[share] = heads[share] && costs_.head_seconds(attention_[axis], card)[share] <= attention[axis];
      }
    }
  }
  return limits;
}

bool FittingSpace::heads_fit(const Limits& limits, std::size_t card, Units first, Units count) const {
  return limits.heads[card][costs_.head_place(first, count)];
}

/// Whether everything would fit if columns and rows could be cut anywhere and heads took no more than their
/// own bytes.
bool FittingSpace::may_fit(const Limits& limits) const {
  Units columns = 0;
  Units rows = 0;
  bool last_piece = false;
  long double room = 0;
  for (std::size_t i = 0; i < free_.size(); ++i) {
    columns += limits.columns[i];
    const RowStep step = rows_within(free_[i], limits.rows[i]);
    rows += costs_.whole_units(step);
    last_piece |= costs_.takes_last_piece(step);
    std::uint64_t heads = 0;
    for (std::size_t share = 0; share < head_bytes_.size(); ++share) {
      if (limits.heads[i][share]) heads = std::max(heads, head_bytes_[share].memory);
    }
    const std::uint64_t wanted = heads + column_bytes(limits.columns[i]).memory +
                                 row_bytes(costs_.rows_of_step(limits.rows[i])).memory;
    room += static_cast<long double>(std::min(free_[i], wanted));
  }
  const long double need = static_cast<long double>(head_bytes_[2 * costs_.head_units()].memory) +
                           static_cast<long double>(column_bytes(costs_.column_units()).memory) +
                           static_cast<long double>(costs_.rows(row_units_) * next_row_.memory);
  return columns >= costs_.column_units() && rows + (last_piece ? 1 : 0) >= row_units_ && need <= room;
}

Bounds FittingSpace::reached_by(const UnitShares& shares) const {
  Bounds reached(axes(), 0);
  const std::vector<std::uint64_t> rows = rows_of(costs_, shares.rows);
  Units first = 0;
  for (std::size_t i = 0; i < question_.cards.size(); ++i) {
    const CardId card = question_.cards[i];
    const RowStep step = costs_.step_of_rows(rows[i]);
    auto value = reached.begin();
    const auto raise = [&](double seconds) {
      *value = std::max(*value, seconds);
      ++value;
    };
    for (const CostAxis& axis : attention_) raise(costs_.head_seconds(axis, card, first, shares.heads[i]));
    for (const CostAxis& axis : ffn_) raise(costs_.column_seconds(axis, card, shares.columns[i]));
    for (const CostAxis& axis : logits_) raise(costs_.row_seconds(axis, card, step));
    if (question_.ends.last) raise(static_cast<double>(step));
    first += shares.heads[i];
  }
  return reached;
}

std::optional<UnitShares> FittingSpace::within(const Bounds& bounds, bool bytes_count) const {
  if (!empty_fits_) return std::nullopt;
  constexpr std::uint64_t kStepsOfACard = 100;  // to find its limits
  steps_ += kStepsOfACard * free_.size();
  const Limits limits = limits_of(bounds);
  if (!may_fit(limits)) return std::nullopt;
  if (!bytes_count) {
    if (auto shares = one_after_another(limits)) return shares;
  }
  UnitShares shares;
  switch (bytes_count ? by_table<LeanestLabels>(limits, shares) : by_table<RoomiestLabel>(limits, shares)) {
    case Verdict::kFits:
      return shares;
    case Verdict::kDoesNot:
      return std::nullopt;
    case Verdict::kTooLarge:
      break;
  }
  return bytes_count ? one_after_another(limits) : std::nullopt;
}

std::vector<RowStep> FittingSpace::rows_beside(const Limits& limits, std::size_t card,
                                               std::uint64_t memory) const {
  std::vector<RowStep> rows;
  for (Units columns = 0; columns <= limits.columns[card]; ++columns) {
    const std::uint64_t all = memory + column_bytes(columns).memory;
    if (all > free_[card]) break;
    rows.push_back(rows_within(free_[card] - all, limits.rows[card]));
  }
  return rows;
}

template <class Labels>
FittingSpace::Verdict FittingSpace::by_table(const Limits& limits, UnitShares& out) const {
  const std::size_t cards = free_.size();
  const Units head_units = costs_.head_units();
  std::vector<Units> most_heads(cards, 0);
  for (std::size_t card = 0; card < cards; ++card) {
    for (Units first = 0; first < head_units; ++first) {
      while (first + most_heads[card] < head_units && heads_fit(limits, card, first, most_heads[card] + 1)) {
        ++most_heads[card];
      }
    }
  }
  const auto head_windows = windows_of(most_heads, head_units);
  const auto column_windows = windows_of(limits.columns, costs_.column_units());
  if (!head_windows || !column_windows) return Verdict::kDoesNot;
  std::uint64_t least_work = 0;
  for (std::size_t card = 0; card < cards; ++card) {
    least_work += (*head_windows)[card].size() * (*column_windows)[card].size();
  }
  if (least_work > kMaxShareSteps) return Verdict::kTooLarge;

  std::vector<std::vector<Labels>> table(cards + 1);
  table[0].resize(1);
  table[0].front().keep({});
  std::uint64_t work = 0;
  for (std::size_t card = 0; card < cards; ++card) {
    const Window& head_from = (*head_windows)[card];
    const Window& head_to = (*head_windows)[card + 1];
    const Window& column_from = (*column_windows)[card];
    const Window& column_to = (*column_windows)[card + 1];
    table[card + 1].resize(head_to.size() * column_to.size());
    std::vector<std::vector<RowStep>> rooms(head_bytes_.size());  // by share of heads
    for (Units first = head_from.low; first <= head_from.high; ++first) {
      for (Units dealt = column_from.low; dealt <= column_from.high; ++dealt) {
        const Labels& from =
            table[card][(first - head_from.low) * column_from.size() + dealt - column_from.low];
        if (from.size() == 0) continue;
        for (Units end = std::max(first, head_to.low);
             end <= head_to.high && heads_fit(limits, card, first, end - first); ++end) {
          const ShareBytes& attention = head_bytes(first, end - first);
          auto& room = rooms[costs_.head_place(first, end - first)];
          if (room.empty()) room = rows_beside(limits, card, attention.memory);
          const Units last = std::min(column_to.high, dealt + room.size() - 1);
          for (Units column = std::max(dealt, column_to.low); column <= last; ++column) {
            work += from.size();
            steps_ += from.size();
            if (work > kMaxShareSteps) return Verdict::kTooLarge;
            const RowStep step = room[column - dealt];
            Labels& to = table[card + 1][(end - head_to.low) * column_to.size() + column - column_to.low];
            for (std::size_t i = 0; i < from.size(); ++i) {
              Label label = {from[i].rows,
                             0,
                             static_cast<std::uint32_t>(end - first),
                             static_cast<std::uint32_t>(column - dealt),
                             0,
                             static_cast<std::uint32_t>(i)};
              const auto take = [&](Units rows) {
                label.rows = from[i].rows + rows;
                label.card_rows = rows;
                if constexpr (Labels::kBytesCount) {
                  const std::uint64_t elements = costs_.rows(label.rows) - costs_.rows(from[i].rows);
                  label.stored = from[i].stored + attention.stored + column_bytes(column - dealt).stored +
                                 row_bytes(elements).stored;
                }
                to.keep(label);
              };
              // Holding no rows may store less; else a card takes all it can of those that are left.
              const Units rows = rows_taken(from[i].rows, step);
              take(rows);
              if (Labels::kBytesCount && rows != 0) take(0);
            }
          }
        }
      }
    }
  }
  const Labels& ends = table[cards].front();
  const Label* best = nullptr;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const Label& label = ends[i];
    if (label.rows == row_units_ && (best == nullptr || label.stored < best->stored)) best = &label;
  }
  if (best == nullptr) return Verdict::kDoesNot;

  out = {std::vector<Units>(cards), std::vector<Units>(cards), std::vector<Units>(cards)};
  Units head = head_units;
  Units column = costs_.column_units();
  for (std::size_t card = cards; card-- > 0;) {
    out.heads[card] = best->heads;
    out.columns[card] = best->columns;
    out.rows[card] = best->card_rows;
    head -= best->heads;
    column -= best->columns;
    const Window& heads_here = (*head_windows)[card];
    const Window& columns_here = (*column_windows)[card];
    best =
        &table[card][(head - heads_here.low) * columns_here.size() + column - columns_here.low][best->before];
  }
  return Verdict::kFits;
}

std::optional<UnitShares> FittingSpace::one_after_another(const Limits& limits) const {
  const std::size_t cards = free_.size();
  UnitShares shares;
  std::vector<std::uint64_t> left;
  Units first = 0;
  for (std::size_t card = 0; card < cards; ++card) {
    Units count = 0;
    while (first + count < costs_.head_units() && heads_fit(limits, card, first, count + 1)) ++count;
    shares.heads.push_back(count);
    left.push_back(free_[card] - head_bytes(first, count).memory);
    first += count;
  }
  if (first < costs_.head_units()) return std::nullopt;

  const auto columns_within = [&](std::size_t card, std::uint64_t bytes) {
    return most_units(limits.columns[card], [&](Units count) { return column_bytes(count).memory <= bytes; });
  };
  Units columns_left = costs_.column_units();
  for (std::size_t card = 0; card < cards; ++card) {
    const RowStep step = rows_within(left[card], limits.rows[card]);
    const std::uint64_t rows = row_bytes(costs_.rows_of_step(step)).memory;
    shares.columns.push_back(std::min(columns_left, columns_within(card, left[card] - rows)));
    columns_left -= shares.columns.back();
  }
  for (std::size_t card = 0; card < cards; ++card) {
    const Units more = std::min(columns_left, columns_within(card, left[card]) - shares.columns[card]);
    shares.columns[card] += more;
    columns_left -= more;
  }
  Units rows_dealt = 0;
  for (std::size_t card = 0; card < cards; ++card) {
    const std::uint64_t room = left[card] - column_bytes(shares.columns[card]).memory;
    shares.rows.push_back(rows_taken(rows_dealt, rows_within(room, limits.rows[card])));
    rows_dealt += shares.rows.back();
  }
  if (columns_left > 0 || rows_dealt < row_units_) return std::nullopt;
  return shares;
}

}  // namespace

std::optional<StageShares> fitting_shares(const ShareQuestion& question) {
  const FittingSpace space(question);
  auto least = least_bounds(space);
  if (!least) return std::nullopt;
  if (question.least_bytes && question.ends.last) {
    double& rows = least->bounds.back();
    rows = static_cast<double>(most_rows_gathered_alike(question, static_cast<RowStep>(rows)));
  }
  const auto shares = space.within(least->bounds, question.least_bytes);
  if (!shares) return std::nullopt;
  const ShareCosts& costs = question.costs;
  return StageShares{heads_of(costs, shares->heads), columns_of(costs, shares->columns),
                     rows_of(costs, shares->rows)};
}

}  // namespace spanker
