#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "spanker/base/result.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/comm/endpoint.hpp"

namespace spanker {

inline constexpr std::uint32_t kMostLocalCards = 64;

struct LocalCardsOptions {
  Seconds timeout = kDefaultTimeout;  ///< of every wait for another card
  /// How long a wait spins before it sleeps. Without: 50 us where the machine has as many hardware threads as
  /// there are cards; else not at all, since a card that spins then keeps another from what it waits for.
  std::optional<Seconds> spin;
};

/// Runs `card` in `cards` threads at once, each with its communicator over all of them, and waits for all.
///
/// Fails with the first failure of any card, by whom it was: what `card` returned, or what broke its
/// communicator; all the others are woken and fail with kPeerLost. kBadInput where a card sent a message that
/// was never received, or `cards` is not 1 to kMostLocalCards; kIo where threads cannot be started. An
/// exception of `card` counts as its failure and is thrown again here.
Result<void> run_in_process(std::uint32_t cards, const std::function<Result<void>(Communicator&)>& card,
                            const LocalCardsOptions& options = {});

}  // namespace spanker
