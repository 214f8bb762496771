#pragma once

#include <mpi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "spanker/comm/mpi_control.hpp"
#include "spanker/comm/transport.hpp"

// Internal to the loaded library.
namespace spanker {

/// Messages between ranks. A short one is copied, and sent with its header as one; of a long one the header
/// goes ahead, and the payload is sent from where it lies.
class MpiTransport final : public Transport {
 public:
  /// `control` must outlive it. `hosts`: of each rank.
  MpiTransport(MPI_Comm world, MpiControl& control, std::uint32_t rank, std::vector<std::string> hosts,
               Seconds spin);
  ~MpiTransport() override;

  std::uint32_t card() const override { return rank_; }
  std::uint32_t card_count() const override { return static_cast<std::uint32_t>(hosts_.size()); }
  std::string name(std::uint32_t card) const override;
  Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) override;
  Result<Message> receive(std::uint32_t from, Seconds timeout) override;
  void release(std::uint32_t from) override;
  Result<void> finish_sends(Seconds timeout) override;
  bool has_all_reduce() const override { return true; }
  Result<void> all_reduce(std::span<float> values, ReduceOp op, Seconds timeout) override;
  void poll() override { control_.progress(); }
  void fail(const Error& why) override;

 private:
  static constexpr std::size_t kSlots = 16;

  struct Envelope {
    MessageHeader header;
    std::uint64_t payload_bytes = 0;
  };
  struct Slot {
    std::vector<std::byte> bytes;
    MPI_Request message = MPI_REQUEST_NULL;
    MPI_Request payload = MPI_REQUEST_NULL;
  };
  struct Peer {
    std::vector<std::byte> inbox;  ///< always being received into, but while a message lies in it
    MPI_Request receiving = MPI_REQUEST_NULL;
    std::size_t received = 0;        ///< bytes of the message in the inbox
    std::vector<std::byte> payload;  ///< of a long message
    std::array<Slot, kSlots> slots;  ///< of what was sent to it
    std::size_t next_slot = 0;
  };

  void listen(std::uint32_t from);
  static bool is_done(Slot& slot);
  Result<std::span<const std::byte>> receive_payload(std::uint32_t from, std::uint64_t bytes,
                                                     Seconds timeout);
  /// Waits for `peer` until ready(); fails with what was `wanted` of it.
  Result<void> wait(std::uint32_t peer, const char* wanted, const std::function<bool()>& ready,
                    Seconds timeout);
  void let_others_run();
  Failure failed_before();

  MPI_Comm world_;
  MpiControl& control_;
  std::uint32_t rank_;
  std::vector<std::string> hosts_;
  Seconds spin_;
  std::vector<Peer> peers_;
  int sleepy_waits_ = 0;  ///< how many more waits sleep at once
  std::optional<std::uint32_t> lost_;
};

}  // namespace spanker
