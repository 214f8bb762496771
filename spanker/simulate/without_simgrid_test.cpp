#include <gtest/gtest.h>

#include "spanker/simulate/script_for_test.hpp"

// Built with the stub that takes the loader's place where there is no SimGrid.
namespace spanker {
namespace {

TEST(WithoutSimGrid, EveryRunSaysSo) {
  testing::Script script;
  const auto result = run_contention(testing::cards_in(Topology::kRing, 4), {}, script);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kIo);
  EXPECT_EQ(
      to_line(result.error()),
      "simulation: this program was built without SimGrid, which it needs to simulate, wanted a build with "
      "Debian's libsimgrid-dev installed");
}

}  // namespace
}  // namespace spanker
