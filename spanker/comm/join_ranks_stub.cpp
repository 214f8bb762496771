#include "spanker/comm/rank_process.hpp"

namespace spanker {

Result<std::unique_ptr<RankProcess>> join_ranks(const JoinOptions& /*options*/) {
  return io_failure("ranks", "this program was built without MPI, which it needs to run in several processes",
                    "a build with Debian's libopenmpi-dev and libpmix-dev installed");
}

}  // namespace spanker
