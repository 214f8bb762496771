#include "spanker/comm/collective_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "spanker/comm/reduce_op.hpp"
#include "spanker/comm/wire.hpp"

namespace spanker {
namespace {

/// A message of so many bytes is read where it lies, and waited for; a shorter one is copied and forgotten.
constexpr std::uint64_t kLeastUncopiedBytes = 64 << 10;
/// Whoever uses ever new lengths must not fill the memory.
constexpr std::size_t kMostSchedules = 256;

using Piece = Layout::Piece;
using Exchange = RankSchedule::Exchange;

std::span<float> part_of(std::span<float> values, Piece run) {
  return values.subspan(run.first, run.elements);
}

template <class Visit>
void for_each_run(const Layout& layout, const Exchange& exchange, const Visit& visit) {
  for (const auto& part : exchange.parts) {
    layout.for_each_run(part.units, [&](Piece run) { visit(run, part.reduce); });
  }
}

struct Extent {
  std::uint64_t bytes = 0;
  std::size_t runs = 0;
  Piece last{};
};

Extent extent_of(const Layout& layout, const Exchange& exchange, WireType wire) {
  Extent extent;
  for_each_run(layout, exchange, [&](Piece run, bool) {
    extent.bytes += wire_bytes(wire, run.elements);
    ++extent.runs;
    extent.last = run;
  });
  return extent;
}

/// Whether values can be read from the vector itself while the round lasts.
bool is_left_in_place(const RankSchedule::Round& round, const Extent& extent, WireType wire) {
  return wire == WireType::kF32 && extent.runs == 1 && extent.bytes >= kLeastUncopiedBytes &&
         !round.changes_what_it_sends;
}

void combine_from(const std::byte* wire_data, WireType wire, ReduceOp op, std::span<float> own,
                  bool others_first) {
  std::array<float, 256> others;
  static_assert(others.size() % 32 == 0, "whole units");
  while (!own.empty()) {
    const std::size_t n = std::min(own.size(), others.size());
    const auto decoded = std::span(others).first(n);
    decode(wire, wire_data, decoded);
    combine(op, own.first(n), decoded, others_first);
    wire_data += wire_bytes(wire, n);
    own = own.subspan(n);
  }
}

/// "round 3 of all_reduce ..." would have to be made for every round; this is made where one fails.
std::string in_round(const MessageHeader& header) {
  return fmt::format("{}, round {}", describe(header), header.round + 1);
}

Error mismatch(const std::string& peer, const MessageHeader& wanted, const MessageHeader& got) {
  std::string what = peer + " calls something else";
  if (describe(wanted) == describe(got)) {
    what = wanted.cards != got.cards     ? peer + " does so in another group of cards"
           : wanted.counts != got.counts ? peer + " has other counts by rank"
                                         : fmt::format("{} is in round {} of it", peer, got.round + 1);
  }
  return {ErrorKind::kBadInput, {}, std::move(what), describe(wanted), describe(got)};
}

}  // namespace

Result<Message> CollectiveRunner::receive(std::uint32_t card, const MessageHeader& wanted,
                                          std::uint64_t bytes) {
  Transport& transport = endpoint_.transport();
  Result<Message> message = transport.receive(card, endpoint_.timeout());
  if (!message) return message;
  if (message->header != wanted) return Failure(mismatch(transport.name(card), wanted, message->header));
  if (message->payload.size() != bytes) {
    return bad_input({}, transport.name(card) + " sent a message of the wrong length",
                     fmt::format("{} bytes", bytes), fmt::format("{}", message->payload.size()));
  }
  return message;
}

std::uint32_t CollectiveRunner::card_of(const Call& call, std::uint32_t schedule_rank) const {
  const std::size_t rank = std::size_t{schedule_rank} + call.header.root;
  return cards_[rank < cards_.size() ? rank : rank - cards_.size()];
}

const RankSchedule& CollectiveRunner::schedule(const Call& call) {
  const auto ranks = static_cast<std::uint32_t>(cards_.size());
  const std::uint32_t own = (rank_ + ranks - call.header.root) % ranks;
  const std::tuple key(call.collective, call.header.algorithm, own, call.units);
  const auto found = schedules_.find(key);
  if (found != schedules_.end()) return found->second;
  if (schedules_.size() >= kMostSchedules) schedules_.clear();
  const Schedule all = make_schedule(call.collective, call.header.algorithm, ranks, call.units);
  return schedules_.emplace(key, rank_schedule(all, own, call.units)).first->second;
}

Result<void> CollectiveRunner::run(const Call& call, std::span<float> values) {
  const RankSchedule& own = schedule(call);
  for (const RankSchedule::Round& round : own.rounds) {
    if (const auto sent = send_all(call, round, values); !sent) return sent;
    if (const auto received = receive_all(call, round, values); !received) return received;
  }
  const bool all_hold_the_same = call.collective == Collective::kAllReduce ||
                                 call.collective == Collective::kAllGather ||
                                 call.collective == Collective::kBroadcast;
  if (call.header.wire == WireType::kF32 || cards_.size() == 1 || !all_hold_the_same) return {};
  for (const Chunk& units : own.never_copied) {
    call.layout.for_each_run(units,
                             [&](Piece run) { round_to_wire(call.header.wire, part_of(values, run)); });
  }
  return {};
}

Result<void> CollectiveRunner::send_all(const Call& call, const RankSchedule::Round& round,
                                        std::span<float> values) {
  const WireType wire = call.header.wire;
  MessageHeader header = call.header;
  header.round = round.index;

  // Room for all of them is made before the first is sent: a card that waits for room then waits for cards
  // that are behind it, never for one that waits for it.
  std::uint64_t staged_bytes = 0;
  for (const Exchange& exchange : round.sends) {
    const Extent extent = extent_of(call.layout, exchange, wire);
    if (!exchange.repeats && !is_left_in_place(round, extent, wire)) staged_bytes += extent.bytes;
  }
  if (const auto room = endpoint_.make_room(staged_bytes); !room)
    return endpoint_.give_up(room.error(), in_round(header));

  std::span<const std::byte> payload;
  for (const Exchange& exchange : round.sends) {
    if (!exchange.repeats) {
      const Extent extent = extent_of(call.layout, exchange, wire);
      if (is_left_in_place(round, extent, wire)) {
        payload = std::as_bytes(part_of(values, extent.last));
      } else {
        const std::span<std::byte> staged = endpoint_.staged(extent.bytes);
        std::byte* next = staged.data();
        for_each_run(call.layout, exchange, [&](Piece run, bool) {
          encode(wire, part_of(values, run), next);
          next += wire_bytes(wire, run.elements);
        });
        payload = staged;
      }
    }
    const auto sent =
        endpoint_.transport().send(card_of(call, exchange.peer), {header, payload}, endpoint_.timeout());
    if (!sent) return endpoint_.give_up(sent.error(), in_round(header));
    // The other adds to its own what has travelled from here; this rank has to add up the same.
    if (round.changes_what_it_sends && wire != WireType::kF32) {
      const std::byte* next = payload.data();
      for_each_run(call.layout, exchange, [&](Piece run, bool) {
        decode(wire, next, part_of(values, run));
        next += wire_bytes(wire, run.elements);
      });
    }
  }
  return {};
}

Result<void> CollectiveRunner::receive_all(const Call& call, const RankSchedule::Round& round,
                                           std::span<float> values) {
  const WireType wire = call.header.wire;
  MessageHeader header = call.header;
  header.round = round.index;
  const auto ranks = static_cast<std::uint32_t>(cards_.size());
  const std::uint32_t own = (rank_ + ranks - call.header.root) % ranks;
  for (const Exchange& exchange : round.receives) {
    const std::uint32_t card = card_of(call, exchange.peer);
    const auto message = receive(card, header, extent_of(call.layout, exchange, wire).bytes);
    if (!message) return endpoint_.give_up(message.error(), in_round(header));
    const std::byte* next = message->payload.data();
    for_each_run(call.layout, exchange, [&](Piece run, bool reduce) {
      if (reduce) {
        combine_from(next, wire, header.op, part_of(values, run), exchange.peer < own);
      } else {
        decode(wire, next, part_of(values, run));
      }
      next += wire_bytes(wire, run.elements);
    });
    endpoint_.transport().release(card);
  }
  const bool left_in_place = std::any_of(round.sends.begin(), round.sends.end(), [&](const Exchange& each) {
    return is_left_in_place(round, extent_of(call.layout, each, wire), wire);
  });
  if (!left_in_place) return {};
  if (const auto done = endpoint_.transport().finish_sends(endpoint_.timeout()); !done) {
    return endpoint_.give_up(done.error(), in_round(header));
  }
  return {};
}

Result<void> CollectiveRunner::send(std::uint32_t to, const MessageHeader& header,
                                    std::span<const float> values) {
  const auto doing = [&] {
    return fmt::format("{} to {}", describe(header), endpoint_.transport().name(cards_[to]));
  };
  const std::uint64_t bytes = wire_bytes(header.wire, values.size());
  const bool in_place = header.wire == WireType::kF32 && bytes >= kLeastUncopiedBytes;
  std::span<const std::byte> payload = std::as_bytes(values);
  if (!in_place) {
    if (const auto room = endpoint_.make_room(bytes); !room) return endpoint_.give_up(room.error(), doing());
    const std::span<std::byte> staged = endpoint_.staged(bytes);
    encode(header.wire, values, staged.data());
    payload = staged;
  }
  Transport& transport = endpoint_.transport();
  if (const auto sent = transport.send(cards_[to], {header, payload}, endpoint_.timeout()); !sent) {
    return endpoint_.give_up(sent.error(), doing());
  }
  if (!in_place) return {};
  if (const auto done = transport.finish_sends(endpoint_.timeout()); !done)
    return endpoint_.give_up(done.error(), doing());
  return {};
}

Result<void> CollectiveRunner::recv(std::uint32_t from, const MessageHeader& header,
                                    std::span<float> values) {
  const auto message = receive(cards_[from], header, wire_bytes(header.wire, values.size()));
  if (!message) {
    return endpoint_.give_up(message.error(), fmt::format("{} from {}", describe(header),
                                                          endpoint_.transport().name(cards_[from])));
  }
  decode(header.wire, message->payload.data(), values);
  endpoint_.transport().release(cards_[from]);
  return {};
}

}  // namespace spanker
