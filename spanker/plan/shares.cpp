#include "spanker/plan/shares.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "spanker/plan/deals.hpp"

namespace spanker {
namespace {

/// `units` over receivers in proportion to `limits`, whose sum is at least that; none gets more than its
/// limit. Equal limits give sizes that differ by at most one, the larger ones first.
std::vector<Units> proportional(Units units, const std::vector<Units>& limits) {
  const Units room = std::accumulate(limits.begin(), limits.end(), Units{0});
  std::vector<Units> shares;
  Units left = units;
  for (const Units limit : limits) {
    const auto exact = static_cast<long double>(units) * static_cast<long double>(limit) /
                       static_cast<long double>(std::max<Units>(room, 1));
    shares.push_back(std::min({left, limit, static_cast<Units>(exact)}));
    left -= shares.back();
  }
  while (left > 0) {
    for (std::size_t i = 0; i < shares.size() && left > 0; ++i) {
      if (shares[i] == limits[i]) continue;
      ++shares[i];
      --left;
    }
  }
  return shares;
}

/// The same over as few receivers as can take all: those with the largest limits.
std::vector<Units> fewest(Units units, std::vector<Units> limits) {
  std::vector<std::size_t> order(limits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return limits[a] > limits[b]; });
  Units room = 0;
  for (const std::size_t i : order) {
    if (room >= units) limits[i] = 0;
    room += limits[i];
  }
  return proportional(units, limits);
}

std::vector<Units> deal(const ShareQuestion& question, Units units, const std::vector<Units>& limits) {
  return question.least_bytes ? fewest(units, limits) : proportional(units, limits);
}

/// The most units of rows that each card may be dealt where it can do no more than its step: whole units, and
/// if one is lacking then the smaller last piece too, on the last card with rows or one after it.
std::vector<Units> row_limits(const ShareCosts& costs, const std::vector<RowStep>& steps) {
  std::vector<Units> limits;
  for (const RowStep step : steps) limits.push_back(costs.whole_units(step));
  if (std::accumulate(limits.begin(), limits.end(), Units{1}) != costs.row_units()) return limits;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (costs.takes_last_piece(steps[i])) {
      ++limits[i];
      break;
    }
    if (limits[i] > 0) break;
  }
  return limits;
}

/// `count` of the cards that can do these steps, if they have all rows with the smaller last piece on the
/// last of them, and all others do what they can.
std::optional<std::vector<Units>> with_last_piece(const ShareCosts& costs, const std::vector<RowStep>& steps,
                                                  std::size_t count) {
  for (std::size_t last = count - 1; last < steps.size(); ++last) {
    if (!costs.takes_last_piece(steps[last])) continue;
    std::vector<std::size_t> others(last);
    std::iota(others.begin(), others.end(), std::size_t{0});
    std::stable_sort(others.begin(), others.end(),
                     [&](std::size_t a, std::size_t b) { return steps[a] > steps[b]; });
    std::vector<Units> shares(steps.size(), 0);
    shares[last] = costs.whole_units(steps[last]) + 1;
    for (const std::size_t i : std::span(others).first(count - 1)) shares[i] = costs.whole_units(steps[i]);
    if (std::accumulate(shares.begin(), shares.end(), Units{0}) >= costs.row_units()) return shares;
  }
  return std::nullopt;
}

/// All rows over as few cards as can do them.
std::vector<Units> fewest_rows(const ShareCosts& costs, const std::vector<RowStep>& steps) {
  std::vector<Units> whole;
  for (const RowStep step : steps) whole.push_back(costs.whole_units(step));
  std::vector<Units> most_first = whole;
  std::sort(most_first.rbegin(), most_first.rend());
  Units room = 0;
  for (std::size_t count = 1; room + most_first[count - 1] < costs.row_units(); ++count) {
    room += most_first[count - 1];
    if (room + 1 < costs.row_units()) continue;
    if (auto shares = with_last_piece(costs, steps, count)) return *shares;
  }
  return fewest(costs.row_units(), whole);
}

