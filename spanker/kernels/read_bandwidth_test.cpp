#include "spanker/kernels/read_bandwidth.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "spanker/base/sanitized_for_test.hpp"

namespace spanker {
namespace {

TEST(ReadBandwidth, IsWithinWhatMachinesDo) {
  for (const unsigned threads : {1u, 2u, 3u}) {
    for (const Isa isa : supported_isas()) {
      const auto rate = read_bandwidth(threads, Bytes(8 << 20), 3, isa);
      ASSERT_TRUE(rate) << to_line(rate.error());
      EXPECT_GT(rate->value, 1e6);   // a sanitized build on a busy machine
      EXPECT_LT(rate->value, 1e13);  // more than 64 bytes a cycle of every thread
    }
  }
}

std::string failure(unsigned threads, Bytes size, int passes) {
  const auto rate = read_bandwidth(threads, size, passes);
  return rate ? "measured" : to_line(rate.error());
}

TEST(ReadBandwidth, RefusesWhatItCannotMeasure) {
  EXPECT_EQ(failure(0, Bytes(1 << 20), 1),
            "read bandwidth: nothing to measure with, wanted at least one thread, got none");
  EXPECT_EQ(failure(1, Bytes(1 << 20), 0),
            "read bandwidth: nothing to measure with, wanted at least one pass, got 0");
  EXPECT_EQ(failure(2, Bytes(8191), 1),
            "read bandwidth: too little to read, wanted at least 4096 bytes a thread, got 8191 bytes for 2");
  const Bytes all(std::numeric_limits<std::uint64_t>::max() / 2);
  EXPECT_NE(failure(1, all, 1).find("the system has not that much to give"), std::string::npos);
}

TEST(ReadBandwidth, MoreThreadsThanTheSystemGives) {
  if (testing::kIsSanitized) GTEST_SKIP() << "the sanitizers need address space without limit";
  const auto measure = [] {
    // Room for the stacks of some threads, but not of all.
    std::ifstream pages("/proc/self/statm");
    rlim_t used = 0;
    pages >> used;
    const rlim_t limit = used * 4096 + (100 << 20);
    const rlimit space{limit, limit};
    if (setrlimit(RLIMIT_AS, &space) != 0) std::_Exit(1);
    const std::string got = failure(500, Bytes(500 * 4096), 1);
    std::_Exit(got.find("read bandwidth: the system has not that many threads to give, wanted 500") == 0 ? 0
                                                                                                         : 2);
  };
  EXPECT_EXIT(measure(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace spanker
