#include "spanker/comm/mpi_roll_call.hpp"

#include <fmt/format.h>
#include <pmix.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kHere = "spanker.here";
constexpr std::chrono::milliseconds kBetweenLooks{10};

Failure no_mpirun(std::string_view what, pmix_status_t status) {
  return Failure(Error{ErrorKind::kPeerLost,
                       "ranks",
                       fmt::format("mpirun does not answer: {}", what),
                       {},
                       PMIx_Error_string(status)});
}

std::string host_of(const pmix_proc_t& process) {
  pmix_value_t* value = nullptr;
  if (PMIx_Get(&process, PMIX_HOSTNAME, nullptr, 0, &value) != PMIX_SUCCESS) return "an unknown host";
  std::string host = value->type == PMIX_STRING ? value->data.string : "an unknown host";
  PMIX_VALUE_RELEASE(value);
  return host;
}

pmix_status_t look_for(const pmix_proc_t& process, Seconds timeout) {
  int whole_seconds = std::max(1, static_cast<int>(std::ceil(timeout.count())));
  pmix_info_t info;
  PMIX_INFO_LOAD(&info, PMIX_TIMEOUT, &whole_seconds, PMIX_INT);
  pmix_value_t* value = nullptr;
  const pmix_status_t status = PMIx_Get(&process, kHere, &info, 1, &value);
  if (status == PMIX_SUCCESS) PMIX_VALUE_RELEASE(value);
  PMIX_INFO_DESTRUCT(&info);
  return status;
}

/// Until `end`. One that is there, but has not yet said so, is not found at once.
pmix_status_t wait_for(const pmix_proc_t& process, Clock::time_point end) {
  for (;;) {
    const Seconds left = end - Clock::now();
    const pmix_status_t status = left > Seconds(0) ? look_for(process, left) : PMIX_ERR_TIMEOUT;
    if (status == PMIX_SUCCESS || status == PMIX_ERR_TIMEOUT) return status;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

Result<std::vector<std::string>> roll_call(const JoinOptions& options) {
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(options.timeout);
  pmix_proc_t own;
  if (const auto status = PMIx_Init(&own, nullptr, 0); status != PMIX_SUCCESS) {
    return no_mpirun("no connection", status);
  }
  pmix_value_t here;
  PMIX_VALUE_CONSTRUCT(&here);
  here.type = PMIX_BOOL;
  here.data.flag = true;
  pmix_status_t told = PMIx_Put(PMIX_GLOBAL, kHere, &here);
  if (told == PMIX_SUCCESS) told = PMIx_Commit();
  if (told != PMIX_SUCCESS) return no_mpirun("it takes no word of this process", told);

  std::vector<std::string> hosts;
  const std::uint32_t size = rank_place().value_or(RankPlace{}).size;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    pmix_proc_t process;
    PMIX_LOAD_PROCID(&process, own.nspace, rank);
    hosts.push_back(host_of(process));
    if (rank == own.rank) continue;
    const pmix_status_t status = wait_for(process, end);
    if (status == PMIX_SUCCESS) continue;
    options.give_up(
        {ErrorKind::kPeerLost, fmt::format("card {} on {}", own.rank, host_of(own)),
         fmt::format("card {} on {} has not started", rank, hosts.back()),
         fmt::format("all {} ranks within {} s", size, options.timeout.count()), PMIx_Error_string(status)},
        rank);
    return no_mpirun("a rank is missing", status);
  }
  return hosts;
}

}  // namespace spanker
