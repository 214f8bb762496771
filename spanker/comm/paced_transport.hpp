#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "spanker/comm/paced_clock.hpp"
#include "spanker/comm/transport.hpp"

namespace spanker {

/// The way from one card to another, as a description of the network tells it.
struct PacedRoute {
  std::uint32_t first_link = 0;  ///< any numbers that tell links apart
  std::uint32_t last_link = 0;   ///< of a way of one link the same one
  BytesPerSecond first_bandwidth;
  BytesPerSecond last_bandwidth;
  BytesPerSecond bandwidth;  ///< of its slowest link
  Seconds latency{0};        ///< of all of them
};
using PacedRoutes = std::function<PacedRoute(std::uint32_t from, std::uint32_t to)>;

/// Another transport on links that are as slow as a description says. A message is stamped with the time on
/// its sender's clock, and the receiver, whose clock then goes on to it, holds it until
///
///   max(link free, sent) + bytes / bandwidth + latency
///
/// Messages follow one another on a route's first link, of which the sender knows, and on its last, of which
/// the receiver does; what others send over links in between is not seen. Bytes (kBytes) take no time: they
/// are not what a card would send.
class PacedTransport final : public Transport {
 public:
  /// `clock` is this card's. It and the other transport must outlive this one, and what was sent must have
  /// been received when this one goes (finish_sends).
  PacedTransport(Transport& inner, PacedClock& clock, PacedRoutes routes);

  std::uint32_t card() const override { return inner_.card(); }
  std::uint32_t card_count() const override { return inner_.card_count(); }
  std::string name(std::uint32_t card) const override { return inner_.name(card); }
  Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) override;
  Result<Message> receive(std::uint32_t from, Seconds timeout) override;
  void release(std::uint32_t from) override { inner_.release(from); }
  Result<void> finish_sends(Seconds timeout) override;
  void poll() override { inner_.poll(); }
  void fail(const Error& why) override { inner_.fail(why); }

 private:
  Transport& inner_;
  PacedClock& clock_;
  PacedRoutes routes_;
  std::map<std::uint32_t, Seconds> link_free_;   ///< by link
  std::vector<std::vector<std::byte>> stamped_;  ///< messages that may still be read
};

}  // namespace spanker
