#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/comm/transport.hpp"

namespace spanker {

inline constexpr Seconds kDefaultTimeout{10};

/// What a card has once, however many communicators it has: its end of the network, and the memory in which
/// encoded messages wait to be received. So it must live until no other card reads from it any more: until
/// all have finished, or this one's transport is gone. For one thread at a time.
class Endpoint {
 public:
  /// No wait lasts longer than `timeout`.
  explicit Endpoint(std::unique_ptr<Transport> transport, Seconds timeout = kDefaultTimeout)
      : transport_(std::move(transport)), timeout_(timeout) {}

  Transport& transport() { return *transport_; }

  Seconds timeout() const { return timeout_; }
  void set_timeout(Seconds timeout) { timeout_ = timeout; }

  /// What the card is at, for error messages: "token 7, layer 3". Empty: nothing.
  void set_step(std::string_view step) { step_ = step; }
  const std::string& step() const { return step_; }

  /// The error with what this card was doing and at; all cards are told that it gives up.
  Failure give_up(Error error, std::string_view doing);

  /// Makes room for messages of `bytes` in all, waiting until earlier ones are received where memory would be
  /// taken twice. Then `staged` hands it out, in pieces.
  Result<void> make_room(std::size_t bytes);
  std::span<std::byte> staged(std::size_t bytes);

 private:
  std::vector<std::byte> memory_;  // before the transport, which is gone first
  std::unique_ptr<Transport> transport_;
  Seconds timeout_;
  std::string step_;
  std::size_t used_ = 0;
};

}  // namespace spanker
