#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/rank_events.hpp"
#include "spanker/comm/endpoint.hpp"
#include "spanker/comm/rank_process.hpp"

// Internal to this module.
namespace spanker {

struct RankSession {
  RankPlace place;
  bool launched = false;  ///< by this program, which takes events instead of text
  Seconds timeout{10};
};

/// How a rank speaks: to whoever launched it, or as any command.
class RankVoice {
 public:
  RankVoice(bool launched, const CommandContext& context)
      : is_launched_(launched), text_(context.text), style_(launched ? context.style : Style{}) {}

  void tell(const RankEvent& event) const {
    if (is_launched_ && text_) text_(line_of(event));
  }
  /// A token: to a person its text.
  void say(const TokenEvent& token) const;
  void say(const std::string& text) const;
  /// Plain where mpirun alone knows whether its output is a terminal.
  const Style& style() const { return style_; }
  /// The outcome of the process: of one that was launched, without what the event tells already.
  Outcome end(Outcome outcome, std::optional<std::uint32_t> lost = std::nullopt) const;

 private:
  bool is_launched_;
  TextOutput text_;
  Style style_;
};

/// What a rank does with the others. Fails on all of them, or through its endpoint.
using RankWork = std::function<Result<Outcome>(RankProcess&, Endpoint&, const RankVoice&)>;

/// A process that mpirun started: joins the others and does the work. The first rank speaks for all; where it
/// is lost, the next. Without all others, or where one is lost, every rank ends by itself.
Outcome as_rank(const RankSession& session, const CommandContext& context, const RankWork& work);

}  // namespace spanker
