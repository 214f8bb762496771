#include "spanker/cli/rank_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/rank_events.hpp"
#include "spanker/cli/rank_session.hpp"
#include "spanker/cli/run_output.hpp"
#include "spanker/cli/run_task.hpp"
#include "spanker/comm/byte_messages.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/run/agree.hpp"
#include "spanker/run/model_identity.hpp"
#include "spanker/run/rank_cards.hpp"
#include "spanker/run/run_job.hpp"
#include "spanker/run/same_model.hpp"

namespace spanker {
namespace {

/// What a rank has before it knows of the others.
struct Preparation {
  std::optional<ModelFile> file;
  std::string plan;  ///< what --plan names; the launched have none
  std::string job;   ///< on rank 0
};

Result<std::string> launched_job() {
  std::string line;
  if (!std::getline(std::cin, line)) return bad_input("--launched", "is not for people", "a job", "nothing");
  return line;
}

/// The first rank's, of its flags.
Result<std::string> job_from(const RunFlags& flags, const RunSetup& setup, std::uint32_t ranks) {
  const std::size_t cards = setup.task.plan.cards_used();
  if (cards > ranks) {
    return bad_input(flags.plan.value_or("--cards"), "more cards than ranks",
                     fmt::format("at most {}, one for each rank", ranks), std::to_string(cards));
  }
  RunJob job;
  job.plan = plan_file_text(setup.task.problem, setup.task.plan);
  job.is_predicted = setup.task.is_predicted;
  job.prompt = setup.prompt;
  job.options = flags.options;
  job.model = flags.model;
  job.trace = flags.trace;
  job.record = flags.record;
  job.json = flags.json;
  return to_json(job);
}

tl::expected<Preparation, Outcome> prepare(const RunFlags& flags, const RankPlace& place) {
  using NoRun = tl::unexpected<Outcome>;
  Preparation own;
  if (place.rank == 0 && !flags.launched) {
    auto setup = run_setup(flags, place.size);
    if (!setup) return NoRun(setup.error());
    auto job = job_from(flags, *setup, place.size);
    if (!job) return NoRun(Outcome::failed(job.error()));
    own.job = std::move(*job);
    own.file = std::move(setup->file);
  } else {
    auto file = open_model(flags.model);
    if (!file) return NoRun(Outcome::failed(file.error()));
    own.file = std::move(*file);
  }
  if (place.rank == 0 && flags.launched) {
    auto job = launched_job();
    if (!job) return NoRun(Outcome::failed(job.error()));
    own.job = std::move(*job);
  }
  if (flags.plan) {
    const auto planned = read_plan_file(*flags.plan);
    if (!planned) return NoRun(Outcome::failed(planned.error()));
    own.plan = plan_file_text(planned->problem, planned->plan);
  }
  return own;
}

/// What all ranks have to have in common, and how much memory each has, as lines.
std::string card_of(const Preparation& own) {
  return fmt::format("{}\n{}\n{}", model_identity(own.file->files), available_memory().value, own.plan);
}

struct RankCardOfAll {
  std::string identity;
  Bytes memory;
  std::string plan;
};

RankCardOfAll parsed(std::string_view text) {
  RankCardOfAll card;
  const std::size_t first = text.find('\n');
  const std::size_t second = text.find('\n', first + 1);
  if (second == std::string_view::npos) return card;
  card.identity = text.substr(0, first);
  card.memory =
      Bytes(std::strtoull(std::string(text.substr(first + 1, second - first - 1)).c_str(), nullptr, 10));
  card.plan = text.substr(second + 1);
  return card;
}

Result<void> check_alike(const std::vector<RankCardOfAll>& all, const Transport& transport) {
  for (std::uint32_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank].identity != all[0].identity) {
      return bad_input(transport.name(rank), "has another model file", "that of card 0, " + all[0].identity,
                       all[rank].identity);
    }
    if (all[rank].plan != all[0].plan) {
      return bad_input(transport.name(rank), "has another plan", "that of card 0");
    }
  }
  return {};
}

/// Ranks of one host share its memory.
Result<void> check_memory(const RunTask& task, const std::vector<RankCardOfAll>& all,
                          const RankProcess& process) {
  struct Host {
    Bytes needed;
    Bytes available{std::numeric_limits<std::uint64_t>::max()};
  };
  std::map<std::string, Host> hosts;
  const auto cards = plan_memory(task.problem, task.plan);
  for (std::uint32_t rank = 0; rank < cards.size(); ++rank) {
    Host& host = hosts[process.host(rank)];
    host.needed += cards[rank].total();
    host.available = std::min(host.available, all[rank].memory);
    if (cards[rank].total() > all[rank].memory || host.needed > host.available) {
      return Failure(Error{ErrorKind::kInfeasible, fmt::format("card {} on {}", rank, process.host(rank)),
                           "too little memory for weights, cache and activations",
                           fmt::format("{} bytes", host.needed.value),
                           fmt::format("{} bytes", host.available.value)});
    }
  }
  return {};
}

/// The task of a job, with this rank's copy of the model.
Result<RunTask> task_of(const RunJob& job, const ModelFile& file) {
  auto planned = parse_plan_file(job.plan, "plan");
  if (!planned) return tl::unexpected(planned.error());
  if (auto same = check_same_model(planned->problem.model, file.model, "plan"); !same) {
    return tl::unexpected(same.error());
  }
  auto problem = Problem::make(file.model, planned->problem.cluster, planned->problem.workload);
  if (!problem) return tl::unexpected(problem.error());
  // What is made up is not warned of.
  if (!job.is_predicted) problem->cluster.warnings.clear();
  return RunTask{std::move(*problem), std::move(planned->plan), job.is_predicted};
}