/// All rows to cards that can do these steps, and together everything.
std::vector<Units> deal_rows(const ShareQuestion& question, const std::vector<RowStep>& steps) {
  const ShareCosts& costs = question.costs;
  return question.least_bytes ? fewest_rows(costs, steps)
                              : proportional(costs.row_units(), row_limits(costs, steps));
}

class HeadSpace : public DealSpace {
 public:
  HeadSpace(const ShareQuestion& question, std::vector<CostAxis> axes)
      : question_(question), axes_(std::move(axes)) {}

  std::size_t axes() const override { return axes_.size(); }
  double cost(std::size_t axis, double value) const override { return axes_[axis].weight * value; }
  double next(std::size_t axis, double value) const override {
    return next_head_seconds(question_, axes_[axis], value);
  }
  double most(std::size_t axis) const override { return most_head_seconds(question_, axes_[axis]); }

  /// Each card in turn gets as many heads as it can do: more heads dealt never leave more to do.
  std::optional<Bounds> reached(const Bounds& bounds) const override {
    Bounds reached(axes_.size(), 0);
    Units first = 0;
    for (const CardId card : question_.cards) {
      const Units count = most_heads(question_.costs, axes_, bounds, card, first);
      for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
        reached[axis] =
            std::max(reached[axis], question_.costs.head_seconds(axes_[axis], card, first, count));
      }
      first += count;
      if (first == question_.costs.head_units()) return reached;
    }
    return std::nullopt;
  }

  std::vector<Units> deal_within(const Bounds& bounds) const {
    const std::vector<Units> even =
        proportional(question_.costs.head_units(),
                     std::vector<Units>(question_.cards.size(), question_.costs.head_units()));
    const bool even_serves = is_within(even, bounds);
    if (!question_.least_bytes) return even_serves ? even : in_turn(bounds);
    const std::vector<Units> least = least_bytes(bounds);
    return even_serves && bytes(even) <= bytes(least) ? even : least;
  }

 private:
  bool fits(const Bounds& bounds, CardId card, Units first, Units count) const {
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      if (question_.costs.head_seconds(axes_[axis], card, first, count) > bounds[axis]) return false;
    }
    return true;
  }
  bool is_within(const std::vector<Units>& shares, const Bounds& bounds) const {
    Units first = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (!fits(bounds, question_.cards[i], first, shares[i])) return false;
      first += shares[i];
    }
    return true;
  }
  std::vector<Units> in_turn(const Bounds& bounds) const {
    std::vector<Units> shares;
    Units first = 0;
    for (const CardId card : question_.cards) {
      shares.push_back(most_heads(question_.costs, axes_, bounds, card, first));
      first += shares.back();
    }
    return shares;
  }
  std::uint64_t bytes(Units first, Units count) const {
    const Problem& problem = question_.problem();
    const HeadShare share = question_.costs.heads(count, question_.costs.straddles(first, count));
    std::uint64_t sum = 0;
    for (std::size_t kind = 0; kind < question_.layers.size(); ++kind) {
      const LayerTensors& layer = problem.layers.kinds[kind];
      sum += question_.layers[kind] * attention_weight_bytes(problem.model.shape, layer, share).value;
    }
    return sum;
  }
  std::uint64_t bytes(const std::vector<Units>& shares) const {
    std::uint64_t sum = 0;
    Units first = 0;
    for (const Units count : shares) {
      sum += bytes(first, count);
      first += count;
    }
    return sum;
  }
  /// By dynamic programming over cards and heads dealt.
  std::vector<Units> least_bytes(const Bounds& bounds) const {
    const Units units = question_.costs.head_units();
    constexpr std::uint64_t kUnreached = std::numeric_limits<std::uint64_t>::max();
    std::vector<std::uint64_t> share_bytes((units + 1) * (units + 1));
    for (Units first = 0; first <= units; ++first) {
      for (Units count = 0; first + count <= units; ++count) {
        share_bytes[first * (units + 1) + count] = bytes(first, count);
      }
    }
    std::vector<std::uint64_t> least(units + 1, kUnreached);
    least[0] = 0;
    std::vector<std::vector<Units>> given;
    for (const CardId card : question_.cards) {
      std::vector<std::uint64_t> next(units + 1, kUnreached);
      given.emplace_back(units + 1, 0);
      for (Units first = 0; first <= units; ++first) {
        if (least[first] == kUnreached) continue;
        for (Units count = 0; first + count <= units && fits(bounds, card, first, count); ++count) {
          const std::uint64_t sum = least[first] + share_bytes[first * (units + 1) + count];
          if (sum >= next[first + count]) continue;
          next[first + count] = sum;
          given.back()[first + count] = count;
        }
      }
      least = std::move(next);
    }
    std::vector<Units> shares(question_.cards.size());
    Units dealt = units;
    for (std::size_t i = shares.size(); i-- > 0;) {
      shares[i] = given[i][dealt];
      dealt -= shares[i];
    }
    return shares;
  }

  const ShareQuestion& question_;
  std::vector<CostAxis> axes_;
};

