#include "spanker/measure/link_sweep.hpp"

#include <gtest/gtest.h>

#include "spanker/base/random.hpp"
#include "spanker/comm/local_cards.hpp"

namespace spanker {
namespace {

LinkSweep made_up(double latency, double bandwidth, double noise) {
  LinkSweep sweep{0, 1, {}};
  SplitMix64 random(7);
  for (std::uint64_t bytes = 64; bytes <= 1 << 20; bytes *= 4) {
    LinkSweep::Point point{Bytes(bytes), {}};
    for (int i = 0; i < 5; ++i) {
      const double factor = 1 + noise * (2 * static_cast<double>(random.next() >> 11) * 0x1p-53 - 1);
      point.seconds.push_back(factor * (latency + static_cast<double>(bytes) / bandwidth));
    }
    sweep.points.push_back(point);
  }
  return sweep;
}

TEST(LinkSweep, FitsLatencyAndBandwidth) {
  const LinkSpec exact = fit_link(made_up(20e-6, 1e9, 0), "test");
  EXPECT_NEAR(exact.latency.value.count(), 20e-6, 1e-12);
  EXPECT_NEAR(exact.bandwidth.value.value, 1e9, 1e3);
  EXPECT_EQ(exact.bandwidth.source, "test");
  const LinkSpec noisy = fit_link(made_up(20e-6, 1e9, 0.05), "test");
  EXPECT_NEAR(noisy.latency.value.count(), 20e-6, 2e-6);
  EXPECT_NEAR(noisy.bandwidth.value.value, 1e9, 1e8);
  EXPECT_LT(noisy.latency.low, noisy.latency.high);
  EXPECT_LE(noisy.bandwidth.low.value, noisy.bandwidth.value.value);
  EXPECT_LE(noisy.bandwidth.value.value, noisy.bandwidth.high.value);
}

TEST(LinkSweep, WhatCannotBeALinkIsMadeOne) {
  // Longer messages are faster: all latency. Time in proportion to size: none.
  LinkSweep falling{0, 1, {{Bytes(64), {2e-6}}, {Bytes(4096), {1e-6}}}};
  const LinkSpec flat = fit_link(falling, "");
  EXPECT_GT(flat.latency.value.count(), 0);
  EXPECT_GT(flat.bandwidth.value.value, 1e12);
  const LinkSpec steep = fit_link(made_up(-1e-9, 1e6, 0), "");
  EXPECT_GT(steep.latency.value.count(), 0);
  EXPECT_GT(steep.bandwidth.value.value, 0);
}

TEST(LinkSweep, EveryPairIsTimedAndTheFirstCardLearnsIt) {
  std::vector<LinkSweep> sweeps;
  double all_reduce = 0;
  const auto done = run_in_process(3, [&](Communicator& cards) -> Result<void> {
    auto swept = sweep_links(cards);
    if (!swept) return Failure(swept.error());
    const auto seconds = time_all_reduce(cards, Bytes(8192), Algorithm::kDirect);
    if (!seconds) return Failure(seconds.error());
    if (cards.rank() > 0) {
      EXPECT_TRUE(swept->empty());
      return {};
    }
    sweeps = std::move(*swept);
    all_reduce = *seconds;
    return {};
  });
  ASSERT_TRUE(done.has_value()) << to_line(done.error());
  ASSERT_EQ(sweeps.size(), 3u);
  EXPECT_EQ(sweeps[2].a, 1u);
  EXPECT_EQ(sweeps[2].b, 2u);
  for (const LinkSweep& sweep : sweeps) {
    ASSERT_EQ(sweep.points.size(), 8u);
    EXPECT_EQ(sweep.points.back().bytes, Bytes(1 << 20));
    for (const LinkSweep::Point& point : sweep.points) {
      ASSERT_EQ(point.seconds.size(), 5u);
      for (const double seconds : point.seconds) EXPECT_GT(seconds, 0);
    }
  }
  EXPECT_GT(all_reduce, 0);
}

}  // namespace
}  // namespace spanker
