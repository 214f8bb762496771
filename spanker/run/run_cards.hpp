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
#include "spanker/run/run_card.hpp"
#include "spanker/steps/step_graph.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// The cards of a valid plan, in the order of shards_of, each with its part of the model. The cards load at
/// the same time. `threads` are dealt to the cards, each of which has at least one; 0: as many as the machine
/// runs at once. Fails as Card::load does, and with kInfeasible where there are more than kMostLocalCards
/// cards, or the model, its cache and its activations take more than `memory`.
Result<std::vector<std::unique_ptr<Card>>> load_cards(const ModelFile& file, const Problem& problem,
                                                      const Plan& plan, std::size_t threads, Bytes memory);

/// Whether cards of so many threads together may spin where they wait; else they keep others from working.
bool may_spin(std::size_t threads);
/// How long an exchange of vectors spins where it may.
inline constexpr Seconds kExchangeSpin{200e-6};
/// How often a thread that waits for the next kernel of its card looks before it sleeps: 0 where it may not.
std::uint32_t kernel_spins(std::size_t threads);

/// The memory that the machine can give to a program, as it says now.
Bytes available_memory();

/// What a run took, and when what happened.
struct RunTimes : CardTimes {
  RunGraphs graphs;
  Timeline prefill_timeline;
  Timeline decode_timeline;  ///< an instance for each of the first kMostTimedPasses passes
};
/// Of what each card noted; `sampling` are the times of the card that samples.
RunTimes run_times(RunGraphs graphs, const CardTimes& sampling, std::span<const CardClocks> clocks);

/// Runs the prompt, asks for a token, runs it, and so on, on cards that load_cards made for this problem and
/// plan. The cache is begun anew. The prompt is as long as the workload's; all ids, and those that `next`
/// answers, are below the vocabulary's size, and positions below the workload's context. Fails where a card
/// does. Where `is_paced`, cards and links are as slow as the problem's cluster says.
Result<RunTimes> run_cards(const ModelFile& file, const Problem& problem, const Plan& plan,
                           std::span<const std::unique_ptr<Card>> cards,
                           std::span<const std::uint32_t> prompt, const NextToken& next,
                           bool is_paced = false);

}  // namespace spanker