class ColumnSpace : public DealSpace {
 public:
  ColumnSpace(const ShareQuestion& question, std::vector<CostAxis> axes)
      : question_(question), axes_(std::move(axes)), alike_(alike_cards(question.costs, question.cards)) {}

  std::size_t axes() const override { return axes_.size(); }
  double cost(std::size_t axis, double value) const override { return axes_[axis].weight * value; }
  double next(std::size_t axis, double value) const override {
    return next_column_seconds(question_, axes_[axis], value);
  }
  double most(std::size_t axis) const override { return most_column_seconds(question_, axes_[axis]); }

  std::optional<Bounds> reached(const Bounds& bounds) const override {
    Bounds reached(axes_.size(), 0);
    Units room = 0;
    for (const AlikeCards& alike : alike_) {
      const Units most = most_columns(question_.costs, axes_, bounds, alike.example);
      room += most * alike.count;
      for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
        reached[axis] =
            std::max(reached[axis], question_.costs.column_seconds(axes_[axis], alike.example, most));
      }
    }
    if (room < question_.costs.column_units()) return std::nullopt;
    return reached;
  }

  std::vector<Units> deal_within(const Bounds& bounds) const {
    std::vector<Units> limits;
    for (const CardId card : question_.cards) {
      limits.push_back(most_columns(question_.costs, axes_, bounds, card));
    }
    return deal(question_, question_.costs.column_units(), limits);
  }

 private:
  const ShareQuestion& question_;
  std::vector<CostAxis> axes_;
  std::vector<AlikeCards> alike_;
};

/// The least that the largest share of rows can be.
RowStep evenest_rows(const ShareQuestion& question) {
  const ShareCosts& costs = question.costs;
  const Units cards = question.cards.size();
  const Units units = costs.row_units();
  const Units largest = (units + cards - 1) / cards;
  // Where all cards but the last have a unit less, its last one can be the smaller piece.
  const bool ends_with_piece = (largest - 1) * cards + 1 == units;
  return ends_with_piece ? costs.step_of_rows(costs.rows(units) - (units - largest) * costs.rows(1))
                         : costs.step_of_rows(costs.rows(largest));
}

/// Axes of seconds, and a last one of the largest share, on which the gather depends.
class RowSpace : public DealSpace {
 public:
  RowSpace(const ShareQuestion& question, std::vector<CostAxis> axes)
      : question_(question), axes_(std::move(axes)), alike_(alike_cards(question.costs, question.cards)) {}

