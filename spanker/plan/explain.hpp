#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spanker/plan/memory.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/prefill_choice.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/reasons.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/sensitivity.hpp"

namespace spanker {

/// A plan with its price and its reasons.
struct Answer {
  Plan plan;
  Prediction prediction;
  std::vector<CardMemory> memory;
  std::string bottleneck;  ///< the largest term of the decode price
  std::vector<Sensitivity> sensitivity;
  std::vector<Alternative> alternatives;
  std::optional<PrefillChoice> prefill_choice;  ///< see prefill_choice_of
  std::vector<std::string> warnings;
};

/// Why there is no plan.
struct NoPlan {
  std::string reason;
  CardMemory
      tightest;  ///< the card that lacks most when the model is spread over all cards as evenly as it goes
  std::optional<std::uint32_t>
      smallest_cards;  ///< of the same kind of cluster that would hold it, up to kMostCardsTried
  std::vector<std::string> warnings;
};

inline constexpr std::uint32_t kMostCardsTried = 1024;

/// What is doubtful whatever the plan: the profile's warnings, a context that is longer than the model was
/// made for, cards that are cut off.
std::vector<std::string> warnings_of(const Problem& problem);

/// The price of a valid plan as it stands, without what only a search can tell: `sensitivity`, `alternatives`
/// and `prefill_choice` are empty.
Answer priced(const Problem& problem, const Plan& plan);

/// The planner's whole answer: searches, prices, explains.
std::variant<Answer, NoPlan> answer(const Problem& problem, StrategySet allowed = {});

}  // namespace spanker
