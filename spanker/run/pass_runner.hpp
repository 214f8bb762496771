#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/card.hpp"
#include "spanker/run/card_pace.hpp"
#include "spanker/run/card_program.hpp"
#include "spanker/run/step_clock.hpp"
#include "spanker/steps/step_graph.hpp"

// Internal to this module.
namespace spanker {

/// Carries out one card's part of a step graph, again and again.
///
/// Exchanges go as the graph has them: the same cards, collective, algorithm and type of vectors, but for two
/// in which the graph is simpler than what is true. The first stage's input is looked up where the table's
/// rows are, so it does not come from the group's first card: each card that owns rows of the pass broadcasts
/// those, which together are as many bytes. And the gather of logits has chunks as large as each card's
/// share, where the graph pads all to the largest.
class PassRunner {
 public:
  struct Ways {
    CardPace* pace = nullptr;  ///< how slow the card is; null: as it is
    bool native_all_reduce = false;
  };

  /// `world` has the plan's cards in the order of shards_of. All must outlive the runner. Fails as
  /// Communicator::group does.
  static Result<PassRunner> make(const Problem& problem, const Plan& plan, const StepGraph& graph, Card& card,
                                 const Communicator& world, const Ways& ways);

  /// The pass that the card has begun; its residual() holds the rows already where the embedding is the
  /// host's and the card samples. Afterwards the sampling card has the logits. Fails as collectives do.
  Result<void> run(StepClock& clock);

 private:
  PassRunner(const Problem& problem, const Plan& plan, const StepGraph& graph, Card& card, Endpoint& endpoint,
             const Ways& ways);

  void run_kernels(const KernelRun& kernels, StepClock& clock);
  void wait_for_pace(const KernelRun& kernels, StepClock& clock);
  Result<void> run_exchange(const Exchange& exchange);
  Result<void> share_embedding(Communicator& group, Algorithm algorithm);

  const StepGraph* graph_;
  Card* card_;
  Endpoint* endpoint_;
  Ways ways_;
  CardProgram program_;
  std::map<std::uint32_t, Communicator> groups_;  ///< by the graph's index
  WireType wire_;
  bool is_alone_;                            ///< the only card of its stage
  bool looks_up_;                            ///< whether the cards hold the embedding table
  std::vector<Interval> embedding_rows_;     ///< of each rank of the first stage
  std::vector<std::uint64_t> logit_counts_;  ///< of each rank of the gather
};

}  // namespace spanker
