#include "spanker/plan/deals.hpp"

#include <algorithm>
#include <limits>

namespace spanker {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// The least value above `value` among seconds(units) of all cards, where seconds never fall as units grow.
template <class SecondsOf>
double next_seconds(const ShareQuestion& question, Units units, double value, const SecondsOf& seconds) {
  double next = kInfinite;
  for (const AlikeCards& alike : alike_cards(question.costs, question.cards)) {
    const Units within =
        most_units(units, [&](Units count) { return seconds(alike.example, count) <= value; });
    if (within < units) next = std::min(next, seconds(alike.example, within + 1));
  }
  return next;
}

template <class SecondsOf>
double most_seconds(const ShareQuestion& question, const SecondsOf& seconds) {
  double most = 0;
  for (const AlikeCards& alike : alike_cards(question.costs, question.cards)) {
    most = std::max(most, seconds(alike.example));
  }
  return most;
}

template <class SecondsOf>
bool within_bounds(std::span<const CostAxis> axes, std::span<const double> bounds, const SecondsOf& seconds) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (seconds(axes[i]) > bounds[i]) return false;
  }
  return true;
}

template <class Elements>
std::vector<std::uint64_t> as_elements(std::span<const Units> units, const Elements& elements) {
  std::vector<std::uint64_t> shares;
  Units dealt = 0;
  for (const Units count : units) {
    shares.push_back(elements(dealt + count) - elements(dealt));
    dealt += count;
  }
  return shares;
}

}  // namespace

std::vector<AlikeCards> alike_cards(const ShareCosts& costs, std::span<const CardId> cards) {
  std::vector<AlikeCards> groups;
  for (const CardId card : cards) {
    const CardId example = costs.example(card);
    auto group = std::ranges::find(groups, example, &AlikeCards::example);
    if (group == groups.end()) group = groups.insert(groups.end(), {example, 0});
    ++group->count;
  }
  return groups;
}

double next_head_seconds(const ShareQuestion& question, const CostAxis& axis, double value) {
  double next = kInfinite;
  for (const AlikeCards& alike : alike_cards(question.costs, question.cards)) {
    const auto& known = question.costs.head_seconds_of_any_share(axis, alike.example);
    const auto above = std::upper_bound(known.begin(), known.end(), value);
    if (above != known.end()) next = std::min(next, *above);
  }
  return next;
}

double most_head_seconds(const ShareQuestion& question, const CostAxis& axis) {
  return most_seconds(
      question, [&](CardId card) { return question.costs.head_seconds_of_any_share(axis, card).back(); });
}

double next_column_seconds(const ShareQuestion& question, const CostAxis& axis, double value) {
  return next_seconds(question, question.costs.column_units(), value, [&](CardId card, Units count) {
    return question.costs.column_seconds(axis, card, count);
  });
}

double most_column_seconds(const ShareQuestion& question, const CostAxis& axis) {
  return most_seconds(question, [&](CardId card) {
    return question.costs.column_seconds(axis, card, question.costs.column_units());
  });
}

double next_row_seconds(const ShareQuestion& question, const CostAxis& axis, double value) {
  return next_seconds(question, question.costs.row_steps(), value, [&](CardId card, RowStep step) {
    return question.costs.row_seconds(axis, card, step);
  });
}

double most_row_seconds(const ShareQuestion& question, const CostAxis& axis) {
  return most_seconds(question, [&](CardId card) {
    return question.costs.row_seconds(axis, card, question.costs.row_steps());
  });
}

Units most_columns(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                   CardId card) {
  return most_units(costs.column_units(), [&](Units count) {
    return within_bounds(axes, bounds,
                         [&](const CostAxis& axis) { return costs.column_seconds(axis, card, count); });
  });
}

RowStep most_rows(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                  CardId card) {
  return most_units(costs.row_steps(), [&](RowStep step) {
    return within_bounds(axes, bounds,
                         [&](const CostAxis& axis) { return costs.row_seconds(axis, card, step); });
  });
}

Units most_heads(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                 CardId card, Units first) {
  Units count = 0;
  while (first + count < costs.head_units() && within_bounds(axes, bounds, [&](const CostAxis& axis) {
           return costs.head_seconds(axis, card, first, count + 1);
         })) {
    ++count;
  }
  return count;
}

RowStep most_rows_gathered_alike(const ShareQuestion& question, RowStep largest) {
  const auto gather = [&](RowStep step) {
    return question.costs.gather_seconds(question.sampling_card, question.cards, step);
  };
  const double price = gather(largest) * (1 + 1e-13);
  return std::max(largest, most_units(question.costs.row_steps(), [&](RowStep step) {
                    return step <= largest || gather(step) <= price;
                  }));
}

std::vector<std::uint64_t> columns_of(const ShareCosts& costs, std::span<const Units> units) {
  return as_elements(units, [&](Units count) { return costs.columns(count); });
}

std::vector<std::uint64_t> rows_of(const ShareCosts& costs, std::span<const Units> units) {
  return as_elements(units, [&](Units count) { return costs.rows(count); });
}

std::vector<std::uint32_t> heads_of(const ShareCosts& costs, std::span<const Units> units) {
  std::vector<std::uint32_t> heads;
  for (const Units count : units) {
    heads.push_back(static_cast<std::uint32_t>(count) * costs.problem().head_unit);
  }
  return heads;
}

}  // namespace spanker
