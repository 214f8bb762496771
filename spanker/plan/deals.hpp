#pragma once

#include <span>
#include <vector>

#include "spanker/plan/least_bounds.hpp"
#include "spanker/plan/shares.hpp"

// Internal to this module: what deals of heads, columns and rows share.
namespace spanker {

/// The cards of a stage that perform alike, and how many they are.
struct AlikeCards {
  CardId example;
  std::size_t count;
};
std::vector<AlikeCards> alike_cards(const ShareCosts& costs, std::span<const CardId> cards);

// The next larger value that a share can have, and the largest, on one axis over all cards of a stage.
double next_head_seconds(const ShareQuestion& question, const CostAxis& axis, double value);
double most_head_seconds(const ShareQuestion& question, const CostAxis& axis);
double next_column_seconds(const ShareQuestion& question, const CostAxis& axis, double value);
double most_column_seconds(const ShareQuestion& question, const CostAxis& axis);
double next_row_seconds(const ShareQuestion& question, const CostAxis& axis, double value);
double most_row_seconds(const ShareQuestion& question, const CostAxis& axis);

/// The most columns, or rows, that a card does within the bounds of these axes.
Units most_columns(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                   CardId card);
RowStep most_rows(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                  CardId card);
/// The most units of heads from `first` on.
Units most_heads(const ShareCosts& costs, std::span<const CostAxis> axes, std::span<const double> bounds,
                 CardId card, Units first);

/// The largest share of rows whose gather costs no more than that of `largest`.
RowStep most_rows_gathered_alike(const ShareQuestion& question, RowStep largest);

/// Whole units as elements.
std::vector<std::uint64_t> columns_of(const ShareCosts& costs, std::span<const Units> units);
std::vector<std::uint64_t> rows_of(const ShareCosts& costs, std::span<const Units> units);
std::vector<std::uint32_t> heads_of(const ShareCosts& costs, std::span<const Units> units);

}  // namespace spanker
