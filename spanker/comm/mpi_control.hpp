#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "spanker/comm/rank_process.hpp"

// Internal to the loaded library.
namespace spanker {

// Tags of messages between two ranks.
inline constexpr int kMessageTag = 0;  ///< a header, and the payload where it is short
inline constexpr int kPayloadTag = 1;  ///< the payload of the header before, where it is long
inline constexpr int kControlTag = 2;

/// What ranks tell each other beside messages: whether they still work, and that one of them has failed.
class MpiControl {
 public:
  MpiControl(MPI_Comm world, std::uint32_t rank, std::uint32_t size);
  ~MpiControl();

  /// Takes in what others told, and answers them.
  void progress();

  /// Asks a rank whether it still works.
  void ask(std::uint32_t rank);
  /// Whether it has answered since it was asked.
  bool has_answered(std::uint32_t rank) const { return peers_[rank].answers == peers_[rank].asked; }

  /// Tells all ranks. Of several failures that of the lowest rank counts on all of them, once settled.
  void fail(const NetworkFailure& failure);
  bool has_failed() const { return !failures_.empty(); }
  /// Waits for failures that other ranks found at the same time.
  const NetworkFailure& settled();
  std::optional<NetworkFailure> first() const;
  /// The rank whose failure is first(); only where there is one.
  std::uint32_t first_rank() const { return failures_.begin()->first; }

 private:
  enum class Kind : std::uint32_t { kQuestion, kAnswer, kFailure };
  struct Peer {
    std::uint64_t asked = 0;
    std::uint64_t answers = 0;
  };
  struct Send {
    std::vector<std::byte> bytes;
    MPI_Request request;
  };

  void listen();
  void take(std::uint32_t from, std::size_t bytes);
  void send(std::uint32_t to, std::vector<std::byte> bytes);
  void send(std::uint32_t to, Kind kind, std::uint64_t number);
  void forget_sent();

  MPI_Comm world_;
  std::uint32_t rank_;
  std::vector<Peer> peers_;
  std::vector<std::byte> inbox_;
  MPI_Request listening_ = MPI_REQUEST_NULL;
  std::list<Send> sends_;
  std::map<std::uint32_t, NetworkFailure> failures_;  ///< by the rank that found it
  bool is_settled_ = false;
};

}  // namespace spanker
