#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spanker/simulate/batching.hpp"
#include "spanker/simulate/simulate.hpp"
#include "spanker/simulate/step_runner.hpp"

// Internal to this module.
namespace spanker {

/// The graphs of a simulation, each made when it is first asked for.
class PassGraphs {
 public:
  /// Both must outlive it.
  PassGraphs(const Problem& problem, const Plan& plan) : problem_(problem), plan_(plan) {}

  struct Graph {
    PreparedGraph prepared;
    KindTimes times;
    std::uint64_t passes = 0;  ///< that ended
  };
  /// Numbered in the order in which they were made.
  std::uint32_t index_of(PassShape shape);
  Graph& at(std::uint32_t index) { return *graphs_[index]; }
  std::size_t size() const { return graphs_.size(); }
  const std::vector<PassShape>& shapes() const { return shapes_; }

 private:
  const Problem& problem_;
  const Plan& plan_;
  std::map<PassShape, std::uint32_t> indices_;
  std::vector<PassShape> shapes_;
  std::vector<std::unique_ptr<Graph>> graphs_;
};

/// Starts passes as requests come and passes end, and keeps account. Its finish() returns a Simulation as
/// simulation_bytes.hpp has it, without the graphs.
class SimulationDriver final : public EngineDriver {
 public:
  /// `requests` in the order of their times; `decode_together`: see Batching. All must outlive it.
  SimulationDriver(const Problem& problem, const Scenario& scenario, PassGraphs& graphs,
                   std::vector<std::uint64_t> micro_batches, std::span<const Request> requests,
                   bool decode_together);

  void start(ContentionEngine& engine) override;
  void done(ContentionEngine& engine, Tag tag) override;
  void lost(ContentionEngine& engine, Tag tag, const Obstacle& obstacle) override;
  void timer(ContentionEngine& engine, Tag tag) override;
  std::string finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) override;

 private:
  struct Running {
    PassJob job;
    std::uint32_t graph = 0;
    std::uint64_t number = 0;  ///< of the group's decode passes
  };

  void arrive(ContentionEngine& engine);
  void start_passes(std::span<const PassJob> jobs);
  void pass_ended(ContentionEngine& engine, std::uint32_t instance);
  void note_tokens(Seconds now, const PassJob& job);
  void keep_entries(std::uint32_t instance, const Running& pass);
  void judge(ContentionEngine& engine, std::span<const WaitingActivity> waiting);
  std::uint64_t steps_needed();
  double tokens_per_second() const;
  std::string describe(StepInstance at) const;

  const ClusterRates rates_;
  const Scenario& scenario_;
  PassGraphs& graphs_;
  std::span<const Request> requests_;
  bool decode_together_;
  std::vector<std::uint64_t> micro_batches_;
  Batching batching_;
  std::optional<StepRunner> runner_;
  std::map<std::uint32_t, Running> running_;
  std::vector<std::uint64_t> passes_of_group_;
  std::vector<Seconds> first_decoded_;  ///< by request
  Simulation result_;
};

}  // namespace spanker
