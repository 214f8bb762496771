#include "spanker/comm/local_transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

namespace spanker {
namespace {

constexpr Seconds kLong{300};

Message message_of(std::span<const int> numbers, std::uint64_t elements = 0) {
  MessageHeader header;
  header.elements = elements;
  return {header, std::as_bytes(numbers)};
}

TEST(LocalTransport, KeepsTheOrderOfEachPairAndReadsInPlace) {
  LocalNetwork network(3, Seconds(0));
  LocalTransport zero(network, 0);
  LocalTransport one(network, 1);
  LocalTransport two(network, 2);
  EXPECT_EQ(one.card(), 1u);
  EXPECT_EQ(one.card_count(), 3u);
  const std::array<int, 3> numbers = {7, 8, 9};
  ASSERT_TRUE(zero.send(2, message_of(numbers, 1), kLong));
  ASSERT_TRUE(one.send(2, message_of({}, 2), kLong));
  ASSERT_TRUE(zero.send(2, message_of({}, 3), kLong));
  // Whoever is asked for first, whoever sent first.
  EXPECT_EQ(two.receive(1, kLong)->header.elements, 2u);
  const auto first = two.receive(0, kLong);
  EXPECT_EQ(first->header.elements, 1u);
  EXPECT_EQ(first->payload.data(), std::as_bytes(std::span(numbers)).data());
  EXPECT_EQ(first->payload.size(), sizeof numbers);
  two.release(0);
  EXPECT_EQ(two.receive(0, kLong)->header.elements, 3u);
}

TEST(LocalTransport, FinishesSendsWhenAllAreReleased) {
  LocalNetwork network(2, Seconds(0));
  LocalTransport zero(network, 0);
  LocalTransport one(network, 1);
  EXPECT_TRUE(zero.finish_sends(kLong));
  const std::array<int, 1> number = {0};
  ASSERT_TRUE(zero.send(1, message_of(number), kLong));
  EXPECT_FALSE(zero.finish_sends(Seconds(0.01)));
  ASSERT_TRUE(one.receive(0, kLong));
  EXPECT_FALSE(zero.finish_sends(Seconds(0)));
  one.release(0);
  EXPECT_TRUE(zero.finish_sends(Seconds(0)));
}

// Sleeping and spinning, one waits for the other 1000 times, with changing leads.
TEST(LocalTransport, WakesWhoSleeps) {
  for (const double spin : {0.0, 20e-6}) {
    LocalNetwork network(2, Seconds(spin));
    const auto play = [&](std::uint32_t own) {
      LocalTransport transport(network, own);
      for (std::uint64_t turn = 0; turn < 1000; ++turn) {
        if (turn % 100 == own * 50) std::this_thread::sleep_for(std::chrono::microseconds(100));
        ASSERT_TRUE(transport.send(1 - own, message_of({}, turn), kLong));
        const auto message = transport.receive(1 - own, kLong);
        ASSERT_TRUE(message);
        ASSERT_EQ(message->header.elements, turn);
        transport.release(1 - own);
      }
    };
    std::jthread other(play, 1);
    play(0);
  }
}

TEST(LocalTransport, WaitsAsLongAsItIsTold) {
  LocalNetwork network(2, Seconds(0));
  LocalTransport zero(network, 0);
  const auto start = std::chrono::steady_clock::now();
  const auto message = zero.receive(1, Seconds(0.05));
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(message);
  EXPECT_EQ(to_line(message.error()), "card 0: card 1 is lost, wanted a message within 50 ms, got nothing");
  EXPECT_GE(time.count(), 0.05);
  EXPECT_LT(time.count(), 20);
}

TEST(LocalNetwork, TheFirstFailureCounts) {
  LocalNetwork network(3, Seconds(0));
  EXPECT_FALSE(network.first_failure());
  network.fail(2, {ErrorKind::kIo, "disk", "is full", "", ""});
  network.fail(1, {ErrorKind::kIo, "tape", "is torn", "", ""});
  EXPECT_EQ(network.first_failure()->where, "disk");
  LocalTransport zero(network, 0);
  EXPECT_EQ(to_line(zero.receive(1, kLong).error()), "card 0: card 2 has failed (disk: is full)");
  EXPECT_EQ(to_line(zero.send(1, message_of({}), kLong).error()),
            "card 0: card 2 has failed (disk: is full)");
}

TEST(LocalNetwork, WhatALeavingCardSentIsReceivedYet) {
  LocalNetwork network(2, Seconds(0));
  LocalTransport zero(network, 0);
  LocalTransport one(network, 1);
  ASSERT_TRUE(one.send(0, message_of({}, 5), kLong));
  network.leave(1);
  EXPECT_EQ(network.unread_message()->what, "never received what card 1 sent");
  EXPECT_EQ(zero.receive(1, kLong)->header.elements, 5u);
  zero.release(1);
  EXPECT_FALSE(network.unread_message());
  EXPECT_EQ(to_line(zero.receive(1, kLong).error()), "card 0: card 1 has left, wanted a message");
}

}  // namespace
}  // namespace spanker