  std::size_t axes() const override { return axes_.size() + 1; }
  double cost(std::size_t axis, double value) const override {
    if (axis < axes_.size()) return axes_[axis].weight * value;
    return question_.costs.gather_seconds(question_.sampling_card, question_.cards,
                                          static_cast<RowStep>(value));
  }
  double next(std::size_t axis, double value) const override {
    return axis < axes_.size() ? next_row_seconds(question_, axes_[axis], value) : std::floor(value) + 1;
  }
  double most(std::size_t axis) const override {
    return axis < axes_.size() ? most_row_seconds(question_, axes_[axis])
                               : static_cast<double>(question_.costs.row_steps());
  }

  std::optional<Bounds> reached(const Bounds& bounds) const override {
    Bounds reached(axes(), 0);
    Units room = 0;
    for (const AlikeCards& alike : alike_) {
      const RowStep most = limit(bounds, alike.example);
      room += question_.costs.whole_units(most) * alike.count;
      for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
        reached[axis] =
            std::max(reached[axis], question_.costs.row_seconds(axes_[axis], alike.example, most));
      }
      reached.back() = std::max(reached.back(), static_cast<double>(most));
    }
    const Units units = question_.costs.row_units();
    if (room + 1 == units) {
      const std::vector<Units> with_piece = row_limits(question_.costs, limits(bounds));
      room = std::accumulate(with_piece.begin(), with_piece.end(), Units{0});
    }
    if (room < units) return std::nullopt;
    return reached;
  }

  std::vector<Units> deal_within(const Bounds& bounds) const { return deal_rows(question_, limits(bounds)); }

  /// As least_bounds, where all passes cost shares alike: halves ranges of the largest share, from the
  /// evenest to what the quickest logits need. Fewer rows a card make the gather cheaper and the logits
  /// slower.
  Bounds least_of_one_pass() const {
    struct Largest {
      RowStep step;
      double seconds;  ///< least of the slowest card
      double logits;
      double gather;
    };
    const auto at = [&](RowStep step) {
      const double seconds = least_seconds(step);
      return Largest{step, seconds, cost(0, seconds), cost(1, static_cast<double>(step))};
    };
    const Largest evenest = at(evenest_rows(question_));
    const Bounds quickest{least_seconds(question_.costs.row_steps()),
                          std::numeric_limits<double>::infinity()};
    Largest widest = at(static_cast<RowStep>((*reached(quickest))[1]));
    Largest best = evenest;
    const auto offer = [&](const Largest& other) {
      if (other.logits + other.gather < best.logits + best.gather) best = other;
    };
    offer(widest);
    std::vector<std::pair<Largest, Largest>> ranges = {{evenest, widest}};
    while (!ranges.empty()) {
      const auto [low, high] = ranges.back();
      ranges.pop_back();
      const double least = high.logits + low.gather;
      if (high.step - low.step < 2 || least >= (best.logits + best.gather) * (1 - 1e-13)) continue;
      const Largest middle = at(low.step + (high.step - low.step) / 2);
      offer(middle);
      ranges.emplace_back(middle, high);
      ranges.emplace_back(low, middle);
    }
    return {best.seconds, static_cast<double>(best.step)};
  }

 private:
  /// Of the slowest card, where none has more rows than that.
  double least_seconds(RowStep largest) const {
    return least_on(*this, 0, {std::numeric_limits<double>::infinity(), static_cast<double>(largest)}, 0,
                    [&](const Bounds& bounds) { return reached(bounds); });
  }
  RowStep limit(const Bounds& bounds, CardId card) const {
    const RowStep most = most_rows(question_.costs, axes_, bounds, card);
    return bounds.back() < static_cast<double>(most) ? static_cast<RowStep>(bounds.back()) : most;
  }
  std::vector<RowStep> limits(const Bounds& bounds) const {
    std::vector<RowStep> steps;
    for (const CardId card : question_.cards) steps.push_back(limit(bounds, card));
    return steps;
  }

  const ShareQuestion& question_;
  std::vector<CostAxis> axes_;
  std::vector<AlikeCards> alike_;
};

