#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/simulate/arrivals.hpp"
#include "spanker/simulate/contention_engine.hpp"
#include "spanker/simulate/faults.hpp"
#include "spanker/simulate/link_meter.hpp"
#include "spanker/simulate/pass_shape.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// What happens to a plan.
struct Scenario {
  /// Requests, in the order in which they come. Each reads its prompt when it finds a place, then decodes
  /// with others. None: as many as the workload has streams, all there at the start, which decode together
  /// once all have read their prompts.
  std::vector<Request> requests;
  /// Groups of streams that decode in turn, 1 to as many as there are streams; 0: as the planner prices the
  /// plan.
  std::uint64_t micro_batches = 0;
  std::uint64_t tokens = 1;  ///< that each stream decodes where there are no `requests`; at least 1
  std::vector<Fault> faults;
  double jitter = 0;  ///< of each kernel's time, 0 to less than 1: see EngineSettings
  std::uint64_t seed = 1;
  bool keep_timeline = false;
};

/// With keep_timeline: more steps than that are refused.
inline constexpr std::uint64_t kMostTimelineEntries = 20'000'000;

enum class SimulationOutcome : std::uint8_t {
  kFinished,  ///< every token is there
  kStalled,   ///< the rest waits for a link that is not up
  kFailed,    ///< a card is lost, and with it what only that card could do
};
std::string_view to_string(SimulationOutcome outcome);  ///< "finished", "stalled", "failed"

/// A step that could not be done.
struct UnfinishedStep {
  std::string what;     ///< "send for ffn_all_reduce of layer 3 from card 0 to card 1"
  std::string because;  ///< "link 0->1 is down", "card 2 is lost"
};
inline constexpr std::size_t kMostUnfinishedSteps = 8;  ///< that are told

/// One kind of step in a decode pass: what the closed form says and what it took, on average over the passes.
struct KindComparison {
  std::string kind;
  std::uint64_t times = 0;  ///< in a pass
  Seconds predicted{0};
  Seconds simulated{0};
};

/// An instance of a graph in the timeline.
struct SimulatedPass {
  std::uint32_t graph = 0;  ///< index into Simulation::graphs
  std::string label;        ///< "prefill of request 3", "token 5 of batch 0"
};

struct Simulation {
  SimulationOutcome outcome = SimulationOutcome::kFinished;
  std::vector<UnfinishedStep> unfinished;  ///< the first kMostUnfinishedSteps that could not be done
  std::uint64_t steps_done = 0;
  std::uint64_t steps_total =
      0;  ///< of all passes that are needed; with `requests`, of those that were started
  std::uint64_t sends_repeated = 0;  ///< because a link went down under them
  std::uint64_t collapsed = 0;       ///< exchanges that took their closed-form time as one step
  Seconds makespan{0};               ///< when the last step ended

  /// Decoded tokens of all streams per second. Without `requests`: between the end of the first and of the
  /// last token of the slowest stream, so that filling a pipeline does not count; over the whole decode where
  /// each stream has one token. With `requests`: from the first decode pass on. 0 where no token was decoded.
  double tokens_per_second = 0;
  std::uint64_t tokens_decoded = 0;
  std::uint64_t tokens_wanted = 0;
  std::vector<Seconds> first_tokens;   ///< from arrival, of each request that read its prompt
  std::vector<Seconds> token_seconds;  ///< from one token of a stream to its next

  std::vector<double> card_busy;  ///< share of the makespan, by card
  std::vector<LinkUse> links;
  std::uint64_t compared_batch = 0;  ///< streams of the passes in `kinds`: the most frequent
  std::vector<KindComparison> kinds;

  std::vector<PassShape> shapes;  ///< of the graphs
  // With keep_timeline:
  std::vector<StepGraph> graphs;
  std::vector<SimulatedPass> passes;
  Timeline timeline;
};

/// How many tokens of each stream some two million steps pay for: at least 2 (enough to see the rate), at
/// most those that the workload generates.
std::uint64_t affordable_tokens(const Problem& problem, const Plan& plan, std::uint64_t micro_batches = 0);

/// Runs a valid plan step by step on a simulated network in which transfers share links, in a process of its
/// own. Decode passes are those of the workload's context. Fails with kBadInput where the scenario does not
/// fit the workload or is too large, and as run_contention does.
Result<Simulation> simulate(const Problem& problem, const Plan& plan, const Scenario& scenario,
                            const EngineProgressCallback& progress = {});

}  // namespace spanker
