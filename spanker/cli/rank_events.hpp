#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spanker/cli/command.hpp"

// Internal to this module.
namespace spanker {

// What a launched rank tells whoever launched it, each as one line on standard output.

/// All ranks have started; where each is.
struct StartedEvent {
  std::vector<std::string> hosts;
};
/// A token is chosen: with the seed with which a sampler goes on after it, and with its text, so that neither
/// is told without the other.
struct TokenEvent {
  std::uint32_t token = 0;
  std::uint64_t seed = 0;
  std::string text;
};
/// A piece of text for standard output.
struct TextEvent {
  std::string text;
};
/// The end.
struct EndEvent {
  Outcome outcome;
  std::optional<std::uint32_t> lost;  ///< the rank that is no more heard of, where that is why
};
using RankEvent = std::variant<StartedEvent, TokenEvent, TextEvent, EndEvent>;

/// With the newline.
std::string line_of(const RankEvent& event);
/// Nothing where the line is none of those: others print, too.
std::optional<RankEvent> event_from(std::string_view line);

}  // namespace spanker