/// Whether every card can hold its share of these layers.
bool shares_fit(const Problem& problem, std::span<const CardId> cards, StageEnds ends, CardId sampling_card,
                std::span<const std::uint32_t> layers, const std::vector<CardShare>& shares) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const CardMemory memory = stage_card_memory(problem, layers, ends, shares[i], cards[i] == sampling_card);
    if (memory.total() > problem.cluster.card_at(cards[i]).memory_capacity.value) return false;
  }
  return true;
}

}  // namespace

std::vector<std::uint64_t> fastest_rows(const ShareQuestion& question) {
  const ShareCosts& costs = question.costs;
  if (!question.ends.first && !question.ends.last) {
    return std::vector<std::uint64_t>(question.cards.size(), 0);
  }
  if (!question.ends.last) {
    return rows_of(
        costs, proportional(costs.row_units(), std::vector<Units>(question.cards.size(), costs.row_units())));
  }
  if (alike_cards(costs, question.cards).size() == 1) {
    // Cards that are alike do best with what is even.
    const std::vector<RowStep> steps(question.cards.size(), evenest_rows(question));
    return rows_of(costs, deal_rows(question, steps));
  }
  const RowSpace space(question, costs.logits_axes());
  Bounds bounds = space.axes() == 2 ? space.least_of_one_pass() : least_bounds(space)->bounds;
  if (question.least_bytes) {
    bounds.back() =
        static_cast<double>(most_rows_gathered_alike(question, static_cast<RowStep>(bounds.back())));
  }
  return rows_of(costs, space.deal_within(bounds));
}

FastestShares fastest_shares(const ShareQuestion& question) {
  const ShareCosts& costs = question.costs;
  const auto attention_axes = costs.attention_axes(question.layers);
  const auto ffn_axes = costs.ffn_axes(question.layers);
  const HeadSpace heads(question, attention_axes);
  const ColumnSpace columns(question, ffn_axes);
  // Whatever the memory, one card could do everything.
  const LeastBounds head_bounds = *least_bounds(heads);
  const LeastBounds column_bounds = *least_bounds(columns);

  FastestShares found;
  found.for_every_mix = head_bounds.least_on_every_axis() && column_bounds.least_on_every_axis();
  found.shares.query_heads = heads_of(costs, heads.deal_within(head_bounds.bounds));
  found.shares.ffn_columns = columns_of(costs, columns.deal_within(column_bounds.bounds));
  found.shares.vocabulary_rows.resize(question.cards.size());

  const auto least_of = [](const std::vector<CostAxis>& axes, const LeastBounds& bounds,
                           std::pair<std::size_t, std::size_t> wanted) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (std::pair(axes[i].pass, axes[i].kind) == wanted) return bounds.least[i];
    }
    return 0.0;
  };
  const std::size_t kinds = question.layers.size();
  for (std::size_t pass = 0; pass < costs.pass_count(); ++pass) {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      found.least_layer_seconds.push_back(
          least_of(attention_axes, head_bounds, costs.attention_axis_of(pass, kind)) +
          least_of(ffn_axes, column_bounds, costs.ffn_axis_of(pass, kind)));
    }
  }
  return found;
}

std::uint32_t end_that_fits(const Problem& problem, std::span<const CardId> cards, StageEnds ends,
                            CardId sampling_card, std::uint32_t first, const StageShares& shares) {
  const auto by_card = card_shares(problem.model.shape, shares);
  return first + static_cast<std::uint32_t>(
                     most_units(problem.model.shape.num_hidden_layers - first, [&](Units layers) {
                       if (layers == 0) return true;
                       const auto end = first + static_cast<std::uint32_t>(layers);
                       return shares_fit(problem, cards, ends, sampling_card,
                                         problem.layers.count(first, end - 1), by_card);
                     }));
}

}  // namespace spanker
