#include "spanker/run/step_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace spanker {
namespace {

/// A kernel on each of two cards, then an exchange in which each sends to the other.
struct TwoCards {
  TwoCards() {
    Step kernel;
    kernel.kind = StepKind::kKernel;
    kernel.op = OperatorKind::kQkv;
    kernel.layer = 0;
    for (const CardId card : {0u, 1u}) {
      kernel.card = card;
      kernels.push_back(graph.add(kernel, {}));
    }
    const CardId cards[] = {0, 1};
    Exchange exchange;
    exchange.use = ExchangeUse::kAttentionOutput;
    exchange.group = graph.add_group(cards);
    Step part;
    part.exchange = graph.begin_exchange(exchange);
    const StepId join = graph.add(part, kernels);
    part.kind = StepKind::kSend;
    for (const CardId card : {0u, 1u}) {
      part.card = card;
      part.to = 1 - card;
      sends.push_back(graph.add(part, {&join, 1}));
    }
    graph.end_round();
    part.kind = StepKind::kJoin;
    graph.add(part, sends);
    graph.end_exchange();
  }

  StepGraph graph;
  std::vector<StepId> kernels;
  std::vector<StepId> sends;
};

std::vector<TimelineEntry> sorted(Timeline timeline) {
  std::ranges::sort(timeline.entries, {},
                    [](const TimelineEntry& e) { return std::pair(e.instance, e.step); });
  return timeline.entries;
}

TEST(StepClock, AnExchangeStartsWhenTheLastCardHasCome) {
  const TwoCards two;
  const auto start = std::chrono::steady_clock::now();
  std::vector<StepClock> clocks = {{0, start, 2}, {1, start, 2}};
  for (const std::uint32_t instance : {0u, 1u, 2u}) {
    clocks[0].begin_pass(instance);
    clocks[0].note_step(two.kernels[0], Seconds(10.0 * instance), Seconds(10.0 * instance + 1));
    clocks[0].note_exchange(0, Seconds(10.0 * instance + 1), Seconds(10.0 * instance + 6));
    clocks[1].begin_pass(instance);
    clocks[1].note_step(two.kernels[1], Seconds(10.0 * instance), Seconds(10.0 * instance + 4));
    clocks[1].note_exchange(0, Seconds(10.0 * instance + 4), Seconds(10.0 * instance + 5));
  }
  const Timeline timeline = measured_timeline(two.graph, clocks);
  std::vector<TimelineEntry> wanted;
  for (const std::uint32_t instance : {0u, 1u}) {  // of the third no more is noted
    const auto at = [&](double seconds) { return Seconds(10.0 * instance + seconds); };
    wanted.push_back({instance, two.kernels[0], at(0), at(1)});
    wanted.push_back({instance, two.kernels[1], at(0), at(4)});
    // Each has come when its receiver leaves.
    wanted.push_back({instance, two.sends[0], at(4), at(5)});
    wanted.push_back({instance, two.sends[1], at(4), at(6)});
  }
  EXPECT_EQ(sorted(timeline), wanted);

  const auto kinds = seconds_by_kind(two.graph, timeline, 1);
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_EQ(kinds[0].kind, "qkv");
  EXPECT_EQ(kinds[0].seconds, Seconds(4));
  EXPECT_EQ(kinds[1].kind, "attention_all_reduce");
  EXPECT_EQ(kinds[1].seconds, Seconds(2));
}

TEST(StepClock, AMessageThatHasComeBeforeTheOthersHasNoTime) {
  const TwoCards two;
  const auto start = std::chrono::steady_clock::now();
  std::vector<StepClock> clocks = {{0, start, 1}, {1, start, 1}};
  clocks[0].note_exchange(0, Seconds(1), Seconds(2));
  clocks[1].note_exchange(0, Seconds(5), Seconds(6));
  EXPECT_EQ(sorted(measured_timeline(two.graph, clocks)),
            (std::vector<TimelineEntry>{{0, two.sends[0], Seconds(5), Seconds(6)},
                                        {0, two.sends[1], Seconds(2), Seconds(2)}}));
}

}  // namespace
}  // namespace spanker
