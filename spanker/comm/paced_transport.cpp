#include "spanker/comm/paced_transport.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace spanker {
namespace {

using Stamp = double;  // seconds on the sender's clock

}  // namespace

PacedTransport::PacedTransport(Transport& inner, PacedClock& clock, PacedRoutes routes)
    : inner_(inner), clock_(clock), routes_(std::move(routes)) {}

Result<void> PacedTransport::send(std::uint32_t to, const Message& message, Seconds timeout) {
  Seconds sent = clock_.now();
  if (message.header.call != MessageHeader::Call::kBytes) {
    const PacedRoute route = routes_(card(), to);
    Seconds& free = link_free_[route.first_link];
    sent = std::max(sent, free);
    free = sent + Bytes(message.payload.size()) / route.first_bandwidth;
  }
  const Stamp stamp = sent.count();
  std::vector<std::byte>& stamped = stamped_.emplace_back(sizeof stamp + message.payload.size());
  std::memcpy(stamped.data(), &stamp, sizeof stamp);
  std::ranges::copy(message.payload, stamped.begin() + sizeof stamp);
  return inner_.send(to, {message.header, stamped}, timeout);
}

Result<Message> PacedTransport::receive(std::uint32_t from, Seconds timeout) {
  auto message = inner_.receive(from, timeout);
  if (!message) return message;
  Stamp stamp = 0;
  if (message->payload.size() < sizeof stamp) {
    return bad_input(name(card()), name(from) + " sends without pace", "a time before each message", "none");
  }
  std::memcpy(&stamp, message->payload.data(), sizeof stamp);
  message->payload = message->payload.subspan(sizeof stamp);
  Seconds due(stamp);
  if (message->header.call != MessageHeader::Call::kBytes) {
    const PacedRoute route = routes_(from, card());
    const Bytes bytes(message->payload.size());
    Seconds& free = link_free_[route.last_link];
    due = std::max(due, free);
    free = due + bytes / route.last_bandwidth;
    due += bytes / route.bandwidth + route.latency;
  }
  clock_.advance_to(due);
  clock_.wait([&] { inner_.poll(); });
  return message;
}

Result<void> PacedTransport::finish_sends(Seconds timeout) {
  auto done = inner_.finish_sends(timeout);
  if (done) stamped_.clear();
  return done;
}

}  // namespace spanker
