#include <fmt/format.h>
#include <mpi.h>
#include <pmix.h>
#include <stdlib.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "spanker/comm/mpi_control.hpp"
#include "spanker/comm/mpi_roll_call.hpp"
#include "spanker/comm/mpi_transport.hpp"
#include "spanker/comm/rank_process.hpp"

// The library that is loaded where there are ranks.
namespace spanker {
namespace {

/// Gives up where what it is about lasts too long.
class Watchdog {
 public:
  Watchdog(const JoinOptions& options, Error error)
      : thread_([this, &options, error = std::move(error)](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          done_.wait_for(lock, stop, options.timeout, [] { return false; });
          if (!stop.stop_requested()) options.give_up(error, std::nullopt);
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any done_;
  std::jthread thread_;
};

class MpiProcess final : public RankProcess {
 public:
  explicit MpiProcess(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {
    MPI_Comm_dup(MPI_COMM_WORLD, &world_);
    MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
    int rank = 0;
    MPI_Comm_rank(world_, &rank);
    rank_ = static_cast<std::uint32_t>(rank);
    control_.emplace(world_, rank_, size());
  }

  std::uint32_t rank() const override { return rank_; }
  std::uint32_t size() const override { return static_cast<std::uint32_t>(hosts_.size()); }
  const std::string& host(std::uint32_t rank) const override { return hosts_[rank]; }

  std::unique_ptr<Transport> make_transport(Seconds spin) override {
    return std::make_unique<MpiTransport>(world_, *control_, rank_, hosts_, spin);
  }
  std::optional<NetworkFailure> failure() const override { return control_->first(); }

  void leave() override {
    control_.reset();
    MPI_Comm_free(&world_);
    MPI_Finalize();
    PMIx_Finalize(nullptr, 0);
  }

 private:
  MPI_Comm world_ = MPI_COMM_NULL;
  std::vector<std::string> hosts_;
  std::uint32_t rank_ = 0;
  std::optional<MpiControl> control_;
};

Result<std::unique_ptr<RankProcess>> make_rank_process(const JoinOptions& options) {
  auto hosts = roll_call(options);
  if (!hosts) return Failure(hosts.error());
  const std::uint32_t rank = rank_place().value_or(RankPlace{}).rank;
  const Watchdog watchdog(options, {ErrorKind::kPeerLost,
                                    fmt::format("card {} on {}", rank, (*hosts)[rank]),
                                    "MPI does not start",
                                    fmt::format("within {} s", options.timeout.count()),
                                    {}});
  // Our waits let others run when that is right. MPI would do so at each look, and lose the core for a while
  // to any other program.
  ::setenv("OMPI_MCA_mpi_yield_when_idle", "0", 1);
  if (MPI_Init(nullptr, nullptr) != MPI_SUCCESS) {
    return Failure(Error{ErrorKind::kPeerLost, "ranks", "MPI does not start", {}, {}});
  }
  return std::make_unique<MpiProcess>(std::move(*hosts));
}

}  // namespace
}  // namespace spanker

extern "C" spanker::MakeRankProcess spanker_make_rank_process;
void spanker_make_rank_process(const spanker::JoinOptions& options,
                               spanker::Result<std::unique_ptr<spanker::RankProcess>>& made) {
  made = spanker::make_rank_process(options);
}
