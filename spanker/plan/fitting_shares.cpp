#include <algorithm>
#include <limits>

#include "spanker/plan/shares.hpp"

namespace spanker {
namespace {

constexpr Seconds kForever{std::numeric_limits<double>::infinity()};

/// What one card can do with what it is given, part by part. Memory is what the part adds to an empty share.
struct ShareOption {
  Seconds seconds{0};
  std::uint64_t bytes = 0;
};

/// Upper bounds on the slowest card of each part.
struct Bounds {
  Seconds attention = kForever;
  Seconds ffn = kForever;
  std::uint64_t row_units = std::numeric_limits<std::uint64_t>::max();  ///< most rows of one card
};

/// The tables of one question: seconds and bytes of every share a card may get. Every card must hold an empty share.
class ShareTable {
 public:
  ShareTable(const ShareQuestion& question, std::span<const std::uint32_t> layers);

  /// The best shares within the bounds, rows first come; nothing where the rows do not fit.
  std::optional<StageShares> within(const Bounds& bounds) const;

  std::optional<StageShares> best() const;

 private:

  struct Step {
    std::int64_t rows = -1;  ///< most row units placed by this card and those before it; -1: not reachable
    std::uint32_t heads = 0;
    std::uint32_t columns = 0;
    std::uint32_t card_rows = 0;
  };

  std::size_t state(std::size_t heads, std::size_t columns) const { return heads * (column_units_ + 1) + columns; }
  const ShareOption& heads(std::size_t card, std::size_t first, std::size_t count) const {
    return heads_[(card * (head_units_ + 1) + first) * (head_units_ + 1) + count];
  }
  const ShareOption& columns(std::size_t card, std::size_t count) const {
    return columns_[card * (column_units_ + 1) + count];
  }
  std::uint64_t rows_within(std::uint64_t bytes, std::uint64_t most) const;
  Seconds row_seconds(std::uint64_t units) const;
  std::vector<Seconds> bounds_of(const std::vector<ShareOption>& options) const;

