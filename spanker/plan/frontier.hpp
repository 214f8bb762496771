#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "spanker/plan/plan.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// One choice: a plan on some number of cards, what it does and what its cards cost.
struct FrontierPoint {
  Plan plan;                        ///< on the problem's cluster with `cluster_cards` cards
  std::uint32_t cluster_cards = 1;  ///< among which the plan was searched; it may leave some idle
  Prediction prediction;
  /// Of the cards that the plan uses, and of a star's switch where the profile prices it; nothing where one
  /// of the cards has no price. In the cluster's currency.
  std::optional<Money> price;
  std::optional<Watts> watts;  ///< likewise
};

/// How many of the clusters are searched, and of how many.
using FrontierProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// The numbers of cards that frontier_of searches, ascending: every one up to 64, above that the multiples of
/// 64, and the cluster's own. Of a torus those are numbers of rows.
std::vector<std::uint32_t> frontier_card_counts(const Cluster& cluster);

/// The points that no other dominates, by cards used and then by seconds per token.
///
/// A point dominates another where it is at least as good in all of these and better in one: cards used,
/// seconds per token of one stream in decode, tokens per second of all streams together, price and watts (the
/// last two where both points have them). Numbers that differ by one part in 10^12 are the same. Of points
/// that are the same in all, the one of the smallest cluster stays.
std::vector<FrontierPoint> non_dominated(std::vector<FrontierPoint> points);

/// The choices between few cards, low latency, high throughput, low price and low power: of every cluster of
/// frontier_card_counts the quickest plan and the one of the highest throughput, without those that are
/// dominated. Empty where the model fits on none of them. The workload's objective does not matter.
std::vector<FrontierPoint> frontier_of(const Problem& problem, StrategySet allowed = {},
                                       const FrontierProgress& progress = {});

}  // namespace spanker
