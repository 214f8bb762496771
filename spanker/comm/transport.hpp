#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/collective/schedule.hpp"
#include "spanker/comm/reduce_op.hpp"
#include "spanker/comm/wire.hpp"

namespace spanker {

/// What a message belongs to. Sender and receiver each know what it should be, so a call that differs between
/// cards shows at the first message.
struct MessageHeader {
  enum class Call : std::uint8_t {
    kSend,
    kBarrier,
    kAllReduce,
    kReduceScatter,
    kAllGather,
    kBroadcast,
    kGather,
    kBytes,  ///< no vector: `elements` bytes of anything
  };

  Call call = Call::kSend;
  Algorithm algorithm{};  ///< as the next four: that of a collective, else as it is here
  ReduceOp op{};
  WireType wire{};
  std::uint32_t root = 0;
  std::uint32_t round = 0;
  std::uint32_t number = 0;    ///< which call between these cards, from 1
  std::uint64_t elements = 0;  ///< of the whole vector
  std::uint32_t cards = 0;     ///< fingerprint of who takes part, in which order
  std::uint32_t counts = 0;    ///< fingerprint of the counts by rank

  bool operator==(const MessageHeader&) const = default;
};

/// "all_reduce (sum) of 10 f32 by ring, call 3"; without the round and the fingerprints.
std::string describe(const MessageHeader& header);

struct Message {
  MessageHeader header;
  std::span<const std::byte> payload;
};

/// One card's end of a network that carries messages between any two of its cards, in order for each pair.
/// Used by one thread at a time. What waits does so for `timeout` at most, and then fails with kPeerLost
/// naming the card that it waited for; promptly so where a card has failed (naming the first one) or where
/// the other has left.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual std::uint32_t card() const = 0;
  virtual std::uint32_t card_count() const = 0;
  /// What errors call a card: "card 1", and where it is if that is known.
  virtual std::string name(std::uint32_t card) const = 0;

  /// Hands over a message to another card. What `message.payload` points to must stay as it is until
  /// finish_sends, or until this transport is gone. Waits where too many messages to that card are under way.
  virtual Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) = 0;

  /// The next message of another card; it can be read until it is released, which must come before the next
  /// one of that card is received.
  virtual Result<Message> receive(std::uint32_t from, Seconds timeout) = 0;
  virtual void release(std::uint32_t from) = 0;

  /// Waits until all that was sent may be overwritten.
  virtual Result<void> finish_sends(Seconds timeout) = 0;

  /// Whether it has an all_reduce of its own, of all its cards.
  virtual bool has_all_reduce() const { return false; }
  /// Every card's vector becomes the reduction of all, in whatever order, not always the same bits on all.
  /// Fails as receive does; kBadInput where there is none.
  virtual Result<void> all_reduce(std::span<float> /*values*/, ReduceOp /*op*/, Seconds /*timeout*/) {
    return Failure(Error{ErrorKind::kBadInput, "all_reduce", "the network has none of its own", {}, {}});
  }

  /// Lets others see that this card still works; to be called now and then while it does.
  virtual void poll() {}

  /// Tells all cards that this one gives up, and why. Only the first such call of all cards counts.
  virtual void fail(const Error& why) = 0;
};

}  // namespace spanker