class RankRun {
 public:
  RankRun(const RunFlags& flags, const RankPlace& place, const CommandContext& context,
          const RankVoice& voice, RankProcess& process, Endpoint& endpoint, const InterruptWatch& watch)
      : flags_(flags),
        place_(place),
        context_(context),
        voice_(voice),
        process_(process),
        endpoint_(endpoint),
        watch_(watch) {}

  /// The whole of it, from what this rank has prepared, or why it could not.
  Result<Outcome> run(const tl::expected<Preparation, Outcome>& own) {
    endpoint_.set_step("start");
    Result<std::string> card = own ? Result<std::string>(card_of(*own)) : Failure(as_error(own.error()));
    const auto texts = agree(endpoint_, card);
    if (!texts) return Failure(texts.error());
    std::vector<RankCardOfAll> all;
    for (const std::string& text : *texts) all.push_back(parsed(text));
    if (auto alike = check_alike(all, endpoint_.transport()); !alike) return Failure(alike.error());
    const auto job_text = broadcast_bytes(endpoint_, own->job);
    if (!job_text) return Failure(job_text.error());
    const auto job = run_job_from(*job_text, "job");
    if (!job) return Failure(job.error());
    const auto task = task_of(*job, *own->file);
    if (!task) return Failure(task.error());
    if (auto fits = check_memory(*task, all, process_); !fits) return Failure(fits.error());
    if (place_.rank == 0) {
      StartedEvent started;
      for (std::uint32_t rank = 0; rank < process_.size(); ++rank)
        started.hosts.push_back(process_.host(rank));
      voice_.tell(started);
    }
    return run(*own->file, *job, *task);
  }

 private:
  /// An outcome that an error made, as far as others need it.
  static Error as_error(const Outcome& outcome) {
    const ErrorKind kind = outcome.code == ExitCode::kNo   ? ErrorKind::kInfeasible
                           : outcome.code == ExitCode::kIo ? ErrorKind::kIo
                                                           : ErrorKind::kBadInput;
    return {kind, {}, outcome.error, {}, {}};
  }

  std::size_t threads() const {
    const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t here = flags_.threads > 0 ? flags_.threads / place_.size : processors / place_.on_host;
    return std::max<std::size_t>(1, here);
  }

  Result<Outcome> run(const ModelFile& file, const RunJob& job, const RunTask& task) {
    const auto tokenizer = tokenizer_of(file, false);
    if (!tokenizer) return Failure(tokenizer.error());
    const Seconds start = context_.progress.now();
    const std::uint32_t spins = kernel_spins(threads() * place_.on_host);
    auto card = load_rank_card(file, task.problem, task.plan, endpoint_, threads(), spins);
    if (!card) return Failure(card.error());
    FinishedRun run;
    run.load = context_.progress.now() - start;

    std::vector<std::uint32_t> context = job.prompt;
    context.insert(context.end(), job.generated.begin(), job.generated.end());
    std::string piece;  // of the text, that is not said yet
    Speaker speaker(
        *tokenizer, job.prompt, job.generated,
        job.json ? TextOutput() : [&](std::string_view text) { piece += text; });
    const TokenCallback on_token = [&](std::uint32_t token, std::uint64_t seed) {
      speaker.say(token);
      voice_.say({token, seed, std::exchange(piece, {})});
      return !watch_.interrupted();
    };
    auto chooser = TokenChooser::make(job.options, task.problem.workload.generate,
                                      *tokenizer ? &**tokenizer : nullptr, on_token);
    if (!chooser) return Failure(chooser.error());
    const auto next = [&](std::span<const float> logits) { return chooser->next(logits); };
    auto times =
        run_rank_card(file, task.problem, task.plan, card->get(), endpoint_, context, next, job.options);
    if (!times) return Failure(times.error());
    // The first rank alone knows whether a token could not be chosen.
    Result<std::string> chosen;
    if (chooser->error()) chosen = Failure(*chooser->error());
    if (auto all = agree(endpoint_, chosen); !all) return Failure(all.error());
    if (!*times) return Outcome::fine({});

    speaker.finish();
    if (place_.rank == 0 && !piece.empty()) voice_.say(piece);
    run.threads = threads() * task.plan.cards_used();
    run.prompt_tokens = job.prompt.size();
    run.tokens = job.generated;
    run.tokens.insert(run.tokens.end(), chooser->tokens().begin(), chooser->tokens().end());
    run.text = speaker.text();
    run.ending = chooser->ending();
    run.times = std::move(**times);
    Outcome outcome = run_outcome(
        task, run, {job.json, job.options.is_paced, job.model, job.trace, job.record}, voice_.style());
    const std::size_t idle = process_.size() - task.plan.cards_used();
    if (idle > 0) {
      outcome.warnings.push_back(
          fmt::format("{} of {} ranks have no part in the plan", idle, process_.size()));
    }
    return outcome;
  }

  const RunFlags& flags_;
  const RankPlace& place_;
  const CommandContext& context_;
  const RankVoice& voice_;
  RankProcess& process_;
  Endpoint& endpoint_;
  const InterruptWatch& watch_;
};

}  // namespace

Outcome run_as_rank(const RunFlags& flags, const RankPlace& place, const CommandContext& context) {
  const InterruptWatch watch;  // before others may think that this rank has started
  const auto own = prepare(flags, place);
  const RankSession session{place, flags.launched, Seconds(flags.timeout_seconds)};
  return as_rank(session, context, [&](RankProcess& process, Endpoint& endpoint, const RankVoice& voice) {
    auto outcome = RankRun(flags, place, context, voice, process, endpoint, watch).run(own);
    // What the first rank has to say of itself is more than the others need.
    if (!outcome && !own && place.rank == 0 && !process.failure()) return Result<Outcome>(own.error());
    return outcome;
  });
}

}  // namespace spanker
