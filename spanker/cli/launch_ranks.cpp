#include "spanker/cli/launch_ranks.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/mpirun.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cli/rank_events.hpp"
#include "spanker/cli/run_task.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/run_job.hpp"
#include "spanker/run/shard.hpp"
#include "spanker/simulate/replan.hpp"

namespace spanker {
namespace {

constexpr std::chrono::milliseconds kTick{100};
/// What mpirun takes at most to connect to its hosts, before ranks watch each other.
constexpr Seconds kStart{60};
constexpr Seconds kGrace{5};

/// How one launch of mpirun ended.
struct Launch {
  std::optional<Outcome> outcome;     ///< as a rank told it
  std::optional<std::uint32_t> lost;  ///< the rank that is why
  std::vector<std::string> hosts;     ///< of each rank, once all had started
  std::vector<std::uint32_t> tokens;
  std::uint64_t seed = 0;  ///< after the last of the tokens
};

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
    job.trace = flags_.trace;
    job.json = flags_.json;
    MpirunRequest request;
    request.hostfile = flags_.hostfile;
    const InterruptWatch watch;
    for (;;) {
      request.ranks = static_cast<std::uint32_t>(task.plan.cards_used());
      job.plan = plan_file_text(task.problem, task.plan);
      auto launch = start(request, job, watch);
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
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    std::vector<std::string> words = {program.string(), "run",
                                      flags_.model,     "--launched",
                                      "--timeout",      fmt::format("{}", flags_.timeout_seconds)};
    if (flags_.threads > 0) words.insert(words.end(), {"--threads", std::to_string(flags_.threads)});
    return words;
  }

  Result<Launch> start(const MpirunRequest& request, const RunJob& job, const InterruptWatch& watch) {
    std::vector<std::string> words = mpirun_words(request);
    for (std::string& word : rank_words()) words.push_back(std::move(word));
    auto mpirun = ChildProcess::start(words, mpirun_environment(), to_json(job) + "\n");
    if (!mpirun) {
      Error error = mpirun.error();
      error.wanted = "Open MPI (Debian's openmpi-bin)";
      return Failure(error);
    }
    Launch launch;
    MpirunComplaint complaint;
    const auto on_output = [&](std::string_view line) { take(line, launch); };
    const auto on_error = [&](std::string_view line) { complaint.add(line); };
    const Seconds begin = context_.progress.now();
    bool has_told = false;
    bool is_stopped = false;
    const auto waits_too_long = [&] {
      const bool has_begun = !launch.hosts.empty() || launch.outcome;
      return !has_begun && context_.progress.now() - begin > kStart + Seconds(flags_.timeout_seconds);
    };
    std::optional<Seconds> ended;
    while (mpirun->listen(kTick, on_output, on_error)) {
      if (watch.interrupted() && !std::exchange(has_told, true)) mpirun->signal(SIGUSR1);
      if (launch.outcome && !ended) ended = context_.progress.now();
      // A rank that hangs does not end by itself.
      const bool is_late = ended && context_.progress.now() - *ended > kGrace;
      if ((is_late || waits_too_long()) && !std::exchange(is_stopped, true)) mpirun->signal(SIGTERM);
    }
    const int code = mpirun->wait();
    if (!launch.outcome) launch.outcome = untold_end(launch, complaint, code, is_stopped);
    return launch;
  }

  void take(std::string_view line, Launch& launch) const {
    auto event = event_from(line);
    if (!event) return;
    if (auto* started = std::get_if<StartedEvent>(&*event)) launch.hosts = std::move(started->hosts);
    if (const auto* token = std::get_if<TokenEvent>(&*event)) {
      launch.tokens.push_back(token->token);
      launch.seed = token->seed;
    }
    if (const auto* text = std::get_if<TextEvent>(&*event); text != nullptr && context_.text) {
      context_.text(text->text);
    }
    if (auto* end = std::get_if<EndEvent>(&*event); end != nullptr && !launch.outcome) {
      launch.outcome = std::move(end->outcome);
      launch.lost = end->lost;
    }
  }

  /// Where no rank lived to tell.
  Outcome untold_end(Launch& launch, const MpirunComplaint& complaint, int code, bool is_stopped) const {
    if (const auto& killed = complaint.killed()) {
      launch.lost = killed->rank;
      const std::string at =
          launch.hosts.empty() ? "the start" : fmt::format("token {}", launch.tokens.size() + 1);
      return Outcome::failed({ErrorKind::kPeerLost,
                              fmt::format("card {} on {}, at {}", killed->rank, killed->host, at),
                              "its process has ended", "", killed->signal});
    }
    if (is_stopped) {
      return Outcome::failed(
          {ErrorKind::kPeerLost, "mpirun", "no rank has started",
           fmt::format("all {} ranks within {} s", *flags_.ranks, kStart.count() + flags_.timeout_seconds),
           complaint.first()});
    }
    return Outcome::failed({ErrorKind::kPeerLost, "mpirun", fmt::format("ended with exit code {}", code), "",
                            complaint.first()});
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
