#include <algorithm>
#include <limits>

#include "spanker/plan/shares.hpp"

namespace spanker {
namespace {

constexpr Seconds kForever{std::numeric_limits<double>::infinity()};

/// What a share of one part asks of a card.
struct ShareOption {
  Seconds seconds{0};
  std::uint64_t bytes = 0;
};

/// Upper bounds on the slowest card of each part, and on the rows of one card.
struct Bounds {
  Seconds attention = kForever;
  Seconds ffn = kForever;
  std::uint64_t row_units = std::numeric_limits<std::uint64_t>::max();
};

/// Seconds and bytes of every share that cards of one kind may get.
struct CardKind {
  CardId example = 0;
  std::vector<ShareOption> heads;    ///< [first * (head units + 1) + count]
  std::vector<ShareOption> columns;  ///< [count]
};

/// The range of units that cards before a place may have dealt, for all to be dealt in the end.
struct Window {
  std::size_t low = 0;
  std::size_t high = 0;

  std::size_t size() const { return high - low + 1; }
  bool contains(std::size_t units) const { return units >= low && units <= high; }
};

/// How a state of the table was reached.
struct Step {
  std::int32_t rows = -1;  ///< most row units placed by the cards so far; -1: not reachable
  std::uint16_t heads = 0;
  std::uint32_t columns = 0;
  std::uint32_t card_rows = 0;
};

/// Windows for each number of cards from none to all, given the most units that each card can take; none
/// where even all together cannot take everything.
std::optional<std::vector<Window>> windows_of(const std::vector<std::size_t>& most, std::size_t units) {
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

class ShareTable {
 public:
  /// Every card must be able to hold an empty share.
  ShareTable(const ShareQuestion& question, std::span<const std::uint32_t> layers);

  std::optional<StageShares> best() const;

 private:
  CardKind kind_of(CardId card, std::span<const std::uint32_t> layers) const;
  const ShareOption& heads(std::size_t card, std::size_t first, std::size_t count) const {
    return kinds_[kind_of_card_[card]].heads[first * (head_units_ + 1) + count];
  }
  const ShareOption& columns(std::size_t card, std::size_t count) const {
    return kinds_[kind_of_card_[card]].columns[count];
  }
  std::uint64_t rows_within(std::uint64_t bytes, std::uint64_t most) const;
  std::vector<std::size_t> most_heads(Seconds bound) const;
  std::vector<std::size_t> most_columns(Seconds bound) const;

  /// Whether columns, and columns and rows, would fit if they could be cut anywhere: quick, and false only
  /// where `within` must fail.
  bool may_fit_within(const Bounds& bounds, const std::vector<std::size_t>& column_limits) const;
  /// The shares within the bounds that place most rows; nothing where not all rows can be placed.
  std::optional<StageShares> within(const Bounds& bounds) const;
  StageShares traced(const std::vector<std::vector<Step>>& steps, const std::vector<Window>& head_windows,
                     const std::vector<Window>& column_windows) const;
  Seconds row_seconds(std::uint64_t units) const;

  const ShareQuestion& question_;
  std::size_t cards_;
  std::size_t head_units_;
  std::size_t column_units_;
  std::uint64_t row_units_ = 0;
  std::vector<CardKind> kinds_;
  std::vector<std::size_t> kind_of_card_;
  std::vector<std::uint64_t> free_bytes_;  ///< capacity less an empty share
  std::uint64_t first_row_bytes_ = 0;      ///< what comes with any rows at all
  std::uint64_t row_unit_bytes_ = 0;
};

std::uint64_t stage_bytes(const ShareQuestion& question, std::span<const std::uint32_t> layers, CardId card,
                          const CardShare& share) {
  return stage_card_memory(question.problem, layers, question.ends, share, card == question.sampling_card)
      .total()
      .value;
}

ShareTable::ShareTable(const ShareQuestion& question, std::span<const std::uint32_t> layers)
    : question_(question), cards_(question.cards.size()) {
  const Problem& problem = question.problem;
  const ModelShape& shape = problem.model.shape;
  head_units_ = shape.num_attention_heads / problem.head_unit;
  column_units_ = (shape.intermediate_size + problem.column_unit - 1) / problem.column_unit;
  for (const CardId card : question.cards) {
    const CardSpec& spec = problem.cluster.card_at(card);
    free_bytes_.push_back(spec.memory_capacity.value.value - stage_bytes(question, layers, card, {}));
    const auto known = std::ranges::find_if(
        kinds_, [&](const CardKind& kind) { return problem.cluster.card_at(kind.example) == spec; });
    kind_of_card_.push_back(static_cast<std::size_t>(known - kinds_.begin()));
    if (known == kinds_.end()) kinds_.push_back(kind_of(card, layers));
  }
  if (question.ends.first || question.ends.last) {
    row_units_ = (shape.vocab_size + problem.row_unit - 1) / problem.row_unit;
    const CardId card = question.cards.front();
    const std::uint64_t none = stage_bytes(question, layers, card, {});
    const std::uint64_t one = stage_bytes(question, layers, card, {{}, 0, problem.row_unit});
    const std::uint64_t two = stage_bytes(question, layers, card, {{}, 0, 2 * problem.row_unit});
    row_unit_bytes_ = two - one;
    first_row_bytes_ = one - none - row_unit_bytes_;
  }
}

CardKind ShareTable::kind_of(CardId card, std::span<const std::uint32_t> layers) const {
  const Problem& problem = question_.problem;
  const ModelShape& shape = problem.model.shape;
  const std::uint64_t empty = stage_bytes(question_, layers, card, {});
  CardKind kind;
  kind.example = card;
  kind.heads.resize((head_units_ + 1) * (head_units_ + 1));
  kind.columns.resize(column_units_ + 1);
  for (std::size_t first = 0; first <= head_units_; ++first) {
    for (std::size_t count = 0; first + count <= head_units_; ++count) {
      const HeadShare share = head_share(shape, static_cast<std::uint32_t>(first) * problem.head_unit,
                                         static_cast<std::uint32_t>(count) * problem.head_unit);
      ShareOption& option = kind.heads[first * (head_units_ + 1) + count];
      option.bytes = stage_bytes(question_, layers, card, {share, 0, 0}) - empty;
      for (std::size_t i = 0; i < layers.size(); ++i) {
        option.seconds +=
            question_.pricer.attention(card, problem.layers.kinds[i], share).total() * layers[i];
      }
    }
  }
  for (std::size_t count = 0; count <= column_units_; ++count) {
    const std::uint64_t elements =
        std::min<std::uint64_t>(count * problem.column_unit, shape.intermediate_size);
    ShareOption& option = kind.columns[count];
    option.bytes = stage_bytes(question_, layers, card, {{}, elements, 0}) - empty;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      option.seconds += question_.pricer.ffn(card, problem.layers.kinds[i], elements).total() * layers[i];
    }
  }
  return kind;
}

std::uint64_t ShareTable::rows_within(std::uint64_t bytes, std::uint64_t most) const {
  if (row_unit_bytes_ == 0) return std::min(most, row_units_);  // rows that nobody stores
  if (bytes < first_row_bytes_ + row_unit_bytes_) return 0;
  return std::min({most, row_units_, (bytes - first_row_bytes_) / row_unit_bytes_});
}

std::vector<std::size_t> ShareTable::most_heads(Seconds bound) const {
  std::vector<std::size_t> most(cards_, 0);
  for (std::size_t card = 0; card < cards_; ++card) {
    if (card > 0 && kind_of_card_[card] == kind_of_card_[card - 1] &&
        free_bytes_[card] == free_bytes_[card - 1]) {
      most[card] = most[card - 1];
      continue;
    }
    for (std::size_t first = 0; first <= head_units_; ++first) {
      std::size_t count = 0;
      while (first + count < head_units_ && heads(card, first, count + 1).seconds <= bound &&
             heads(card, first, count + 1).bytes <= free_bytes_[card]) {
        ++count;
      }
      most[card] = std::max(most[card], count);
    }
  }
  return most;
}

std::vector<std::size_t> ShareTable::most_columns(Seconds bound) const {
  std::vector<std::size_t> most(cards_, 0);
  for (std::size_t card = 0; card < cards_; ++card) {
    while (most[card] < column_units_ && columns(card, most[card] + 1).seconds <= bound &&
           columns(card, most[card] + 1).bytes <= free_bytes_[card]) {
      ++most[card];
    }
  }
  return most;
}

bool ShareTable::may_fit_within(const Bounds& bounds, const std::vector<std::size_t>& column_limits) const {
  // By heads dealt so far: the most bytes of columns, and of columns and rows, that the cards so far have
  // room for.
  struct Room {
    std::int64_t columns = -1;
    std::int64_t both = -1;
  };
  std::vector<Room> room(head_units_ + 1);
  room[0] = {0, 0};
  for (std::size_t card = 0; card < cards_; ++card) {
    const std::uint64_t column_bytes = columns(card, column_limits[card]).bytes;
    const std::uint64_t row_units = std::min(row_units_, bounds.row_units);
    const std::uint64_t row_bytes = row_units == 0 ? 0 : first_row_bytes_ + row_units * row_unit_bytes_;
    std::vector<Room> next(head_units_ + 1);
    for (std::size_t first = 0; first <= head_units_; ++first) {
      if (room[first].both < 0) continue;
      for (std::size_t count = 0; first + count <= head_units_; ++count) {
        const ShareOption& attention = heads(card, first, count);
        if (attention.seconds > bounds.attention || attention.bytes > free_bytes_[card]) break;
        const std::uint64_t left = free_bytes_[card] - attention.bytes;
        Room& to = next[first + count];
        to.columns = std::max(to.columns,
                              room[first].columns + static_cast<std::int64_t>(std::min(left, column_bytes)));
        to.both = std::max(
            to.both, room[first].both + static_cast<std::int64_t>(std::min(left, column_bytes + row_bytes)));
      }
    }
    room = std::move(next);
  }
  const auto column_bytes = static_cast<std::int64_t>(columns(0, column_units_).bytes - columns(0, 1).bytes);
  const auto row_bytes = static_cast<std::int64_t>(row_units_ == 0 ? 0 : (row_units_ - 1) * row_unit_bytes_);
  return room[head_units_].columns >= column_bytes && room[head_units_].both >= column_bytes + row_bytes;
}

std::optional<StageShares> ShareTable::within(const Bounds& bounds) const {
  const auto column_limits = most_columns(bounds.ffn);
  const auto head_windows = windows_of(most_heads(bounds.attention), head_units_);
  const auto column_windows = windows_of(column_limits, column_units_);
  if (!head_windows || !column_windows || !may_fit_within(bounds, column_limits)) return std::nullopt;

  std::vector<std::vector<Step>> steps(cards_ + 1);
  steps[0].resize(1);
  steps[0][0].rows = 0;
  std::uint64_t work = 0;
  for (std::size_t card = 0; card < cards_; ++card) {
    const Window& head_from = (*head_windows)[card];
    const Window& head_to = (*head_windows)[card + 1];
    const Window& column_from = (*column_windows)[card];
    const Window& column_to = (*column_windows)[card + 1];
    steps[card + 1].resize(head_to.size() * column_to.size());
    for (std::size_t first = head_from.low; first <= head_from.high; ++first) {
      for (std::size_t dealt = column_from.low; dealt <= column_from.high; ++dealt) {
        const Step& from =
            steps[card][(first - head_from.low) * column_from.size() + dealt - column_from.low];
        if (from.rows < 0) continue;
        for (std::size_t end = std::max(first, head_to.low); end <= head_to.high; ++end) {
          const ShareOption& attention = heads(card, first, end - first);
          if (attention.seconds > bounds.attention || attention.bytes > free_bytes_[card]) break;
          const std::uint64_t left = free_bytes_[card] - attention.bytes;
          const std::size_t last = std::min(column_to.high, dealt + column_limits[card]);
          for (std::size_t column = std::max(dealt, column_to.low); column <= last; ++column) {
            const std::uint64_t column_bytes = columns(card, column - dealt).bytes;
            if (column_bytes > left) break;
            if (++work > kMaxShareSteps) return std::nullopt;
            const std::uint64_t rows = rows_within(left - column_bytes, bounds.row_units);
            Step& to = steps[card + 1][(end - head_to.low) * column_to.size() + column - column_to.low];
            const std::int32_t placed = static_cast<std::int32_t>(
                std::min<std::uint64_t>(row_units_, static_cast<std::uint64_t>(from.rows) + rows));
            if (placed > to.rows) {
              to = {placed, static_cast<std::uint16_t>(end - first),
                    static_cast<std::uint32_t>(column - dealt), static_cast<std::uint32_t>(rows)};
            }
          }
        }
      }
    }
  }
  if (steps[cards_].front().rows < static_cast<std::int32_t>(row_units_)) return std::nullopt;
  return traced(steps, *head_windows, *column_windows);
}

StageShares ShareTable::traced(const std::vector<std::vector<Step>>& steps,
                               const std::vector<Window>& head_windows,
                               const std::vector<Window>& column_windows) const {
  const Problem& problem = question_.problem;
  const ModelShape& shape = problem.model.shape;
  StageShares shares{std::vector<std::uint32_t>(cards_), std::vector<std::uint64_t>(cards_),
                     std::vector<std::uint64_t>(cards_)};
  std::size_t head = head_units_;
  std::size_t column = column_units_;
  const auto columns_up_to = [&](std::size_t units) {
    return std::min<std::uint64_t>(units * problem.column_unit, shape.intermediate_size);
  };
  for (std::size_t card = cards_; card-- > 0;) {
    const Window& columns_here = column_windows[card + 1];
    const Step& step = steps[card + 1][(head - head_windows[card + 1].low) * columns_here.size() + column -
                                       columns_here.low];
    shares.query_heads[card] = step.heads * problem.head_unit;
    shares.ffn_columns[card] = columns_up_to(column) - columns_up_to(column - step.columns);
    shares.vocabulary_rows[card] = std::uint64_t{step.card_rows} * problem.row_unit;
    head -= step.heads;
    column -= step.columns;
  }
  // The table says how many rows could be placed; only as many as there are, are.
  std::uint64_t left = row_units_ == 0 ? 0 : shape.vocab_size;
  for (std::uint64_t& rows : shares.vocabulary_rows) {
    rows = std::min(rows, left);
    left -= rows;
  }
  return shares;
}

Seconds ShareTable::row_seconds(std::uint64_t units) const {
  if (!question_.ends.last) return Seconds(0);
  const Problem& problem = question_.problem;
  const std::uint64_t rows =
      std::min<std::uint64_t>(units * problem.row_unit, problem.model.shape.vocab_size);
  Seconds slowest{0};
  for (const CardKind& kind : kinds_) {
    slowest = std::max(slowest, question_.pricer.logits(kind.example, rows).total());
  }
  return slowest + question_.pricer.gather(question_.sampling_card, question_.cards, rows).cost.total();
}

std::vector<Seconds> distinct_seconds(const std::vector<ShareOption>& options, std::vector<Seconds> known) {
  for (const ShareOption& option : options) known.push_back(option.seconds);
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  return known;
}

/// The first position in [from, size) at which `fits`, which holds from some position on: ever longer steps
/// up, the last onto size - 1, then halving between; size where it holds nowhere. The answer is near `from`
/// unless memory is very short.
template <class Fits>
std::size_t first_that_fits(std::size_t from, std::size_t size, const Fits& fits) {
  if (from >= size) return size;
  std::size_t enough = from;
  std::size_t too_low = from;
  for (std::size_t stride = 1; !fits(enough); stride *= 16) {
    if (enough + 1 == size) return size;
    too_low = enough;
    enough = std::min(size - 1, enough + stride);
  }
  if (enough == from) return from;
  while (enough - too_low > 1) {
    const std::size_t middle = too_low + (enough - too_low) / 2;
    (fits(middle) ? enough : too_low) = middle;
  }
  return enough;
}

std::optional<StageShares> ShareTable::best() const {
  std::vector<Seconds> attention_bounds;
  std::vector<Seconds> ffn_bounds;
  for (const CardKind& kind : kinds_) {
    attention_bounds = distinct_seconds(kind.heads, std::move(attention_bounds));
    ffn_bounds = distinct_seconds(kind.columns, std::move(ffn_bounds));
  }
  const auto least_ffn = std::ranges::partition_point(
      ffn_bounds, [&](Seconds bound) { return !windows_of(most_columns(bound), column_units_); });
  const auto least_attention = std::ranges::partition_point(
      attention_bounds, [&](Seconds bound) { return !windows_of(most_heads(bound), head_units_); });
  const std::uint64_t least_rows = (row_units_ + cards_ - 1) / cards_;
  const Seconds least_row_seconds = row_seconds(least_rows);

  std::optional<StageShares> best;
  Seconds best_seconds = kForever;
  bool known_to_fit = false;
  auto first_ffn = static_cast<std::size_t>(least_ffn - ffn_bounds.begin());
  for (auto attention = least_attention; attention != attention_bounds.end(); ++attention) {
    if (first_ffn == ffn_bounds.size() ||
        *attention + ffn_bounds[first_ffn] + least_row_seconds >= best_seconds)
      break;
    const auto fits = [&](std::size_t ffn, std::uint64_t rows) {
      return within({*attention, ffn_bounds[ffn], rows}).has_value();
    };
    // Where this much time for the network could not win, it need not be tried.
    const auto hopeless = [&](std::size_t ffn) {
      return *attention + ffn_bounds[ffn] + least_row_seconds >= best_seconds;
    };
    std::size_t ffn = first_that_fits(first_ffn, ffn_bounds.size(),
                                      [&](std::size_t i) { return hopeless(i) || fits(i, row_units_); });
    if (ffn == ffn_bounds.size() && !known_to_fit) {
      known_to_fit = within({}).has_value();
      if (!known_to_fit) return std::nullopt;
    }
    for (; ffn < ffn_bounds.size() && !hopeless(ffn); ++ffn) {
      const auto rows = static_cast<std::uint64_t>(
          first_that_fits(least_rows, row_units_, [&](std::size_t units) { return fits(ffn, units); }));
      const Seconds seconds = *attention + ffn_bounds[ffn] + row_seconds(rows);
      known_to_fit = true;
      if (seconds < best_seconds) {
        best_seconds = seconds;
        best = within({*attention, ffn_bounds[ffn], rows});
      }
      // A larger bound on the network pays only where it lets a card hold fewer rows.
      if (!question_.ends.last || rows == least_rows) break;
    }
  }
  return best;
}

/// Whether each card holds an empty share, and all parts together fit all cards together as if cut anywhere.
bool may_fit(const ShareQuestion& question, std::span<const std::uint32_t> layers) {
  const ModelShape& shape = question.problem.model.shape;
  const bool has_rows = question.ends.first || question.ends.last;
  const CardShare all = {{shape.num_attention_heads, shape.num_key_value_heads},
                         shape.intermediate_size,
                         has_rows ? shape.vocab_size : 0u};
  std::uint64_t room = 0;
  for (const CardId card : question.cards) {
    const std::uint64_t capacity = question.problem.cluster.card_at(card).memory_capacity.value.value;
    const std::uint64_t empty = stage_bytes(question, layers, card, {});
    if (empty > capacity) return false;
    room += capacity - empty;
  }
  const CardId card = question.cards.front();
  return stage_bytes(question, layers, card, all) - stage_bytes(question, layers, card, {}) <= room;
}

}  // namespace

std::optional<StageShares> fitting_shares(const ShareQuestion& question,
                                          std::span<const std::uint32_t> layers) {
  if (!may_fit(question, layers)) return std::nullopt;
  return ShareTable(question, layers).best();
}

}  // namespace spanker