  const ShareQuestion& question_;
  std::size_t cards_;
  std::size_t head_units_;
  std::size_t column_units_;
  std::uint64_t column_unit_;
  std::uint64_t row_units_;
  std::vector<ShareOption> heads_;    ///< [card][first][count]
  std::vector<ShareOption> columns_;  ///< [card][count]
  std::vector<std::uint64_t> free_bytes_;  ///< capacity less an empty share
  std::uint64_t first_row_bytes_ = 0;  ///< what comes with any rows at all
  std::uint64_t row_unit_bytes_ = 0;
};

ShareTable::ShareTable(const ShareQuestion& question, std::span<const std::uint32_t> layers)
    : question_(question), cards_(question.cards.size()) {
  const Problem& problem = question.problem;
  const ModelShape& shape = problem.model.shape;
  head_units_ = shape.num_attention_heads / problem.head_unit;
  column_unit_ = problem.column_unit;
  const auto units = [&] { return (shape.intermediate_size + column_unit_ - 1) / column_unit_; };
  while (units() > 1 && cards_ * head_units_ * head_units_ * units() * units() > kMaxShareStates) column_unit_ *= 2;
  column_units_ = units();
  const bool has_rows = question.ends.first || question.ends.last;
  row_units_ = has_rows ? (shape.vocab_size + problem.row_unit - 1) / problem.row_unit : 0;

  const auto bytes_of = [&](const CardShare& share, CardId card) {
    return stage_card_memory(problem, layers, question.ends, share, card == question.sampling_card).total().value;
  };
  heads_.resize(cards_ * (head_units_ + 1) * (head_units_ + 1));
  columns_.resize(cards_ * (column_units_ + 1));
  for (std::size_t i = 0; i < cards_; ++i) {
    const CardId card = question.cards[i];
    const std::uint64_t empty = bytes_of({}, card);
    const std::uint64_t capacity = problem.cluster.card_at(card).memory_capacity.value.value;
    free_bytes_.push_back(capacity - empty);
    for (std::size_t first = 0; first <= head_units_; ++first) {
      for (std::size_t count = 0; first + count <= head_units_; ++count) {
        const HeadShare share = head_share(shape, static_cast<std::uint32_t>(first) * problem.head_unit,
                                           static_cast<std::uint32_t>(count) * problem.head_unit);
        ShareOption& option = heads_[(i * (head_units_ + 1) + first) * (head_units_ + 1) + count];
        option.bytes = bytes_of({share, 0, 0}, card) - empty;
        for (std::size_t kind = 0; kind < layers.size(); ++kind) {
          option.seconds +=
              question.pricer.attention(card, problem.layers.kinds[kind], share).total() * layers[kind];
        }
      }
    }
    for (std::size_t count = 0; count <= column_units_; ++count) {
      const std::uint64_t elements = std::min<std::uint64_t>(count * column_unit_, shape.intermediate_size);
      ShareOption& option = columns_[i * (column_units_ + 1) + count];
      option.bytes = bytes_of({{}, elements, 0}, card) - empty;
      for (std::size_t kind = 0; kind < layers.size(); ++kind) {
        option.seconds += question.pricer.ffn(card, problem.layers.kinds[kind], elements).total() * layers[kind];
      }
    }
  }
  if (has_rows) {
    const CardId card = question.cards.front();
    const std::uint64_t one = bytes_of({{}, 0, problem.row_unit}, card) - bytes_of({}, card);
    const std::uint64_t two = bytes_of({{}, 0, 2 * problem.row_unit}, card) - bytes_of({}, card);
    row_unit_bytes_ = two - one;
    first_row_bytes_ = one - row_unit_bytes_;
  }
}

std::uint64_t ShareTable::rows_within(std::uint64_t bytes, std::uint64_t most) const {
  if (row_unit_bytes_ == 0) return std::min(most, row_units_);  // rows that nobody stores
  if (bytes < first_row_bytes_ + row_unit_bytes_) return 0;
  return std::min({most, row_units_, (bytes - first_row_bytes_) / row_unit_bytes_});
}

Seconds ShareTable::row_seconds(std::uint64_t units) const {
  if (!question_.ends.last) return Seconds(0);
  const std::uint64_t rows =
      std::min<std::uint64_t>(units * question_.problem.row_unit, question_.problem.model.shape.vocab_size);
  Seconds slowest{0};
  for (const CardId card : question_.cards) slowest = std::max(slowest, question_.pricer.logits(card, rows).total());
  return slowest + question_.pricer.gather(question_.sampling_card, question_.cards, rows).cost.total();
}

std::optional<StageShares> ShareTable::within(const Bounds& bounds) const {
  const std::size_t states = (head_units_ + 1) * (column_units_ + 1);
  std::vector<std::vector<Step>> steps(cards_ + 1, std::vector<Step>(states));
  steps[0][state(0, 0)].rows = 0;
  for (std::size_t card = 0; card < cards_; ++card) {
    for (std::size_t first = 0; first <= head_units_; ++first) {
      for (std::size_t dealt = 0; dealt <= column_units_; ++dealt) {
        const std::int64_t before = steps[card][state(first, dealt)].rows;
        if (before < 0) continue;
        for (std::size_t count = 0; first + count <= head_units_; ++count) {
          const ShareOption& attention = heads(card, first, count);
          if (attention.seconds > bounds.attention || attention.bytes > free_bytes_[card]) break;
          for (std::size_t more = 0; dealt + more <= column_units_; ++more) {
            const ShareOption& ffn = columns(card, more);
            if (ffn.seconds > bounds.ffn || attention.bytes + ffn.bytes > free_bytes_[card]) break;
            const std::uint64_t rows =
                rows_within(free_bytes_[card] - attention.bytes - ffn.bytes, bounds.row_units);
            Step& step = steps[card + 1][state(first + count, dealt + more)];
            const std::int64_t placed = before + static_cast<std::int64_t>(rows);
            if (placed > step.rows) {
              step = {placed, static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(more),
                      static_cast<std::uint32_t>(rows)};
            }
          }
        }
      }
    }
  }
  if (steps[cards_][state(head_units_, column_units_)].rows < static_cast<std::int64_t>(row_units_)) {
    return std::nullopt;
  }

  const Problem& problem = question_.problem;
  StageShares shares;
  shares.query_heads.resize(cards_);
  shares.ffn_columns.resize(cards_);
  shares.vocabulary_rows.resize(cards_);
  std::size_t head = head_units_;
  std::size_t column = column_units_;
  for (std::size_t card = cards_; card-- > 0;) {
    const Step& step = steps[card + 1][state(head, column)];
    shares.query_heads[card] = step.heads * problem.head_unit;
    const auto end_of = [&](std::size_t count) {
      return std::min<std::uint64_t>(count * column_unit_, problem.model.shape.intermediate_size);
    };
    shares.ffn_columns[card] = end_of(column) - end_of(column - step.columns);
    shares.vocabulary_rows[card] = std::uint64_t{step.card_rows} * problem.row_unit;
    head -= step.heads;
    column -= step.columns;
  }
  // The table says how many rows could be placed; only as many as there are, are.
  std::uint64_t left = row_units_ == 0 ? 0 : problem.model.shape.vocab_size;
  for (std::uint64_t& rows : shares.vocabulary_rows) {
    rows = std::min(rows, left);
    left -= rows;
  }
  return shares;
}

std::vector<Seconds> ShareTable::bounds_of(const std::vector<ShareOption>& options) const {
  std::vector<Seconds> bounds;
  for (const ShareOption& option : options) bounds.push_back(option.seconds);
  std::ranges::sort(bounds);
  bounds.erase(std::ranges::unique(bounds).begin(), bounds.end());
  return bounds;
}

std::optional<StageShares> ShareTable::best() const {
  std::optional<StageShares> best = within({});
  if (!best) return std::nullopt;

  const auto attention_bounds = bounds_of(heads_);
  const auto ffn_bounds = bounds_of(columns_);
  Seconds best_seconds = kForever;
  for (const Seconds attention : attention_bounds) {
    if (attention + ffn_bounds.front() >= best_seconds) break;
    const auto fits = [&](Seconds ffn, std::uint64_t rows) { return within({attention, ffn, rows}).has_value(); };
    if (!fits(kForever, row_units_)) continue;
    auto ffn = std::ranges::partition_point(ffn_bounds, [&](Seconds bound) { return !fits(bound, row_units_); });
    for (; ffn != ffn_bounds.end() && attention + *ffn < best_seconds; ++ffn) {
      std::uint64_t low = row_units_ == 0 ? 0 : 1;
      std::uint64_t high = row_units_;
      while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (fits(*ffn, middle)) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      const Seconds seconds = attention + *ffn + row_seconds(low);
      if (seconds < best_seconds) {
        best_seconds = seconds;
        best = within({attention, *ffn, low});
      }
      if (!question_.ends.last) break;  // rows cost no time: a larger bound on the network can only lose
    }
  }
  return best;
}

/// Whether each card holds an empty share, and all parts together fit all cards together as if cut anywhere.
bool may_fit(const ShareQuestion& question, std::span<const std::uint32_t> layers) {
  const Problem& problem = question.problem;
  const ModelShape& shape = problem.model.shape;
  const CardShare all = {{shape.num_attention_heads, shape.num_key_value_heads}, shape.intermediate_size,
                         question.ends.first || question.ends.last ? std::uint64_t{shape.vocab_size} : 0};
  const auto bytes_of = [&](const CardShare& share, CardId card) {
    return stage_card_memory(problem, layers, question.ends, share, card == question.sampling_card).total();
  };
  Bytes room;
  for (const CardId card : question.cards) {
    const Bytes capacity = problem.cluster.card_at(card).memory_capacity.value;
    const Bytes empty = bytes_of({}, card);
    if (empty > capacity) return false;
    room += Bytes(capacity.value - empty.value);
  }
  const CardId card = question.cards.front();
  return bytes_of(all, card).value - bytes_of({}, card).value <= room.value;
}

}  // namespace

std::optional<StageShares> fitting_shares(const ShareQuestion& question, std::span<const std::uint32_t> layers) {
  if (!may_fit(question, layers)) return std::nullopt;
  return ShareTable(question, layers).best();
}

}  // namespace spanker
