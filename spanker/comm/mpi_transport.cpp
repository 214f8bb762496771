#include "spanker/comm/mpi_transport.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <thread>
#include <type_traits>
#include <utility>

namespace spanker {
namespace {

/// A payload of so many bytes is sent from where it lies.
constexpr std::size_t kLeastUncopied = 64 << 10;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostBytes = std::numeric_limits<int>::max();
/// How long a wait only lets others run before it sleeps.
constexpr Seconds kYielding{2e-3};
/// Letting others run for longer than that means that other programs want this core. Sleeping gets it back
/// sooner then: who wakes up comes before who never slept.
constexpr Seconds kLongYield{300e-6};
constexpr Seconds kSleep{20e-6};
/// A longer wait looks more seldom: it lasts longer by a 64th at most.
constexpr Seconds kLongestSleep{1e-3};
constexpr int kSleepyWaits = 200;
/// How long before its end a wait asks whether the other still works, which answers after the kernel it is
/// at.
Seconds grace_of(Seconds timeout) { return timeout / 2; }

}  // namespace

MpiTransport::MpiTransport(MPI_Comm world, MpiControl& control, std::uint32_t rank,
                           std::vector<std::string> hosts, Seconds spin)
    : world_(world),
      control_(control),
      rank_(rank),
      hosts_(std::move(hosts)),
      spin_(spin),
      peers_(hosts_.size()) {
  static_assert(std::is_trivially_copyable_v<Envelope>);
  for (std::uint32_t from = 0; from < peers_.size(); ++from) {
    if (from == rank_) continue;
    peers_[from].inbox.resize(sizeof(Envelope) + kLeastUncopied);
    listen(from);
  }
  ::prctl(PR_SET_TIMERSLACK, 1000);  // so that a short sleep is one
}

MpiTransport::~MpiTransport() {
  for (Peer& peer : peers_) {
    if (peer.receiving == MPI_REQUEST_NULL) continue;
    MPI_Cancel(&peer.receiving);
    MPI_Wait(&peer.receiving, MPI_STATUS_IGNORE);
  }
}

std::string MpiTransport::name(std::uint32_t card) const {
  return fmt::format("card {} on {}", card, hosts_[card]);
}

void MpiTransport::listen(std::uint32_t from) {
  Peer& peer = peers_[from];
  peer.received = 0;
  MPI_Irecv(peer.inbox.data(), static_cast<int>(peer.inbox.size()), MPI_BYTE, static_cast<int>(from),
            kMessageTag, world_, &peer.receiving);
}

bool MpiTransport::is_done(Slot& slot) {
  int message_is = 0;
  int payload_is = 0;
  MPI_Test(&slot.message, &message_is, MPI_STATUS_IGNORE);
  MPI_Test(&slot.payload, &payload_is, MPI_STATUS_IGNORE);
  return message_is != 0 && payload_is != 0;
}

Failure MpiTransport::failed_before() {
  Error error = control_.settled().error;
  return Failure(std::move(error));
}

void MpiTransport::let_others_run() {
  const auto start = Clock::now();
  ::sched_yield();
  if (Clock::now() - start > kLongYield) sleepy_waits_ = kSleepyWaits;
}

Result<void> MpiTransport::wait(std::uint32_t peer, const char* wanted, const std::function<bool()>& ready,
                                Seconds timeout) {
  if (ready()) return {};
  const auto start = Clock::now();
  const bool is_sleepy = sleepy_waits_ > 0;
  if (is_sleepy) --sleepy_waits_;
  Seconds end = timeout;
  bool has_asked = false;
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return {};
    }
    control_.progress();
    if (control_.has_failed()) return failed_before();
    const Seconds passed = Clock::now() - start;
    if (passed < spin_ && !is_sleepy) continue;
    if (!has_asked && passed > end - grace_of(timeout)) {
      control_.ask(peer);
      has_asked = true;
    }
    if (passed > end) {
      if (!control_.has_answered(peer)) break;
      // It works, or waits for another card, which then is asked itself.
      end = passed + timeout;
      has_asked = false;
    }
    if (is_sleepy || passed > spin_ + kYielding) {
      std::this_thread::sleep_for(std::clamp(passed / 64, kSleep, kLongestSleep));
    } else {
      let_others_run();
    }
  }
  lost_ = peer;
  return Failure(Error{ErrorKind::kPeerLost, name(rank_), name(peer) + " is lost",
                       fmt::format("{} within {} s", wanted, timeout.count()), "nothing"});
}

