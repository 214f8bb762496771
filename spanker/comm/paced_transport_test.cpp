#include "spanker/comm/paced_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "spanker/comm/byte_messages.hpp"
#include "spanker/comm/local_cards.hpp"

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

// All times are those of the paced clocks, which no busy machine changes.

/// 1 kB takes 1 ms, and every way 2 ms more.
constexpr double kBandwidth = 1e6;
constexpr double kLatency = 2e-3;

PacedRoute straight(std::uint32_t from, std::uint32_t to) {
  const BytesPerSecond bandwidth(kBandwidth);
  const std::uint32_t link = 10 * from + to;
  return {link, link, bandwidth, bandwidth, bandwidth, Seconds(kLatency)};
}

using PacedCard = std::function<Result<void>(Communicator&, PacedClock&)>;

/// When each of the cards was done, by its clock.
std::vector<double> ends_of(std::uint32_t cards, const PacedRoutes& routes, const PacedCard& card) {
  std::vector<double> ends(cards);
  const auto start = Clock::now();
  const auto done = run_in_process(cards, [&](Communicator& fast) -> Result<void> {
    PacedClock clock(start);
    Endpoint endpoint(std::make_unique<PacedTransport>(fast.endpoint().transport(), clock, routes));
    Communicator world(endpoint);
    if (auto ran = card(world, clock); !ran) return ran;
    ends[fast.rank()] = clock.now().count();
    return endpoint.transport().finish_sends(endpoint.timeout());
  });
  EXPECT_TRUE(done.has_value()) << (done ? "" : to_line(done.error()));
  return ends;
}

std::vector<float> kilobytes(std::size_t count) { return std::vector<float>(250 * count, 1.0f); }

TEST(PacedTransport, HoldsAMessageForItsBytesAndItsLatency) {
  const auto ends = ends_of(2, straight, [](Communicator& world, PacedClock& clock) -> Result<void> {
    auto values = kilobytes(3);
    if (world.rank() == 1) return world.recv(0, values);
    clock.spend(Seconds(1e-3));
    return world.send(1, values);
  });
  EXPECT_DOUBLE_EQ(ends[0], 1e-3);
  EXPECT_DOUBLE_EQ(ends[1], 1e-3 + 3e-3 + kLatency);
}

TEST(PacedTransport, MessagesFollowOneAnotherOnALink) {
  const auto ends = ends_of(2, straight, [](Communicator& world, PacedClock&) -> Result<void> {
    for (const std::size_t size : {3u, 2u, 1u}) {
      auto values = kilobytes(size);
      auto done = world.rank() == 0 ? world.send(1, values) : world.recv(0, values);
      if (!done) return done;
    }
    return {};
  });
  EXPECT_NEAR(ends[1], 6e-3 + kLatency, 1e-12);
}

TEST(PacedTransport, AReceiverThatIsBehindItselfDoesNotWait) {
  const auto ends = ends_of(2, straight, [](Communicator& world, PacedClock& clock) -> Result<void> {
    auto values = kilobytes(1);
    if (world.rank() == 0) return world.send(1, values);
    clock.spend(Seconds(20e-3));
    return world.recv(0, values);
  });
  EXPECT_DOUBLE_EQ(ends[1], 20e-3);
}

/// 0 and 1 reach 2 by its one cable, as through a switch: their own cables first.
PacedRoute through_switch(std::uint32_t from, std::uint32_t to) {
  return {from,
          100 + to,
          BytesPerSecond(4 * kBandwidth),
          BytesPerSecond(kBandwidth),
          BytesPerSecond(kBandwidth),
          Seconds(kLatency)};
}

TEST(PacedTransport, ManySendersShareTheLastLink) {
  const auto ends = ends_of(3, through_switch, [](Communicator& world, PacedClock&) -> Result<void> {
    auto values = kilobytes(4);
    if (world.rank() < 2) return world.send(2, values);
    if (auto first = world.recv(0, values); !first) return first;
    return world.recv(1, values);
  });
  EXPECT_NEAR(ends[2], 8e-3 + kLatency, 1e-12);
}

TEST(PacedTransport, ASlowLinkBehindAFastOneSetsThePace) {
  const auto ends = ends_of(2, through_switch, [](Communicator& world, PacedClock&) -> Result<void> {
    // The second leaves after a quarter of the first one's time, and comes when the slow link is free.
    for (int i = 0; i < 2; ++i) {
      auto values = kilobytes(4);
      auto done = world.rank() == 0 ? world.send(1, values) : world.recv(0, values);
      if (!done) return done;
    }
    return {};
  });
  EXPECT_NEAR(ends[1], 8e-3 + kLatency, 1e-12);
}

TEST(PacedTransport, BytesTakeNoTimeButTellTheTime) {
  const auto ends = ends_of(2, straight, [](Communicator& world, PacedClock& clock) -> Result<void> {
    if (world.rank() == 0) clock.spend(Seconds(5e-3));
    const auto told = broadcast_bytes(world.endpoint(), std::string(100'000, 'x'));
    if (!told) return Failure(told.error());
    EXPECT_EQ(told->size(), 100'000u);
    return {};
  });
  EXPECT_DOUBLE_EQ(ends[1], 5e-3);
}

TEST(PacedTransport, ARingTakesItsRounds) {
  constexpr std::uint32_t kCards = 4;
  const auto ends = ends_of(kCards, straight, [](Communicator& world, PacedClock&) -> Result<void> {
    auto values = kilobytes(kCards);
    auto done = world.all_reduce(values, ReduceOp::kSum, Algorithm::kRing);
    EXPECT_TRUE(std::ranges::all_of(values, [](float value) { return value == kCards; }));
    return done;
  });
  for (const double end : ends) EXPECT_NEAR(end, 2 * (kCards - 1) * (1e-3 + kLatency), 1e-12);
}

TEST(PacedTransport, RefusesMessagesWithoutATime) {
  const auto done = run_in_process(2, [](Communicator& fast) -> Result<void> {
    std::vector<float> value(1);
    if (fast.rank() == 0) return fast.send(1, value);
    PacedClock clock(Clock::now());
    Endpoint endpoint(std::make_unique<PacedTransport>(fast.endpoint().transport(), clock, straight));
    Communicator world(endpoint);
    return world.recv(0, value);
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(to_line(done.error()).find("card 0 sends without pace"), std::string::npos)
      << to_line(done.error());
}

TEST(PacedClock, WaitsForTheMachineAndPolls) {
  const auto start = Clock::now();
  PacedClock clock(start);
  clock.spend(Seconds(30e-3));
  int polls = 0;
  clock.wait([&] { ++polls; });
  EXPECT_GE(Seconds(Clock::now() - start), Seconds(30e-3));
  EXPECT_GE(polls, 2);
  EXPECT_DOUBLE_EQ(clock.now().count(), 30e-3);
}

TEST(PacedClock, LatenessIsToldAndDoesNotAddUp) {
  PacedClock clock(Clock::now() - std::chrono::milliseconds(50));
  clock.spend(Seconds(10e-3));
  clock.wait([] {});
  EXPECT_GE(clock.lateness(), Seconds(40e-3));
  EXPECT_DOUBLE_EQ(clock.now().count(), 10e-3);
  const Seconds before = clock.lateness();
  clock.spend(Seconds(1000));  // ahead again
  clock.advance_to(Seconds(5));
  EXPECT_DOUBLE_EQ(clock.now().count(), 1000.01);
  EXPECT_EQ(clock.lateness(), before);
}

}  // namespace
}  // namespace spanker
