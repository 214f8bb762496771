#include "spanker/cli/rank_session.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include "spanker/run/run_cards.hpp"

namespace spanker {
namespace {

/// The first rank to end with an error ends all others: those that do not speak leave time to the one that
/// does.
constexpr std::chrono::milliseconds kTimeToSpeak{1500};

Outcome silent(ExitCode code) { return {code, {}, {}, {}}; }

/// How a rank ends where others have not come.
[[noreturn]] void end_alone(const RankVoice& voice, const RankPlace& place, const Error& error,
                            std::optional<std::uint32_t> missing) {
  const std::uint32_t speaker = missing == std::optional<std::uint32_t>(0) ? 1 : 0;
  if (place.rank == speaker) {
    const Outcome outcome = voice.end(Outcome::failed(error), missing);
    if (!outcome.error.empty()) std::fprintf(stderr, "spanker: error: %s\n", outcome.error.c_str());
  } else {
    std::this_thread::sleep_for(kTimeToSpeak);
  }
  ::_exit(static_cast<int>(ExitCode::kIo));
}

}  // namespace

void RankVoice::say(const TokenEvent& token) const {
  if (is_launched_) return tell(token);
  if (text_ && !token.text.empty()) text_(token.text);
}

void RankVoice::say(const std::string& text) const {
  if (is_launched_) return tell(TextEvent{text});
  if (text_) text_(text);
}

Outcome RankVoice::end(Outcome outcome, std::optional<std::uint32_t> lost) const {
  if (!is_launched_) return outcome;
  const ExitCode code = outcome.code;
  tell(EndEvent{std::move(outcome), lost});
  return silent(code);
}

Outcome as_rank(const RankSession& session, const CommandContext& context, const RankWork& work) {
  const RankPlace& place = session.place;
  const RankVoice voice(session.launched, context);
  JoinOptions join;
  join.timeout = session.timeout;
  join.give_up = [&](const Error& error, std::optional<std::uint32_t> missing) {
    end_alone(voice, place, error, missing);
  };
  const auto process = join_ranks(join);
  if (!process) {
    return place.rank == 0 ? voice.end(Outcome::failed(process.error())) : silent(ExitCode::kIo);
  }
  std::optional<Endpoint> endpoint(
      std::in_place, (*process)->make_transport(may_spin(place.on_host) ? kExchangeSpin : Seconds(0)),
      join.timeout);
  const auto outcome = work(**process, *endpoint, voice);
  if (const auto failure = (*process)->failure()) {
    const std::uint32_t speaker = failure->lost == std::optional<std::uint32_t>(0) ? 1 : 0;
    if (place.rank == speaker) return voice.end(Outcome::failed(failure->error), failure->lost);
    std::this_thread::sleep_for(kTimeToSpeak);
    return silent(exit_code_of(failure->error.kind));
  }
  endpoint.reset();
  (*process)->leave();
  const Outcome all = outcome ? *outcome : Outcome::failed(outcome.error());
  // mpirun ends all ranks when one ends with another code than 0: that is for the one that speaks.
  return place.rank == 0 ? voice.end(all) : silent(ExitCode::kFine);
}

}  // namespace spanker
