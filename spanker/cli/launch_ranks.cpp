#include "spanker/cli/launch_ranks.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/launch.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cli/run_task.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/run_job.hpp"
#include "spanker/run/shard.hpp"
#include "spanker/simulate/replan.hpp"

namespace spanker {
namespace {

class Launcher {
 public:
  Launcher(const RunFlags& flags, const CommandContext& context) : flags_(flags), context_(context) {}

  Outcome run() {
    auto setup = run_setup(flags_, flags_.ranks);
    if (!setup) return setup.error();
    if (setup->task.plan.cards_used() > *flags_.ranks) {
      return Outcome::failed({ErrorKind::kBadInput, "--ranks", "fewer than the plan has cards",
                              std::to_string(setup->task.plan.cards_used()), std::to_string(*flags_.ranks)});
    }
    if (const auto idle = *flags_.ranks - setup->task.plan.cards_used(); idle > 0) {
      warnings_.push_back(fmt::format("{} of {} ranks would have no part in the plan: they are not started",
                                      idle, *flags_.ranks));
    }
    return run(std::move(setup->task), setup->prompt);
  }

 private:
  Outcome run(RunTask task, const std::vector<std::uint32_t>& prompt) {
    RunJob job;
    job.is_predicted = task.is_predicted;
    job.prompt = prompt;
    job.options = flags_.options;
    job.model = flags_.model;
    job.trace = flags_.trace;
    job.record = flags_.record;
    job.json = flags_.json;
    MpirunRequest request;
    request.hostfile = flags_.hostfile;
    const InterruptWatch watch;
    for (;;) {
      request.ranks = static_cast<std::uint32_t>(task.plan.cards_used());
      job.plan = plan_file_text(task.problem, task.plan);
      auto launch = spanker::launch(
          {request, rank_words(), to_json(job) + "\n", Seconds(flags_.timeout_seconds)}, context_, watch);
      if (!launch) return Outcome::failed(launch.error());
      Outcome outcome = std::move(*launch->outcome);
      job.generated.insert(job.generated.end(), launch->tokens.begin(), launch->tokens.end());
      if (!launch->tokens.empty()) job.options.sampling.seed = launch->seed;
      const bool goes_on = flags_.restart && launch->lost && !watch.interrupted();
      if (!goes_on) return with_warnings(std::move(outcome));
      auto left = without(task, *launch->lost, launch->tokens.size());
      if (!left) {
        outcome.error += "; nothing is left to restart with";
        return with_warnings(std::move(outcome));
      }
      task = std::move(*left);
      warnings_.push_back(fmt::format("{}: went on over {} after {} tokens", outcome.error,
                                      task.plan.cards_used() == 1
                                          ? std::string("1 card")
                                          : fmt::format("{} cards", task.plan.cards_used()),
                                      job.generated.size()));
      if (flags_.hostfile && !launch->hosts.empty()) {
        request.hosts = launch->hosts;
        request.hosts.erase(request.hosts.begin() + *launch->lost);
        request.hosts.resize(task.plan.cards_used());
      }
    }
  }

  Outcome with_warnings(Outcome outcome) const {
    outcome.warnings.insert(outcome.warnings.end(), warnings_.begin(), warnings_.end());
    return outcome;
  }

  /// What is left to do, by a plan for the cards that are left; nothing where there is none.
  std::optional<RunTask> without(const RunTask& task, std::uint32_t rank, std::size_t generated) const {
    Fault fault;
    fault.what = CardLostFault{shards_of(task.problem, task.plan)[rank].card};
    auto cluster = cluster_after(task.problem.cluster, {fault});
    if (!cluster) return std::nullopt;
    Workload workload = task.problem.workload;
    if (generated >= workload.generate) return std::nullopt;
    workload.prompt += generated;
    workload.generate -= generated;
    auto problem = Problem::make(task.problem.model, std::move(*cluster), workload);
    if (!problem) return std::nullopt;
    const auto strategies = strategies_from_flag(flags_.strategy);
    auto plan = search(*problem, strategies.value_or(StrategySet{}));
    if (!plan) plan = search(*problem, StrategySet{});
    if (!plan) return std::nullopt;
    return RunTask{std::move(*problem), std::move(*plan), task.is_predicted};
  }

  std::vector<std::string> rank_words() const {
    std::vector<std::string> words = {this_program(), "run",       flags_.model,
                                      "--launched",   "--timeout", fmt::format("{}", flags_.timeout_seconds)};
    if (flags_.threads > 0) words.insert(words.end(), {"--threads", std::to_string(flags_.threads)});
    return words;
  }

  const RunFlags& flags_;
  const CommandContext& context_;
  std::vector<std::string> warnings_;
};

}  // namespace

Outcome launch_ranks(const RunFlags& flags, const CommandContext& context) {
  return Launcher(flags, context).run();
}

}  // namespace spanker
