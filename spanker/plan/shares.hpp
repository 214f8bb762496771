#pragma once

#include <optional>
#include <span>
#include <vector>

#include "spanker/plan/price.hpp"

namespace spanker {

/// A stage whose shares are sought.
struct ShareQuestion {
  const Problem& problem;
  const PassPricer& pricer;
  std::span<const CardId> cards;
  StageEnds ends;
  CardId sampling_card;  ///< the first card where the stage is first
};

/// The shares that minimise the slowest card of attention, of the network and of the logits, each for itself
/// and whatever the memory; where cards are equal, as even as the units allow, the larger shares first (which
/// also makes the gather of the logits cheapest). Heads and layers of several kinds are weighed as the whole
/// model mixes them. Embedding rows of a first stage that makes no logits are dealt evenly.
StageShares fastest_shares(const ShareQuestion& question);

/// How far layers from `first` on fit every card with these shares: the largest end for which [first, end)
/// does, `first` where not even one layer does.
std::uint32_t end_that_fits(const ShareQuestion& question, std::uint32_t first, const StageShares& shares);

/// The shares that minimise slowest attention + slowest network + slowest logits and gather over these layers
/// among all that every card can hold; nothing where none can. Heads, columns and rows are weighed against
/// one another under each card's capacity. Exact for equal cards, with two limits: a last piece of rows
/// smaller than the unit is counted whole, and a table of more than kMaxShareSteps steps counts as not
/// fitting. Where cards differ, one bound on rows serves all.
std::optional<StageShares> fitting_shares(const ShareQuestion& question,
                                          std::span<const std::uint32_t> layers);

inline constexpr std::uint64_t kMaxShareSteps = 50'000'000;

}  // namespace spanker
