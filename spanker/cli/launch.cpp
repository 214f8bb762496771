#include "spanker/cli/launch.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "spanker/cli/rank_events.hpp"

namespace spanker {
namespace {

constexpr std::chrono::milliseconds kTick{100};
/// What mpirun takes at most to connect to its hosts, before ranks watch each other.
constexpr Seconds kStart{60};
constexpr Seconds kGrace{5};

void take(std::string_view line, const CommandContext& context, Launch& launch) {
  auto event = event_from(line);
  if (!event) return;
  if (auto* started = std::get_if<StartedEvent>(&*event)) launch.hosts = std::move(started->hosts);
  if (const auto* token = std::get_if<TokenEvent>(&*event)) {
    launch.tokens.push_back(token->token);
    launch.seed = token->seed;
    if (context.text && !token->text.empty()) context.text(token->text);
  }
  if (const auto* text = std::get_if<TextEvent>(&*event); text != nullptr && context.text) {
    context.text(text->text);
  }
  if (auto* end = std::get_if<EndEvent>(&*event); end != nullptr && !launch.outcome) {
    launch.outcome = std::move(end->outcome);
    launch.lost = end->lost;
  }
}

/// Where no rank lived to tell.
Outcome untold_end(Launch& launch, const LaunchRequest& request, const MpirunComplaint& complaint, int code,
                   bool is_stopped) {
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
         fmt::format("all {} ranks within {} s", request.mpirun.ranks, (kStart + request.timeout).count()),
         complaint.first()});
  }
  return Outcome::failed(
      {ErrorKind::kPeerLost, "mpirun", fmt::format("ended with exit code {}", code), "", complaint.first()});
}

}  // namespace

Result<Launch> launch(const LaunchRequest& request, const CommandContext& context,
                      const InterruptWatch& watch) {
  std::vector<std::string> words = mpirun_words(request.mpirun);
  words.insert(words.end(), request.words.begin(), request.words.end());
  auto mpirun = ChildProcess::start(words, mpirun_environment(context.style.colour), request.input);
  if (!mpirun) {
    Error error = mpirun.error();
    error.wanted = "Open MPI (Debian's openmpi-bin)";
    return Failure(error);
  }
  Launch launch;
  MpirunComplaint complaint;
  const Seconds begin = context.progress.now();
  bool has_told = false;
  bool is_stopped = false;
  std::optional<Seconds> ended;
  while (mpirun->listen(
      kTick, [&](std::string_view line) { take(line, context, launch); },
      [&](std::string_view line) { complaint.add(line); })) {
    const Seconds now = context.progress.now();
    // Before they have started, ranks would die of it.
    const bool can_tell = watch.interrupted() && !launch.hosts.empty();
    if (can_tell && !std::exchange(has_told, true)) mpirun->signal(SIGUSR1);
    if (launch.outcome && !ended) ended = now;
    // A rank that hangs does not end by itself.
    const bool is_late = ended && now - *ended > kGrace;
    const bool has_begun = !launch.hosts.empty() || launch.outcome;
    const bool never_starts = !has_begun && now - begin > kStart + request.timeout;
    if ((is_late || never_starts) && !std::exchange(is_stopped, true)) mpirun->signal(SIGTERM);
  }
  const int code = mpirun->wait();
  if (!launch.outcome) launch.outcome = untold_end(launch, request, complaint, code, is_stopped);
  return launch;
}

std::string this_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace spanker
