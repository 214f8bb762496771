#pragma once

#include <cstdint>

#include "spanker/plan/price.hpp"
#include "spanker/steps/step_graph.hpp"

namespace spanker {

/// A pass of more sends than that is not expanded in full: collectives among more than kMostExpandedCards
/// cards become one step each, which takes the collective's closed-form time.
inline constexpr std::uint64_t kMostSends = std::uint64_t{1} << 21;
inline constexpr std::size_t kMostExpandedCards = 64;

/// The steps of one pass by a valid plan, in the order in which docs/cost-model.md prices them: upload to the
/// card that samples; stage by stage [embedding] broadcast, layers, [logits, gather]; the pass's overhead;
/// download. Operators without bytes and ops, and exchanges among one card, have no steps. `collectives`: the
/// algorithms that the plan has for that pass; null for the cheapest ones.
StepGraph lower_pass(const Problem& problem, const Plan& plan, const Pass& pass, CollectivesOf collectives,
                     std::uint64_t most_sends = kMostSends);

/// One decoded token of each of `streams` streams; a single one by the plan's algorithms, as it is priced.
StepGraph lower_decode(const Problem& problem, const Plan& plan, std::uint64_t streams = 1);
/// The workload's prompt.
StepGraph lower_prefill(const Problem& problem, const Plan& plan);

}  // namespace spanker
