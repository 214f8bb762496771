#pragma once

#include <vector>

#include "spanker/plan/plan.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// What a token of a plan took, again and again.
struct DecodeSample {
  Problem problem;  ///< its links as they were measured; its context the mean one of the tokens
  Plan plan;
  std::vector<Seconds> seconds;  ///< of a token, each time; at least one

  Seconds mean() const;
};

/// A card's numbers, ranges from runs that differ.
struct CardFit {
  Ranged<BytesPerSecond> memory_bandwidth;
  Ranged<Seconds> step_overhead;
  Ranged<Seconds> token_overhead;
  double worst_residual = 0;  ///< of the samples, relative
};

/// The card with which the planner would predict what was measured: least squares of relative errors over the
/// samples, of which there are at least three of different shapes, all with as many runs. `read` is where to
/// start from.
CardFit fit_card(const std::vector<DecodeSample>& samples, BytesPerSecond read);

/// The arithmetic with which the planner would predict `seconds` for the prompt, on cards that are else as
/// the problem says; nothing where reading weights alone takes longer.
std::optional<OpsPerSecond> fit_compute(const Problem& problem, const Plan& plan, Seconds seconds);

/// The problem with these numbers for all cards.
Problem with_card(const Problem& problem, BytesPerSecond memory_bandwidth, Seconds step_overhead,
                  Seconds token_overhead);

}  // namespace spanker
