// The program as it is built without MPI: SPANKER_PROGRAM.
#include <gtest/gtest.h>

#include "spanker/cli/ranks_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

using WithoutMpi = RanksTest;

TEST_F(WithoutMpi, OneProcessRunsAsEver) {
  const Ended ended = RanksTest::ended(run(Words{"--cards", "2"} + question(4)));
  EXPECT_EQ(ended.code, 0) << ended.error;
}

TEST_F(WithoutMpi, RanksAreOneClearError) {
  const Ended ended = RanksTest::ended(run(Words{"--ranks", "2"} + question(4)));
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.error,
            "spanker: error: ranks: this program was built without MPI, which it needs to run in several "
            "processes, wanted a build with Debian's libopenmpi-dev and libpmix-dev installed\n");
  EXPECT_EQ(ended.output, "");
}

}  // namespace
}  // namespace spanker
