#include "spanker/comm/local_transport.hpp"

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"

namespace spanker {

LocalNetwork::LocalNetwork(std::uint32_t cards, Seconds spin)
    : cards_(cards), spin_(spin), channels_(std::size_t{cards} * cards), ends_(cards) {}

void LocalNetwork::leave(std::uint32_t card) {
  ends_[card].left.store(true);
  for (Card& each : ends_) each.bell.ring();
}

void LocalNetwork::fail(std::uint32_t card, const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    if (first_failure_) return;
    first_failure_ = why;
    failed_card_ = card;
  }
  failed_.store(true);
  for (Card& each : ends_) each.bell.ring();
}

std::optional<Error> LocalNetwork::first_failure() const {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

std::optional<Error> LocalNetwork::unread_message() const {
  for (std::uint32_t from = 0; from < cards_; ++from) {
    for (std::uint32_t to = 0; to < cards_; ++to) {
      const Channel& channel = channels_[from * std::size_t{cards_} + to];
      const std::uint64_t next = channel.taken.load() + 1;
      if (next > channel.sent) continue;
      return bad_input(fmt::format("card {}", to), fmt::format("never received what card {} sent", from), {},
                       describe(channel.slots[next % kSlots].header))
          .value();
    }
  }
  return std::nullopt;
}

Failure LocalNetwork::failed_before(std::uint32_t card) const {
  const std::lock_guard lock(mutex_);
  return peer_lost(fmt::format("card {}", card),
                   fmt::format("card {} has failed ({})", failed_card_, to_line(*first_failure_)));
}

template <class Ready>
Result<void> LocalNetwork::wait(std::uint32_t waiting, std::uint32_t peer, const char* wanted,
                                const Ready& ready, Seconds timeout) {
  if (ready()) return {};
  const std::atomic<bool>& left = ends_[peer].left;
  const bool in_time =
      ends_[waiting].bell.wait([&] { return ready() || failed_.load() || left.load(); }, timeout, spin_);
  // Before it left the peer may have done what was wanted.
  if (ready()) return {};
  if (failed_.load()) return failed_before(waiting);
  const std::string where = fmt::format("card {}", waiting);
  if (in_time) return peer_lost(where, fmt::format("card {} has left", peer), wanted);
  return peer_lost(where, fmt::format("card {} is lost", peer),
                   fmt::format("{} within {}", wanted, format(timeout)), "nothing");
}

std::string LocalTransport::name(std::uint32_t card) const { return fmt::format("card {}", card); }

Result<void> LocalTransport::send(std::uint32_t to, const Message& message, Seconds timeout) {
  if (network_.failed_.load(std::memory_order_relaxed)) return network_.failed_before(card_);
  LocalNetwork::Channel& channel = network_.channel(card_, to);
  const std::uint64_t number = channel.sent + 1;
  const auto has_room = [&] { return channel.taken.load() + LocalNetwork::kSlots >= number; };
  if (const auto room = network_.wait(card_, to, "its receiving what was sent before", has_room, timeout);
      !room) {
    return room;
  }
  LocalNetwork::Slot& slot = channel.slot(number);
  slot.header = message.header;
  slot.payload = message.payload.data();
  slot.payload_bytes = message.payload.size();
  channel.sent = number;
  slot.number.store(number);
  network_.ends_[to].bell.ring();
  return {};
}

Result<Message> LocalTransport::receive(std::uint32_t from, Seconds timeout) {
  LocalNetwork::Channel& channel = network_.channel(from, card_);
  const std::uint64_t number = channel.taken.load(std::memory_order_relaxed) + 1;
  const LocalNetwork::Slot& slot = channel.slot(number);
  const auto is_there = [&] { return slot.number.load() == number; };
  if (const auto came = network_.wait(card_, from, "a message", is_there, timeout); !came) {
    return Failure(came.error());
  }
  return Message{slot.header, {slot.payload, slot.payload_bytes}};
}

void LocalTransport::release(std::uint32_t from) {
  LocalNetwork::Channel& channel = network_.channel(from, card_);
  channel.taken.store(channel.taken.load(std::memory_order_relaxed) + 1);
  network_.ends_[from].bell.ring();
}

Result<void> LocalTransport::finish_sends(Seconds timeout) {
  for (std::uint32_t to = 0; to < card_count(); ++to) {
    LocalNetwork::Channel& channel = network_.channel(card_, to);
    const auto all_taken = [&] { return channel.taken.load() == channel.sent; };
    if (const auto done = network_.wait(card_, to, "its receiving what was sent", all_taken, timeout);
        !done) {
      return done;
    }
  }
  return {};
}

}  // namespace spanker
