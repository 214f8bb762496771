#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "spanker/comm/doorbell.hpp"
#include "spanker/comm/transport.hpp"

namespace spanker {

/// A network between threads of one process. Payloads are not copied: the receiver reads them where they are.
/// Internal to this module.
class LocalNetwork {
 public:
  /// `spin`: how long a wait spins before it sleeps.
  LocalNetwork(std::uint32_t cards, Seconds spin);

  std::uint32_t card_count() const { return cards_; }

  /// Whoever waits for a message of this card, or for it to receive one, waits in vain from now on.
  void leave(std::uint32_t card);
  /// All waits end. The first failure counts.
  void fail(std::uint32_t card, const Error& why);
  std::optional<Error> first_failure() const;
  /// A message that was sent and not received, as an error that names both cards; once all have left.
  std::optional<Error> unread_message() const;

 private:
  friend class LocalTransport;

  static constexpr std::uint64_t kSlots = 16;
  static constexpr std::size_t kCacheLine = 64;

  /// A message, in one cache line with what tells that it is there.
  struct alignas(kCacheLine) Slot {
    std::atomic<std::uint64_t> number{0};  ///< of the message in it, counted from 1
    MessageHeader header;
    const std::byte* payload = nullptr;
    std::size_t payload_bytes = 0;
  };

  /// From one card to another: a ring of messages.
  struct Channel {
    std::array<Slot, kSlots> slots;
    alignas(kCacheLine) std::atomic<std::uint64_t> taken{0};  ///< messages that the receiver is done with
    alignas(kCacheLine) std::uint64_t sent = 0;               ///< the sender's own count

    Slot& slot(std::uint64_t number) { return slots[number % kSlots]; }
  };

  struct alignas(kCacheLine) Card {
    Doorbell bell;
    alignas(kCacheLine) std::atomic<bool> left{false};
  };

  Channel& channel(std::uint32_t from, std::uint32_t to) {
    return channels_[from * std::size_t{cards_} + to];
  }

  /// `waiting` waits for `peer` until ready(); fails with what was `wanted` of the peer.
  template <class Ready>
  Result<void> wait(std::uint32_t waiting, std::uint32_t peer, const char* wanted, const Ready& ready,
                    Seconds timeout);
  Failure failed_before(std::uint32_t card) const;

  std::uint32_t cards_;
  Seconds spin_;
  std::vector<Channel> channels_;
  std::vector<Card> ends_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::uint32_t failed_card_ = 0;
  std::optional<Error> first_failure_;
};

/// One card's end of a LocalNetwork, which must outlive it.
class LocalTransport final : public Transport {
 public:
  LocalTransport(LocalNetwork& network, std::uint32_t card) : network_(network), card_(card) {}

  std::uint32_t card() const override { return card_; }
  std::uint32_t card_count() const override { return network_.card_count(); }
  std::string name(std::uint32_t card) const override;
  Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) override;
  Result<Message> receive(std::uint32_t from, Seconds timeout) override;
  void release(std::uint32_t from) override;
  Result<void> finish_sends(Seconds timeout) override;
  void fail(const Error& why) override { network_.fail(card_, why); }

 private:
  LocalNetwork& network_;
  std::uint32_t card_;
};

}  // namespace spanker
