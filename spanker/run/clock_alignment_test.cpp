#include "spanker/run/clock_alignment.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace spanker {
namespace {

/// One exchange of three cards; where it is a broadcast, card 0 sends to card 1 and that one to card 2.
StepGraph graph_of(Collective collective) {
  StepGraph graph;
  const CardId cards[] = {0, 1, 2};
  Exchange exchange;
  exchange.collective = collective;
  exchange.group = graph.add_group(cards);
  Step step;
  step.exchange = graph.begin_exchange(exchange);
  StepId last = graph.add(step, {});
  for (const CardId from : {0u, 1u}) {
    step.kind = StepKind::kSend;
    step.card = from;
    step.to = from + 1;
    last = graph.add(step, {&last, 1});
    graph.end_round();
  }
  graph.end_exchange();
  return graph;
}

/// A clock that reads `behind` less than the first, and was at the exchange from `start` to `end` of that
/// one.
StepClock clock_of(CardId card, Seconds behind, std::vector<std::pair<Seconds, Seconds>> times) {
  StepClock clock(card, {}, 100);
  for (std::uint32_t instance = 0; instance < times.size(); ++instance) {
    clock.begin_pass(instance);
    clock.note_exchange(0, times[instance].first - behind, times[instance].second - behind);
  }
  return clock;
}

TEST(ClockAlignment, IsAsExactAsTheShortestExchange) {
  const StepGraph graph = graph_of(Collective::kAllReduce);
  const std::vector<StepClock> clocks = {
      clock_of(0, Seconds(0), {{Seconds(1), Seconds(3)}, {Seconds(5.0), Seconds(5.1)}}),
      clock_of(1, Seconds(40), {{Seconds(2), Seconds(3)}, {Seconds(4.9), Seconds(5.1)}}),
      clock_of(2, Seconds(-7), {{Seconds(1), Seconds(3)}, {Seconds(5.0), Seconds(5.1)}}),
  };
  const auto shifts = clock_shifts(graph, clocks);
  ASSERT_EQ(shifts.size(), 3u);
  EXPECT_EQ(shifts[0], Seconds(0));
  EXPECT_NEAR(shifts[1].count(), 40, 0.2);
  EXPECT_NEAR(shifts[2].count(), -7, 0.2);
}

TEST(ClockAlignment, OfWhatGoesOneWayMovesNoFurtherThanItMust) {
  const StepGraph graph = graph_of(Collective::kBroadcast);
  // Card 1 seems to have what card 0 sends before that one came, and card 2 not.
  const std::vector<StepClock> clocks = {
      clock_of(0, Seconds(0), {{Seconds(1), Seconds(2)}}),
      clock_of(1, Seconds(4), {{Seconds(1), Seconds(3)}}),
      clock_of(2, Seconds(1), {{Seconds(2), Seconds(5)}}),
  };
  const auto shifts = clock_shifts(graph, clocks);
  EXPECT_EQ(shifts[1], Seconds(2));
  EXPECT_EQ(shifts[2], Seconds(0));
}

TEST(ClockAlignment, LeavesClocksThatShareNothing) {
  const StepGraph graph = graph_of(Collective::kAllReduce);
  const std::vector<StepClock> clocks = {clock_of(0, Seconds(0), {}), clock_of(1, Seconds(3), {})};
  EXPECT_EQ(clock_shifts(graph, clocks), std::vector<Seconds>(2, Seconds(0)));
}

}  // namespace
}  // namespace spanker
