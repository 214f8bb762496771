#include "spanker/simulate/batching.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace spanker {
namespace {

using Kind = PassShape::Kind;

TEST(Batching, OneRequestReadsItsPromptAndThenDecodes) {
  Batching batching({1}, false);
  auto jobs = batching.arrive(Seconds(1), 2);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].kind, Kind::kPrefill);
  EXPECT_EQ(jobs[0].requests, (std::vector<std::uint32_t>{0}));

  jobs = batching.finish(Seconds(2), jobs[0]);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].kind, Kind::kDecode);
  EXPECT_EQ(batching.requests()[0].first_token, Seconds(2));
  EXPECT_EQ(batching.decode_start(), Seconds(2));

  jobs = batching.finish(Seconds(3), jobs[0]);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_TRUE(batching.finish(Seconds(4), jobs[0]).empty());
  EXPECT_TRUE(batching.requests()[0].finished());
  EXPECT_EQ(batching.requests()[0].last_token, Seconds(4));
}

TEST(Batching, ALateRequestJoinsItsBatchAtTheNextPass) {
  Batching batching({2}, false);
  auto prefill_0 = batching.arrive(Seconds(0), 5);
  auto decode = batching.finish(Seconds(1), prefill_0[0]);
  auto prefill_1 = batching.arrive(Seconds(1.5), 5);
  ASSERT_EQ(prefill_1.size(), 1u);
  EXPECT_TRUE(batching.finish(Seconds(1.8), prefill_1[0]).empty());  // the batch is in the middle of a pass
  decode = batching.finish(Seconds(2), decode[0]);
  ASSERT_EQ(decode.size(), 1u);
  EXPECT_EQ(decode[0].requests, (std::vector<std::uint32_t>{0, 1}));
}

TEST(Batching, WhoFindsNoRoomWaitsUntilSomebodyHasAllTokens) {
  Batching batching({1}, false);
  const auto first = batching.arrive(Seconds(0), 1);
  EXPECT_TRUE(batching.arrive(Seconds(0), 1).empty());
  const auto decode = batching.finish(Seconds(1), first[0]);
  const auto second = batching.finish(Seconds(2), decode[0]);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].kind, Kind::kPrefill);
  EXPECT_EQ(second[0].requests, (std::vector<std::uint32_t>{1}));
}

TEST(Batching, RequestsSpreadOverMicroBatches) {
  Batching batching({2, 1}, false);
  std::vector<std::uint32_t> groups;
  for (int i = 0; i < 3; ++i) groups.push_back(batching.arrive(Seconds(0), 1)[0].group);
  std::ranges::sort(groups);
  EXPECT_EQ(groups, (std::vector<std::uint32_t>{0, 0, 1}));
}

TEST(Batching, TogetherNobodyDecodesBeforeAllHaveReadTheirPrompts) {
  Batching batching({1, 1}, true);
  const auto first = batching.arrive(Seconds(0), 3);
  const auto second = batching.arrive(Seconds(0), 3);
  EXPECT_TRUE(batching.finish(Seconds(1), first[0]).empty());
  const auto decodes = batching.finish(Seconds(2), second[0]);
  ASSERT_EQ(decodes.size(), 2u);
  EXPECT_NE(decodes[0].group, decodes[1].group);
  EXPECT_EQ(batching.decode_start(), Seconds(2));
}

/// Passes end in any order, requests come at any time: every request gets exactly its tokens, and no
/// micro-batch ever holds more than it has places for or decodes twice at once.
RC_GTEST_PROP(Batching, ServesEveryRequestExactly, ()) {
  const auto places = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 4)));
  const auto wanted = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 6));
  Batching batching(places, false);
  std::vector<PassJob> under_way;
  std::vector<std::uint64_t> tokens(wanted.size(), 0);
  std::size_t arrived = 0;
  double now = 0;
  while (arrived < wanted.size() || !under_way.empty()) {
    now += 1;
    std::vector<PassJob> started;
    if (arrived < wanted.size() && (under_way.empty() || *rc::gen::arbitrary<bool>())) {
      started = batching.arrive(Seconds(now), wanted[arrived++]);
    } else {
      const auto index = *rc::gen::inRange<std::size_t>(0, under_way.size());
      const PassJob job = under_way[index];
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(index));
      if (job.kind == Kind::kDecode) {
        for (const std::uint32_t request : job.requests) ++tokens[request];
      }
      started = batching.finish(Seconds(now), job);
    }
    under_way.insert(under_way.end(), started.begin(), started.end());
    for (std::uint32_t group = 0; group < places.size(); ++group) {
      std::uint64_t reading = 0;
      std::uint64_t decoding = 0;
      std::uint64_t passes = 0;
      for (const PassJob& job : under_way) {
        if (job.group != group) continue;
        if (job.kind == Kind::kPrefill) ++reading;
        if (job.kind == Kind::kDecode) decoding += job.requests.size(), ++passes;
      }
      RC_ASSERT(reading + decoding <= places[group]);
      RC_ASSERT(passes <= 1u);
    }
  }
  RC_ASSERT(tokens == wanted);
  for (const RequestProgress& request : batching.requests()) RC_ASSERT(request.finished());
}

}  // namespace
}  // namespace spanker
