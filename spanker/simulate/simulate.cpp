#include "spanker/simulate/simulate.hpp"

#include <algorithm>
#include <set>

#include "spanker/plan/aim.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/simulate/engine_changes.hpp"
#include "spanker/simulate/simulation_bytes.hpp"
#include "spanker/simulate/simulation_driver.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

using Pairs = std::vector<std::pair<CardId, CardId>>;

/// The sizes of the micro-batches.
std::vector<std::uint64_t> micro_batches_of(const Problem& problem, const Plan& plan, std::uint64_t count) {
  if (count == 0) count = predict(problem, plan).throughput.micro_batches;
  const MicroBatches split = MicroBatches::of(problem.workload.streams, count);
  std::vector<std::uint64_t> sizes(split.larger_count, split.larger);
  sizes.insert(sizes.end(), split.smaller_count, split.smaller);
  return sizes;
}

/// A stage's cards and the one that samples: among so many at most, every two may exchange something.
constexpr std::size_t kMostPairedCards = kMostExpandedCards + 1;

bool has_wide_stage(const Plan& plan) {
  return std::ranges::any_of(plan.stages,
                             [](const Stage& stage) { return stage.cards.size() >= kMostPairedCards; });
}

/// All that passes may send, whatever algorithms they take: every pair of a narrow exchange's cards, and what
/// the graphs send that are there already.
Pairs pairs_of(PassGraphs& graphs) {
  std::set<std::pair<CardId, CardId>> pairs;
  for (std::uint32_t i = 0; i < graphs.size(); ++i) {
    const StepGraph& graph = graphs.at(i).prepared.graph();
    for (std::uint32_t group = 0; group < graph.group_count(); ++group) {
      const auto cards = graph.group(group);
      if (cards.size() > kMostPairedCards) continue;
      for (const CardId from : cards) {
        for (const CardId to : cards) {
          if (from != to) pairs.emplace(from, to);
        }
      }
    }
    for (const Step& step : graph.steps()) {
      if (step.kind == StepKind::kSend) pairs.emplace(step.card, step.to);
    }
  }
  return Pairs(pairs.begin(), pairs.end());
}

Result<void> check(const Problem& problem, const Scenario& scenario) {
  if (scenario.requests.empty() && scenario.tokens < 1) {
    return bad_input("simulate: tokens", "none to decode", "1 or more", "0");
  }
  if (scenario.micro_batches > problem.workload.streams) {
    return bad_input("simulate: micro-batches", "more than there are streams",
                     "0 to " + std::to_string(problem.workload.streams),
                     std::to_string(scenario.micro_batches));
  }
  for (const Request& request : scenario.requests) {
    if (request.prompt + request.generate > problem.workload.context) {
      return bad_input("simulate: requests", "prompt and generated tokens are more than the context holds",
                       "at most " + std::to_string(problem.workload.context),
                       std::to_string(request.prompt + request.generate));
    }
  }
  return {};
}

std::vector<Request> requests_of(const Problem& problem, const Scenario& scenario) {
  if (!scenario.requests.empty()) return scenario.requests;
  return std::vector<Request>(problem.workload.streams,
                              {Seconds(0), problem.workload.prompt, scenario.tokens});
}

}  // namespace

std::string_view to_string(SimulationOutcome outcome) {
  switch (outcome) {
    case SimulationOutcome::kFinished:
      return "finished";
    case SimulationOutcome::kStalled:
      return "stalled";
    case SimulationOutcome::kFailed:
      return "failed";
  }
  return "unknown";
}

std::uint64_t affordable_tokens(const Problem& problem, const Plan& plan, std::uint64_t micro_batches) {
  constexpr std::uint64_t kSteps = 2'000'000;
  PassGraphs graphs(problem, plan);
  std::uint64_t steps = 0;
  for (const std::uint64_t size : micro_batches_of(problem, plan, micro_batches)) {
    steps += graphs.at(graphs.index_of({PassShape::Kind::kDecode, size})).prepared.graph().size();
  }
  return std::min(std::max<std::uint64_t>(kSteps / steps, 2), problem.workload.generate);
}

Result<Simulation> simulate(const Problem& problem, const Plan& plan, const Scenario& scenario,
                            const EngineProgressCallback& progress) {
  if (auto sound = check(problem, scenario); !sound) return tl::unexpected(sound.error());
  const bool closed = scenario.requests.empty();
  const std::vector<Request> requests = requests_of(problem, scenario);
  const std::vector<std::uint64_t> sizes = micro_batches_of(problem, plan, scenario.micro_batches);

  PassGraphs graphs(problem, plan);
  for (const Request& request : requests) graphs.index_of({PassShape::Kind::kPrefill, request.prompt});
  for (std::uint64_t size = 1; size <= std::ranges::max(sizes); ++size) {
    const bool is_a_batch = std::ranges::find(sizes, size) != sizes.end();
    if (is_a_batch || (!closed && (size == 1 || has_wide_stage(plan)))) {
      graphs.index_of({PassShape::Kind::kDecode, size});
    }
  }
  EngineSettings settings;
  settings.pairs = pairs_of(graphs);
  settings.changes = engine_changes(problem.cluster, scenario.faults);
  settings.jitter = scenario.jitter;
  settings.seed = scenario.seed;

  SimulationDriver driver(problem, scenario, graphs, sizes, requests, closed);
  const auto bytes = run_contention(problem.cluster, settings, driver, progress);
  if (!bytes) return tl::unexpected(bytes.error());
  auto simulation = simulation_from(*bytes);
  if (!simulation || !scenario.keep_timeline) return simulation;
  // The same numbers as there: those above are the first there too.
  for (const PassShape& shape : simulation->shapes) {
    simulation->graphs.push_back(graphs.at(graphs.index_of(shape)).prepared.graph());
  }
  return simulation;
}

}  // namespace spanker