Result<void> MpiTransport::send(std::uint32_t to, const Message& message, Seconds timeout) {
  if (control_.has_failed()) return failed_before();
  Peer& peer = peers_[to];
  Slot& slot = peer.slots[peer.next_slot];
  if (auto room = wait(
          to, "its receiving what was sent before", [&] { return is_done(slot); }, timeout);
      !room) {
    return room;
  }
  peer.next_slot = (peer.next_slot + 1) % kSlots;
  const std::size_t bytes = message.payload.size();
  if (bytes > kMostBytes) {
    return Failure(Error{ErrorKind::kBadInput, name(rank_), "a message is longer than MPI counts",
                         fmt::format("at most {} bytes", kMostBytes), fmt::format("{}", bytes)});
  }
  const Envelope envelope{message.header, bytes};
  const bool is_copied = bytes < kLeastUncopied;
  slot.bytes.resize(sizeof envelope + (is_copied ? bytes : 0));
  std::memcpy(slot.bytes.data(), &envelope, sizeof envelope);
  if (is_copied && bytes > 0) std::memcpy(slot.bytes.data() + sizeof envelope, message.payload.data(), bytes);
  const int card = static_cast<int>(to);
  MPI_Isend(slot.bytes.data(), static_cast<int>(slot.bytes.size()), MPI_BYTE, card, kMessageTag, world_,
            &slot.message);
  if (!is_copied) {
    MPI_Isend(message.payload.data(), static_cast<int>(bytes), MPI_BYTE, card, kPayloadTag, world_,
              &slot.payload);
  }
  return {};
}

Result<Message> MpiTransport::receive(std::uint32_t from, Seconds timeout) {
  Peer& peer = peers_[from];
  const auto is_there = [&] {
    int done = 0;
    MPI_Status status;
    if (peer.received > 0) return true;
    MPI_Test(&peer.receiving, &done, &status);
    if (done == 0) return false;
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    peer.received = static_cast<std::size_t>(bytes);
    return true;
  };
  if (auto came = wait(from, "a message", is_there, timeout); !came) return Failure(came.error());
  Envelope envelope;
  std::memcpy(&envelope, peer.inbox.data(), std::min(sizeof envelope, peer.received));
  const std::size_t short_bytes = peer.received - std::min(sizeof envelope, peer.received);
  if (envelope.payload_bytes == short_bytes) {
    return Message{envelope.header, {peer.inbox.data() + sizeof envelope, short_bytes}};
  }
  const auto payload = receive_payload(from, envelope.payload_bytes, timeout);
  if (!payload) return Failure(payload.error());
  return Message{envelope.header, *payload};
}

Result<std::span<const std::byte>> MpiTransport::receive_payload(std::uint32_t from, std::uint64_t bytes,
                                                                 Seconds timeout) {
  // What has come is asked for its size, so that no number from outside makes memory.
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  const auto is_there = [&] {
    int found = 0;
    MPI_Improbe(static_cast<int>(from), kPayloadTag, world_, &found, &message, &status);
    return found != 0;
  };
  if (auto came = wait(from, "the rest of a message", is_there, timeout); !came) return Failure(came.error());
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  Peer& peer = peers_[from];
  peer.payload.resize(static_cast<std::size_t>(size));
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Imrecv(peer.payload.data(), size, MPI_BYTE, &message, &request);
  const auto is_received = [&] {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  };
  if (auto came = wait(from, "the rest of a message", is_received, timeout); !came) {
    return Failure(came.error());
  }
  if (peer.payload.size() != bytes) {
    return Failure(Error{ErrorKind::kBadInput, name(rank_), name(from) + " sent a message of another length",
                         fmt::format("{} bytes", bytes), fmt::format("{}", peer.payload.size())});
  }
  return peer.payload;
}

void MpiTransport::release(std::uint32_t from) { listen(from); }

Result<void> MpiTransport::finish_sends(Seconds timeout) {
  for (std::uint32_t to = 0; to < peers_.size(); ++to) {
    const auto all_done = [&] { return std::ranges::all_of(peers_[to].slots, is_done); };
    if (auto done = wait(to, "its receiving what was sent", all_done, timeout); !done) return done;
  }
  return {};
}

Result<void> MpiTransport::all_reduce(std::span<float> values, ReduceOp op, Seconds timeout) {
  if (control_.has_failed()) return failed_before();
  if (values.size() > kMostBytes) {
    return Failure(Error{ErrorKind::kBadInput, name(rank_), "a vector is longer than MPI counts",
                         fmt::format("at most {} elements", kMostBytes), fmt::format("{}", values.size())});
  }
  const MPI_Op native = op == ReduceOp::kMax ? MPI_MAX : op == ReduceOp::kMin ? MPI_MIN : MPI_SUM;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, native, world_,
                 &request);
  const auto is_done = [&] {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  };
  // Whoever is missing, the card before it asks.
  const std::uint32_t next = (rank_ + 1) % card_count();
  if (auto done = wait(next, "its part of an all_reduce", is_done, timeout); !done) return done;
  if (op == ReduceOp::kAvg) {
    for (float& value : values) value /= static_cast<float>(card_count());
  }
  return {};
}

void MpiTransport::fail(const Error& why) { control_.fail({why, lost_}); }

}  // namespace spanker
