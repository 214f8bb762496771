#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "spanker/plan/memory.hpp"
#include "spanker/plan/share_costs.hpp"

namespace spanker {

/// A stage whose shares are sought.
struct ShareQuestion {
  const ShareCosts& costs;
  std::span<const CardId> cards;
  StageEnds ends;
  CardId sampling_card;                   ///< the first card where the stage is first
  std::span<const std::uint32_t> layers;  ///< how many of each kind
  bool least_bytes;  ///< whether, among the quickest deals, one that stores least is wanted; else an even one

  const Problem& problem() const { return costs.problem(); }
};

/// Heads and columns dealt whatever the memory.
struct FastestShares {
  StageShares shares;  ///< without rows: zeros
  /// Whether heads and columns are best for any mix of the layers' kinds.
  bool for_every_mix = true;
  /// By pass and kind of layer: no card group's layer is quicker, whatever its shares.
  std::vector<double> least_layer_seconds;
};

/// The heads and the columns that make a stage's layers quickest in the passes of the aim, by their weights:
/// slowest card's attention and slowest card's network, layer by layer. Both are dealt apart.
FastestShares fastest_shares(const ShareQuestion& question);

/// The rows that make the logits quickest: slowest card's and the gather. Cards have consecutive rows, in the
/// order of the cards, so where the vocabulary ends with a piece smaller than the unit, the last card with
/// rows has it, whichever card that is. Rows of a first stage that makes no logits are dealt evenly; a stage
/// between has none.
std::vector<std::uint64_t> fastest_rows(const ShareQuestion& question);

/// How far layers from `first` on fit every card with these shares: the largest end for which [first, end)
/// does, `first` where not even one layer does.
std::uint32_t end_that_fits(const Problem& problem, std::span<const CardId> cards, StageEnds ends,
                            CardId sampling_card, std::uint32_t first, const StageShares& shares);

/// The same as fastest_shares, among all shares that every card can hold; nothing where none can. Heads,
/// columns and rows compete for each card's memory. Exact while a table of the deals needs at most
/// kMaxShareSteps steps; for larger stages heads, columns and rows are filled in one after another, which may
/// miss the last few units.
std::optional<StageShares> fitting_shares(const ShareQuestion& question);

inline constexpr std::uint64_t kMaxShareSteps = 200'000;
/// After so many steps in all the best deal so far is the answer.
inline constexpr std::uint64_t kMaxFittingSteps = 20'000'000;

}  // namespace spanker
