#include "spanker/base/loaded_library.hpp"
#include "spanker/comm/rank_process.hpp"

namespace spanker {

Result<std::unique_ptr<RankProcess>> join_ranks(const JoinOptions& options) {
  static const Result<void*> entry =
      load_entry({SPANKER_MPI_RANKS, SPANKER_INSTALLED_MPI_RANKS, "MPI"}, kMakeRankProcess);
  if (!entry) return Failure(entry.error());
  Result<std::unique_ptr<RankProcess>> made;
  reinterpret_cast<MakeRankProcess*> (*entry)(options, made);
  return made;
}

}  // namespace spanker
