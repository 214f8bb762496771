#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "spanker/plan/problem.hpp"

namespace spanker {

/// What prefill would rather have than the placement of a plan that was chosen for something else.
struct PrefillChoice {
  /// The quickest for the workload's prompt: the plan itself, or the best one of another strategy.
  PlanStrategy strategy = PlanStrategy::kSingleCard;
  std::uint32_t cards_used = 0;
  Seconds seconds{0};  ///< to the first token by it
  Seconds here{0};     ///< to the first token by the plan

  /// The shortest prompt from which the best plan of another strategy reads a prompt faster than this one.
  struct Crossing {
    std::uint64_t prompt = 0;
    PlanStrategy strategy = PlanStrategy::kSingleCard;
    std::uint32_t cards_used = 0;
  };
  std::vector<Crossing> crossings;  ///< the strategies that have one up to the model's longest context

  /// Whether one placement for prefill and decode costs anything here.
  bool differs() const { return seconds < here * (1 - 1e-9); }
};

/// Nothing where the objective is the first token, and on more than kMaxEveryWidth cards.
std::optional<PrefillChoice> prefill_choice_of(const Problem& problem, const Plan& plan);

}  // namespace spanker
