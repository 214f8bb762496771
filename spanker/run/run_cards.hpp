#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/card.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/steps/step_graph.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// The cards of a valid plan, in the order of shards_of, each with its part of the model. The cards load at
/// the same time. `threads` are dealt to the cards, each of which has at least one; 0: as many as the machine
/// runs at once. Fails as Card::load does, and with kInfeasible where there are more than kMostLocalCards
/// cards, or the model, its cache and its activations take more than `memory`.
Result<std::vector<std::unique_ptr<Card>>> load_cards(const ModelFile& file, const Problem& problem,
                                                      const Plan& plan, std::size_t threads, Bytes memory);

/// The memory that the machine can give to a program, as it says now.
Bytes available_memory();

/// Which token comes next, of the logits of the last one; nothing to end. Called on the thread of the card
/// that samples.
using NextToken = std::function<std::optional<std::uint32_t>(std::span<const float> logits)>;

/// What a run took, and when what happened.
struct RunTimes {
  Seconds prefill{0};              ///< from the prompt to its logits
  Seconds time_to_first_token{0};  ///< and to the first token
  Seconds decode{0};               ///< from the first token to the last
  std::uint64_t decoded = 0;       ///< passes in that time
  StepGraph prefill_graph;
  StepGraph decode_graph;
  Timeline prefill_timeline;
  Timeline decode_timeline;  ///< an instance for each of the first kMostTimedPasses passes
};
inline constexpr std::uint32_t kMostTimedPasses = 32;

/// Runs the prompt, asks for a token, runs it, and so on, on cards that load_cards made for this problem and
/// plan. The cache is begun anew. The prompt is as long as the workload's; all ids, and those that `next`
/// answers, are below the vocabulary's size, and positions below the workload's context. Fails where a card
/// does.
Result<RunTimes> run_cards(const ModelFile& file, const Problem& problem, const Plan& plan,
                           std::span<const std::unique_ptr<Card>> cards,
                           std::span<const std::uint32_t> prompt, const NextToken& next);

}  // namespace spanker
