#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/comm/transport.hpp"

namespace spanker {

/// What mpirun says of a process that it started, before anything is loaded.
struct RankPlace {
  std::uint32_t rank = 0;
  std::uint32_t size = 1;
  std::uint32_t on_host = 1;  ///< ranks on this host
};
/// Nothing where the program was started in another way.
std::optional<RankPlace> rank_place();

struct NetworkFailure {
  Error error;
  std::optional<std::uint32_t> lost;  ///< the rank that is no more heard of, where that is it
};

/// One of several processes that mpirun started, each of which is a card: card r is rank r.
///
/// No wait is without an end. A card that others wait for is asked whether it still works; it answers from
/// its own waits and from Transport::poll. One that does not answer within the timeout is lost, and with it
/// the run.
class RankProcess {
 public:
  RankProcess() = default;
  RankProcess(const RankProcess&) = delete;
  RankProcess& operator=(const RankProcess&) = delete;
  virtual ~RankProcess() = default;

  virtual std::uint32_t rank() const = 0;
  virtual std::uint32_t size() const = 0;
  virtual const std::string& host(std::uint32_t rank) const = 0;

  /// This rank's end of the network, once. The process must outlive it. `spin`: how long a wait looks without
  /// a break before it lets others run.
  virtual std::unique_ptr<Transport> make_transport(Seconds spin) = 0;

  /// What broke the network: the same on all ranks that are left, once a call of the transport has failed.
  virtual std::optional<NetworkFailure> failure() const = 0;

  /// The end, after which there is no network. All ranks have to call it; not after a failure.
  virtual void leave() = 0;
};

struct JoinOptions {
  Seconds timeout{10};
  /// Told that a rank has not come in time, which is `missing` where that is known. Must end the program: the
  /// calls that wait for it never return.
  std::function<void(const Error& error, std::optional<std::uint32_t> missing)> give_up;
};

/// Joins the other processes that mpirun started. Loads MPI. Fails with kIo where this program was built
/// without it or it cannot be loaded, kPeerLost where mpirun is not there any more.
Result<std::unique_ptr<RankProcess>> join_ranks(const JoinOptions& options);

// What the loaded library has to offer. Internal to this module.
inline constexpr const char* kMakeRankProcess = "spanker_make_rank_process";
using MakeRankProcess = void(const JoinOptions&, Result<std::unique_ptr<RankProcess>>& made);

}  // namespace spanker
