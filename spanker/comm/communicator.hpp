#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/collective/schedule.hpp"
#include "spanker/comm/endpoint.hpp"
#include "spanker/comm/reduce_op.hpp"
#include "spanker/comm/wire.hpp"

namespace spanker {

/// What a card calls to take part in collectives with other cards (docs/communicator.md). All of them make
/// the same calls in the same order. Each has a rank, from 0.
///
/// A collective works in place on a vector of the same length on every rank, and moves it by the schedule
/// that make_schedule gives for its collective and algorithm. Values are floats in memory and travel as
/// `wire`.
///
/// Errors. kBadInput where an argument is wrong; nothing was sent then. kBadInput naming the other card and
/// both calls where it calls something else: another collective, algorithm, count, type, operation, root or
/// group. kPeerLost naming a card that has failed or left, or was not heard of within the endpoint's timeout,
/// with what this one was waiting for. After an error of the last two kinds no card can go on: all of them
/// fail.
///
/// For one thread at a time, as its endpoint.
class Communicator {
 public:
  /// All cards of the endpoint's network; a card is its own rank. `endpoint` must outlive the communicator.
  explicit Communicator(Endpoint& endpoint);

  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  ~Communicator();

  /// Some of the ranks as a communicator of their own, in that order: ranks[r] becomes rank r. All of them
  /// have to make it, others need not; it sends nothing. kBadInput where `ranks` has doubles, ranks that do
  /// not exist, or not this one.
  Result<Communicator> group(std::span<const std::uint32_t> ranks) const;

  std::uint32_t rank() const { return rank_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(cards_.size()); }
  /// The card of a rank below size(), as errors name it.
  std::uint32_t card(std::uint32_t rank) const { return cards_[rank]; }
  Endpoint& endpoint() const { return *endpoint_; }

  /// Every rank ends with the reduction of all vectors, and all of them with the same bits (but for which NaN
  /// a NaN is). Where it travelled as f16 or q8_0 it is rounded to that, before kAvg divides.
  Result<void> all_reduce(std::span<float> values, ReduceOp op, Algorithm algorithm,
                          WireType wire = WireType::kF32);

  /// The same by the network's own all_reduce (Transport), as f32: sums in an order that is not ours, and
  /// maybe not the same bits on all ranks. kBadInput where the network has none, or the ranks are not all its
  /// cards.
  Result<void> native_all_reduce(std::span<float> values, ReduceOp op);

  // A rank's chunk of the vector: counts[rank] elements behind those of the ranks below; the same counts on
  // every rank, adding up to the vector. Without counts, chunk().

  /// The elements that are a rank's chunk of a vector of `elements` where no counts are given: as even as
  /// whole wire units allow, larger chunks first. `rank` < size().
  Chunk chunk(std::uint32_t rank, std::uint64_t elements, WireType wire = WireType::kF32) const;

  /// Each rank ends with the reduction of its chunk; the rest of its vector is unspecified.
  Result<void> reduce_scatter(std::span<float> values, std::span<const std::uint64_t> counts, ReduceOp op,
                              Algorithm algorithm, WireType wire = WireType::kF32);

  /// Each rank starts with its chunk and ends with all chunks, the same bits on all; so its own is rounded
  /// too.
  Result<void> all_gather(std::span<float> values, std::span<const std::uint64_t> counts, Algorithm algorithm,
                          WireType wire = WireType::kF32);

  /// Each rank starts with its chunk; `root` ends with all chunks, its own untouched. The rest of the others'
  /// vectors is unspecified.
  Result<void> gather(std::span<float> values, std::span<const std::uint64_t> counts, std::uint32_t root,
                      Algorithm algorithm, WireType wire = WireType::kF32);

  /// Every rank ends with the vector of `root`, the same bits on all; so its own is rounded too.
  Result<void> broadcast(std::span<float> values, std::uint32_t root, Algorithm algorithm,
                         WireType wire = WireType::kF32);

  /// To a rank that calls `recv` from this one with as many elements and the same `wire`. A long vector is
  /// waited for until it is received, a short one seldom.
  Result<void> send(std::uint32_t to, std::span<const float> values, WireType wire = WireType::kF32);
  Result<void> recv(std::uint32_t from, std::span<float> values, WireType wire = WireType::kF32);

  /// No rank returns before all have called it.
  Result<void> barrier();

 private:
  struct State;

  Communicator(Endpoint& endpoint, std::vector<std::uint32_t> cards, std::uint32_t rank);

  MessageHeader message_header(WireType wire, std::uint64_t elements) const;
  /// Of the next collective.
  MessageHeader next_header(MessageHeader::Call call, Algorithm algorithm, WireType wire,
                            std::uint64_t elements);
  Result<void> over_chunks(MessageHeader header, Collective collective, std::span<float> values,
                           std::span<const std::uint64_t> counts);
  Result<void> check(Collective collective, Algorithm algorithm) const;
  Result<void> check_rank(std::string_view where, std::uint32_t rank) const;
  Result<void> check_peer(std::string_view where, std::uint32_t peer) const;
  Result<void> check_counts(Collective collective, std::uint64_t elements,
                            std::span<const std::uint64_t> counts) const;

  Endpoint* endpoint_;
  std::vector<std::uint32_t> cards_;
  std::uint32_t rank_;
  std::uint32_t fingerprint_;  ///< of cards_
  std::uint32_t calls_ = 0;    ///< collectives so far
  std::unique_ptr<State> state_;
};

}  // namespace spanker
