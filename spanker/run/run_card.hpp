#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "spanker/base/result.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/card.hpp"
#include "spanker/run/card_pace.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/run/step_clock.hpp"
#include "spanker/steps/step_graph.hpp"

namespace spanker {

/// Which token comes next, of the logits of the last one; nothing to end. Called on the thread of the card
/// that samples.
using NextToken = std::function<std::optional<std::uint32_t>(std::span<const float> logits)>;

/// The passes of a run.
struct RunGraphs {
  StepGraph prefill;
  StepGraph decode;
};

/// When a card was at what.
struct CardClocks {
  StepClock prefill;
  StepClock decode;
};
inline constexpr std::uint32_t kMostTimedPasses = 32;
CardClocks card_clocks(CardId card, StepClock::Time start);

/// What a run took, as the card that samples sees it.
struct CardTimes {
  Seconds prefill{0};              ///< from the prompt to its logits
  Seconds time_to_first_token{0};  ///< and to the first token
  Seconds decode{0};               ///< from the first token to the last
  std::uint64_t decoded = 0;       ///< passes in that time
  Seconds lateness{0};             ///< by how much this card was behind its pace at most
};

/// What one card needs to take part in a run.
struct CardJob {
  const ModelFile& file;
  const Problem& problem;
  const Plan& plan;
  const RunGraphs& graphs;
  Card& card;
  Communicator& world;  ///< the plan's cards in the order of shards_of; alone in its network, or with cards
                        ///< that follow_run
  std::span<const std::uint32_t> prompt;
  const NextToken& next;
  CardPace* pace = nullptr;        ///< null: as fast as it can
  bool native_all_reduce = false;  ///< Communicator's, where the plan has all_reduces
};

/// One card's part of run_cards.
Result<CardTimes> run_card(const CardJob& job, CardClocks& clocks);

/// What a card of the network does meanwhile that has no part in the plan.
Result<void> follow_run(Endpoint& endpoint, bool is_paced);

}  // namespace spanker
