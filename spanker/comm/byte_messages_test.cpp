#include "spanker/comm/byte_messages.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spanker/comm/communicator.hpp"
#include "spanker/comm/local_cards.hpp"
#include "spanker/comm/local_transport.hpp"

namespace spanker {
namespace {

using Texts = std::vector<std::string>;

/// Of every length that is treated in its own way: nothing, short, one that lies beyond what is copied.
Texts some_texts(std::uint32_t cards) {
  Texts texts;
  for (std::uint32_t card = 0; card < cards; ++card) {
    texts.push_back(std::string((card % 4) * 50'000, static_cast<char>('a' + card)));
  }
  texts.back() += std::string("\0zero\n", 6);
  return texts;
}

TEST(ByteMessages, GatherGivesCardZeroWhatEachHas) {
  for (const std::uint32_t cards : {1u, 2u, 3u, 8u}) {
    const Texts texts = some_texts(cards);
    std::vector<Texts> got(cards);
    const auto done = run_in_process(cards, [&](Communicator& world) -> Result<void> {
      auto all = gather_bytes(world.endpoint(), texts[world.rank()]);
      if (!all) return Failure(all.error());
      got[world.rank()] = std::move(*all);
      return {};
    });
    ASSERT_TRUE(done) << to_line(done.error());
    EXPECT_EQ(got[0], texts);
    for (std::uint32_t card = 1; card < cards; ++card) EXPECT_EQ(got[card], Texts{});
  }
}

TEST(ByteMessages, BroadcastGivesEachWhatCardZeroHas) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(200'000, 'y')}) {
    Texts got(5);
    const auto done = run_in_process(5, [&](Communicator& world) -> Result<void> {
      auto bytes = broadcast_bytes(world.endpoint(), world.rank() == 0 ? text : "not this");
      if (!bytes) return Failure(bytes.error());
      got[world.rank()] = std::move(*bytes);
      return {};
    });
    ASSERT_TRUE(done) << to_line(done.error());
    EXPECT_EQ(got, Texts(5, text));
  }
}

TEST(ByteMessages, AllGatherGivesEachWhatEachHas) {
  for (const std::uint32_t cards : {1u, 2u, 3u, 8u}) {
    const Texts texts = some_texts(cards);
    std::vector<Texts> got(cards);
    const auto done = run_in_process(cards, [&](Communicator& world) -> Result<void> {
      auto all = all_gather_bytes(world.endpoint(), texts[world.rank()]);
      if (!all) return Failure(all.error());
      got[world.rank()] = std::move(*all);
      return {};
    });
    ASSERT_TRUE(done) << to_line(done.error());
    EXPECT_EQ(got, std::vector<Texts>(cards, texts));
  }
}

TEST(ByteMessages, OneAfterAnotherBetweenCollectives) {
  const auto done = run_in_process(3, [](Communicator& world) -> Result<void> {
    for (std::uint32_t i = 0; i < 50; ++i) {
      std::vector<float> ones(8, 1);
      if (auto sum = world.all_reduce(ones, ReduceOp::kSum, Algorithm::kDirect); !sum) return sum;
      EXPECT_EQ(ones[0], 3);
      const auto all = all_gather_bytes(world.endpoint(), std::to_string(world.rank() * 100 + i));
      if (!all) return Failure(all.error());
      EXPECT_EQ((*all)[2], std::to_string(200 + i));
    }
    return {};
  });
  EXPECT_TRUE(done) << to_line(done.error());
}

TEST(ByteMessages, ACardThatCallsACollectiveIsNamed) {
  const auto done = run_in_process(2, [](Communicator& world) -> Result<void> {
    if (world.rank() == 1) {
      std::vector<float> values(10);
      return world.send(0, values);
    }
    world.endpoint().set_step("start");
    const auto all = gather_bytes(world.endpoint(), "own");
    return all ? Result<void>() : Failure(all.error());
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(
      to_line(done.error()),
      "card 0, bytes from card 1, at start: card 1 calls something else, wanted bytes, got send of 10 f32");
}

TEST(ByteMessages, ACardThatCallsThemInAPlaceOfACollectiveIsNamed) {
  const auto done = run_in_process(2, [](Communicator& world) -> Result<void> {
    if (world.rank() == 1) {
      const auto sent = gather_bytes(world.endpoint(), "hello");
      return sent ? Result<void>() : Failure(sent.error());
    }
    std::vector<float> values(10);
    return world.recv(1, values);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(to_line(done.error()).find("card 1 calls something else, wanted send of 10 f32"),
            std::string::npos)
      << to_line(done.error());
}

TEST(ByteMessages, ACardThatSaysNothingIsLost) {
  const auto done = run_in_process(3,
                                   [](Communicator& world) -> Result<void> {
                                     if (world.rank() == 2) return {};
                                     const auto all = all_gather_bytes(world.endpoint(), "here");
                                     return all ? Result<void>() : Failure(all.error());
                                   },
                                   {.timeout = Seconds(300), .spin = {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kPeerLost);
  EXPECT_NE(to_line(done.error()).find("bytes from card 2"), std::string::npos) << to_line(done.error());
}

/// Hands over what it receives with its last bytes cut off.
class CuttingTransport final : public Transport {
 public:
  CuttingTransport(Transport& whole, std::size_t cut) : whole_(whole), cut_(cut) {}

  std::uint32_t card() const override { return whole_.card(); }
  std::uint32_t card_count() const override { return whole_.card_count(); }
  std::string name(std::uint32_t card) const override { return whole_.name(card); }
  Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) override {
    return whole_.send(to, message, timeout);
  }
  Result<Message> receive(std::uint32_t from, Seconds timeout) override {
    auto message = whole_.receive(from, timeout);
    if (message) message->payload = message->payload.first(message->payload.size() - cut_);
    return message;
  }
  void release(std::uint32_t from) override { whole_.release(from); }
  Result<void> finish_sends(Seconds timeout) override { return whole_.finish_sends(timeout); }
  void fail(const Error& why) override { whole_.fail(why); }

 private:
  Transport& whole_;
  std::size_t cut_;
};

TEST(ByteMessages, WhatIsCutOffIsToldAndNotRead) {
  const Texts texts = {"first", "second"};
  const std::size_t packed = 2 * 8 + 5 + 6;
  for (std::size_t cut = 1; cut <= packed; ++cut) {
    Result<Texts> got;
    const auto done = run_in_process(2, [&](Communicator& world) -> Result<void> {
      if (world.rank() == 0) {
        const auto all = all_gather_bytes(world.endpoint(), texts[0]);
        return all ? Result<void>() : Failure(all.error());
      }
      Endpoint cutting(std::make_unique<CuttingTransport>(world.endpoint().transport(), cut));
      got = all_gather_bytes(cutting, texts[1]);
      return {};
    });
    ASSERT_FALSE(got) << cut;
    EXPECT_EQ(got.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(to_line(got.error()), "card 1, bytes from card 0: what all cards have is cut off");
    EXPECT_FALSE(done);
  }
}

}  // namespace
}  // namespace spanker
