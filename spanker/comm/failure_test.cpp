// What cards are told where one of them does something else, or nothing.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "spanker/base/sanitized_for_test.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/comm/local_cards.hpp"
#include "spanker/comm/local_transport.hpp"

namespace spanker {
namespace {

using Card = std::function<Result<void>(Communicator&)>;
using Vector = std::vector<float>;

constexpr Algorithm kDirect = Algorithm::kDirect;
constexpr ReduceOp kSum = ReduceOp::kSum;

/// Longer than any test: what comes before is no timeout.
constexpr LocalCardsOptions kPatient{.timeout = Seconds(300), .spin = {}};

struct Outcome {
  Result<void> run;
  std::vector<Result<void>> cards;  ///< what each returned
};

Outcome outcome_of(std::uint32_t ranks, const Card& card, const LocalCardsOptions& options = kPatient) {
  Outcome outcome;
  outcome.cards.resize(ranks);
  outcome.run = run_in_process(
      ranks,
      [&](Communicator& communicator) { return outcome.cards[communicator.rank()] = card(communicator); },
      options);
  return outcome;
}

std::string line_of(const Result<void>& result) { return result ? "fine" : to_line(result.error()); }

/// Expects that of two cards one found that the other does something else, and that nobody waited.
void expect_mismatch(const Card& first, const Card& second, const std::string& first_line,
                     const std::string& second_line) {
  const Outcome outcome = outcome_of(2, [&](Communicator& communicator) {
    return communicator.rank() == 0 ? first(communicator) : second(communicator);
  });
  ASSERT_FALSE(outcome.run) << first_line;
  EXPECT_EQ(outcome.run.error().kind, ErrorKind::kBadInput) << to_line(outcome.run.error());
  const std::string line = to_line(outcome.run.error());
  EXPECT_TRUE(line == first_line || line == second_line)
      << "got " << line << "\nneither " << first_line << "\nnor     " << second_line;
}

Card all_reduce(std::uint64_t elements, ReduceOp op = kSum, Algorithm algorithm = kDirect,
                WireType wire = WireType::kF32) {
  return [=](Communicator& communicator) -> Result<void> {
    Vector values(elements);
    return communicator.all_reduce(values, op, algorithm, wire);
  };
}

TEST(Mismatch, OfCountsNamesTheCardAndBoth) {
  expect_mismatch(
      all_reduce(10), all_reduce(12),
      "card 0, all_reduce (sum) of 10 f32 by direct, call 1, round 1: card 1 calls something else, "
      "wanted all_reduce (sum) of 10 f32 by direct, call 1, "
      "got all_reduce (sum) of 12 f32 by direct, call 1",
      "card 1, all_reduce (sum) of 12 f32 by direct, call 1, round 1: card 0 calls something else, "
      "wanted all_reduce (sum) of 12 f32 by direct, call 1, "
      "got all_reduce (sum) of 10 f32 by direct, call 1");
}

/// Both lines of a mismatch, from what each card calls.
void expect_mismatch(const Card& first, const Card& second, const std::string& first_call, int first_round,
                     const std::string& second_call, int second_round) {
  const auto line = [](int card, const std::string& own, int round, const std::string& other) {
    return "card " + std::to_string(card) + ", " + own + ", round " + std::to_string(round) + ": card " +
           std::to_string(1 - card) + " calls something else, wanted " + own + ", got " + other;
  };
  expect_mismatch(first, second, line(0, first_call, first_round, second_call),
                  line(1, second_call, second_round, first_call));
}

TEST(Mismatch, OfOperationTypeAlgorithmAndCollective) {
  const std::string usual = "all_reduce (sum) of 10 f32 by direct, call 1";
  expect_mismatch(all_reduce(10), all_reduce(10, ReduceOp::kMax), usual, 1,
                  "all_reduce (max) of 10 f32 by direct, call 1", 1);
  expect_mismatch(all_reduce(10), all_reduce(10, kSum, kDirect, WireType::kF16), usual, 1,
                  "all_reduce (sum) of 10 f16 by direct, call 1", 1);
  expect_mismatch(all_reduce(10), all_reduce(10, kSum, Algorithm::kRecursiveDoubling), usual, 1,
                  "all_reduce (sum) of 10 f32 by recursive_doubling, call 1", 1);
  const auto all_gather = [](Communicator& communicator) {
    Vector values(10);
    return communicator.all_gather(values, {}, kDirect);
  };
  expect_mismatch(all_reduce(10), all_gather, usual, 1, "all_gather of 10 f32 by direct, call 1", 1);
  const auto reduce_scatter = [](Communicator& communicator) {
    Vector values(10);
    return communicator.reduce_scatter(values, {}, ReduceOp::kMin, kDirect);
  };
  expect_mismatch(all_gather, reduce_scatter, "all_gather of 10 f32 by direct, call 1", 1,
                  "reduce_scatter (min) of 10 f32 by direct, call 1", 1);
  expect_mismatch(
      all_reduce(10), [](Communicator& communicator) { return communicator.barrier(); }, usual, 1,
      "barrier, call 1", 1);
}

TEST(Mismatch, OfACallThatOneLeftOut) {
  const auto late = [](Communicator& communicator) -> Result<void> {
    if (auto done = all_reduce(0)(communicator); !done) return done;  // nothing travels
    return all_reduce(10)(communicator);
  };
  expect_mismatch(all_reduce(10), late, "all_reduce (sum) of 10 f32 by direct, call 1", 1,
                  "all_reduce (sum) of 10 f32 by direct, call 2", 1);
}

TEST(Mismatch, OfRoots) {
  // Each sends as the root that it believes to be; what came shows in the next call.
  const Card own_root = [](Communicator& communicator) -> Result<void> {
    Vector values(10);
    if (auto done = communicator.broadcast(values, communicator.rank(), kDirect); !done) return done;
    return communicator.barrier();
  };
  expect_mismatch(own_root, own_root,
                  "card 0, barrier, call 2, round 1: card 1 calls something else, wanted barrier, call 2, "
                  "got broadcast from rank 1 of 10 f32 by direct, call 1",
                  "card 1, barrier, call 2, round 1: card 0 calls something else, wanted barrier, call 2, "
                  "got broadcast from rank 0 of 10 f32 by direct, call 1");
  const auto gather_to = [](std::uint32_t root) {
    return [root](Communicator& communicator) -> Result<void> {
      Vector values(10);
      return communicator.gather(values, {}, root, kDirect);
    };
  };
  // Both wait for the other's chunk.
  const Outcome outcome =
      outcome_of(2, [&](Communicator& communicator) { return gather_to(communicator.rank())(communicator); },
                 {.timeout = Seconds(0.05), .spin = {}});
  ASSERT_FALSE(outcome.run);
  EXPECT_EQ(outcome.run.error().kind, ErrorKind::kPeerLost);
  EXPECT_EQ(outcome.run.error().what.substr(5),
            outcome.run.error().where[5] == '0' ? "1 is lost" : "0 is lost");
}

TEST(Mismatch, OfGroups) {
  const auto in_order = [](std::vector<std::uint32_t> ranks) {
    return [ranks](Communicator& communicator) -> Result<void> {
      auto group = communicator.group(ranks);
      if (!group) return Failure(group.error());
      return all_reduce(10)(*group);
    };
  };
  // Both are rank 0 of theirs.
  const std::string call = ", all_reduce (sum) of 10 f32 by direct, call 1";
  const std::string fault =
      " does so in another group of cards, wanted all_reduce (sum) of 10 f32 by direct, "
      "call 1, got all_reduce (sum) of 10 f32 by direct, call 1";
  expect_mismatch(in_order({0, 1}), in_order({1, 0}), "card 0" + call + ", round 1: card 1" + fault,
                  "card 1" + call + ", round 1: card 0" + fault);
}

TEST(Mismatch, OfCountsByRank) {
  const auto with = [](std::vector<std::uint64_t> counts) {
    return [counts](Communicator& communicator) {
      Vector values(10);
      return communicator.all_gather(values, counts, kDirect);
    };
  };
  const std::string call = "all_gather of 10 f32 by direct, call 1";
  const auto line = [&](int card) {
    return "card " + std::to_string(card) + ", " + call + ", round 1: card " + std::to_string(1 - card) +
           " has other counts by rank, wanted " + call + ", got " + call;
  };
  expect_mismatch(with({4, 6}), with({5, 5}), line(0), line(1));
}

TEST(Mismatch, OfSendAndRecv) {
  const auto sends = [](Communicator& communicator) { return communicator.send(1, Vector(12)); };
  const auto receives = [](Communicator& communicator) {
    Vector values(10);
    return communicator.recv(0, values);
  };
  expect_mismatch(sends, receives, "",
                  "card 1, send of 10 f32 from card 0: card 0 calls something else, wanted send of 10 f32, "
                  "got send of 12 f32");
}

TEST(Mismatch, OfAMessageThatNobodyReceives) {
  const Outcome outcome = outcome_of(2, [](Communicator& communicator) -> Result<void> {
    return communicator.rank() == 0 ? communicator.send(1, Vector(3)) : Result<void>();
  });
  ASSERT_FALSE(outcome.run);
  EXPECT_EQ(to_line(outcome.run.error()), "card 1: never received what card 0 sent, got send of 3 f32");
}

TEST(PeerLost, WhereACardLeaves) {
  for (const std::uint32_t ranks : {2u, 3u, 9u}) {
    const std::uint32_t gone = ranks - 1;
    const Outcome outcome = outcome_of(ranks, [&](Communicator& communicator) -> Result<void> {
      if (communicator.rank() == gone) return {};
      return all_reduce(10)(communicator);
    });
    ASSERT_FALSE(outcome.run);
    EXPECT_EQ(outcome.run.error().kind, ErrorKind::kPeerLost);
    EXPECT_EQ(outcome.run.error().what, "card " + std::to_string(gone) + " has left") << line_of(outcome.run);
    EXPECT_EQ(outcome.run.error().wanted, "a message");
    for (std::uint32_t rank = 0; rank < gone; ++rank) {
      ASSERT_FALSE(outcome.cards[rank]);
      EXPECT_EQ(outcome.cards[rank].error().kind, ErrorKind::kPeerLost);
      EXPECT_NE(line_of(outcome.cards[rank]).find("card " + std::to_string(gone)), std::string::npos);
    }
  }
}

TEST(PeerLost, NotWhereACardLeftAfterItsLastCall) {
  const Outcome outcome = outcome_of(3, [](Communicator& communicator) -> Result<void> {
    Vector values(10, 1);
    const auto done = communicator.broadcast(values, 0, kDirect);  // rank 0 has left long since
    if (communicator.rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return done;
  });
  EXPECT_TRUE(outcome.run) << line_of(outcome.run);
}

TEST(PeerLost, WhereACardFails) {
  const Outcome outcome = outcome_of(8, [](Communicator& communicator) -> Result<void> {
    if (communicator.rank() == 5) return bad_input("weights.gguf", "too short", "9 bytes", "8");
    for (;;) {
      if (auto done = all_reduce(10, kSum, Algorithm::kRing)(communicator); !done) return done;
    }
  });
  EXPECT_EQ(line_of(outcome.run), "card 5: weights.gguf: too short, wanted 9 bytes, got 8");
  EXPECT_EQ(outcome.run.error().kind, ErrorKind::kBadInput);
  for (std::uint32_t rank = 0; rank < 8; ++rank) {
    if (rank == 5) continue;
    EXPECT_EQ(outcome.cards[rank].error().kind, ErrorKind::kPeerLost);
    EXPECT_EQ(outcome.cards[rank].error().what,
              "card 5 has failed (card 5: weights.gguf: too short, wanted 9 bytes, got 8)");
  }
}

// Also of those that need not wait for anybody.
TEST(PeerLost, EndsWhoOnlySends) {
  const Outcome outcome = outcome_of(3, [](Communicator& communicator) -> Result<void> {
    if (communicator.rank() == 2) return io_failure("disk", "is full");
    Vector value(1);
    for (;;) {
      const auto done = communicator.rank() == 0 ? communicator.send(1, value) : communicator.recv(0, value);
      if (!done) return done;
    }
  });
  EXPECT_EQ(line_of(outcome.run), "card 2: disk: is full");
}

TEST(PeerLost, AgainInEveryLaterCall) {
  const Outcome outcome = outcome_of(2, [](Communicator& communicator) -> Result<void> {
    if (communicator.rank() == 1) return {};
    EXPECT_FALSE(communicator.barrier());
    const auto again = communicator.send(1, Vector(1));
    EXPECT_FALSE(again);
    EXPECT_EQ(again.error().what,
              "card 0 has failed (card 0, barrier, call 1, round 1: card 1 has left, wanted a message)");
    return again;
  });
  EXPECT_EQ(line_of(outcome.run), "card 0, barrier, call 1, round 1: card 1 has left, wanted a message");
}

TEST(PeerLost, WhereACardIsLaterThanTheTimeout) {
  for (const double spin : {0.0, 1e-3}) {
    const auto start = std::chrono::steady_clock::now();
    std::latch told(1);
    const Outcome outcome = outcome_of(2,
                                       [&](Communicator& communicator) -> Result<void> {
                                         communicator.endpoint().set_step("token 7, layer 3");
                                         if (communicator.rank() == 1) {
                                           told.wait();
                                         } else {
                                           const auto done = all_reduce(10)(communicator);
                                           const std::chrono::duration<double> waited =
                                               std::chrono::steady_clock::now() - start;
                                           EXPECT_GE(waited.count(), 0.1);
                                           EXPECT_LT(waited.count(), 20);
                                           told.count_down();
                                           return done;
                                         }
                                         return all_reduce(10)(communicator);
                                       },
                                       {.timeout = Seconds(0.1), .spin = Seconds(spin)});
    EXPECT_EQ(
        line_of(outcome.run),
        "card 0, all_reduce (sum) of 10 f32 by direct, call 1, round 1, at token 7, layer 3: card 1 is lost, "
        "wanted a message within 100 ms, got nothing");
    EXPECT_EQ(outcome.cards[1].error().what, "card 0 has failed (" + line_of(outcome.run) + ")");
  }
}

TEST(PeerLost, WhereACardDoesNotReceive) {
  const auto sent = [](std::uint64_t elements) {
    std::latch told(1);
    const Outcome outcome = outcome_of(2,
                                       [&](Communicator& communicator) -> Result<void> {
                                         if (communicator.rank() == 1) {
                                           told.wait();
                                           return {};
                                         }
                                         Result<void> done;
                                         for (int i = 0; i < 1000 && done; ++i)
                                           done = communicator.send(1, Vector(elements));
                                         told.count_down();
                                         return done;
                                       },
                                       {.timeout = Seconds(0.05), .spin = {}});
    return line_of(outcome.run);
  };
  EXPECT_EQ(
      sent(1),
      "card 0, send of 1 f32 to card 1: card 1 is lost, wanted its receiving what was sent before within "
      "50 ms, got nothing");
  // Read from where it lies, so the sender has to wait.
  EXPECT_EQ(sent(100'000),
            "card 0, send of 100000 f32 to card 1: card 1 is lost, wanted its receiving what was sent within "
            "50 ms, got nothing");
  // Encoded messages that fill the memory in which they wait.
  EXPECT_EQ(sent(16'000),
            "card 0, send of 16000 f32 to card 1: card 1 is lost, wanted its receiving what was sent within "
            "50 ms, got nothing");
}

TEST(RunInProcess, ThrowsWhatACardThrows) {
  std::vector<Result<void>> others(3);
  const auto run = [&] {
    return run_in_process(
        3,
        [&](Communicator& communicator) -> Result<void> {
          if (communicator.rank() == 1) throw std::runtime_error("no such luck");
          return others[communicator.rank()] = communicator.barrier();
        },
        kPatient);
  };
  EXPECT_THROW((void)run(), std::runtime_error);
  EXPECT_NE(line_of(others[0]).find("card 1 has failed (card 1: has thrown an exception)"), std::string::npos)
      << line_of(others[0]);
  EXPECT_FALSE(others[2]);
}

TEST(RunInProcess, RefusesCardsThatItCannotHave) {
  for (const std::uint32_t cards : {0u, kMostLocalCards + 1, 4'000'000'000u}) {
    const auto run = run_in_process(cards, [](Communicator&) { return Result<void>(); });
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(to_line(run.error()),
              "cards: out of range, wanted 1 to 64 in one process, got " + std::to_string(cards));
  }
  EXPECT_TRUE(
      run_in_process(kMostLocalCards, [](Communicator& communicator) { return communicator.barrier(); }));
}

TEST(RunInProcess, FailsWhereThreadsCannotBeStarted) {
  if (testing::kIsSanitized) GTEST_SKIP() << "sanitizers need address space without limit";
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  // Room for a few stacks.
  const rlimit few = {pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (256 << 20), before.rlim_max};
  ::setrlimit(RLIMIT_AS, &few);
  const auto run = run_in_process(
      kMostLocalCards, [](Communicator& communicator) { return communicator.barrier(); }, kPatient);
  ::setrlimit(RLIMIT_AS, &before);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::kIo);
  EXPECT_EQ(run.error().what, "its thread cannot be started");
}

/// Expects that a call on every rank of two is refused, and that both can go on.
void expect_refused(const Card& call, const std::string& line) {
  const Outcome outcome = outcome_of(2, [&](Communicator& communicator) -> Result<void> {
    const auto refused = call(communicator);
    EXPECT_EQ(line_of(refused), line);
    EXPECT_EQ(refused.error().kind, ErrorKind::kBadInput);
    return communicator.barrier();
  });
  EXPECT_TRUE(outcome.run) << line_of(outcome.run);
}

TEST(Arguments, ThatCannotBeAreRefused) {
  const std::vector<std::uint64_t> one_count = {10};
  const std::vector<std::uint64_t> too_few = {4, 5};
  const std::vector<std::uint64_t> too_many = {4, 7};
  const std::vector<std::uint64_t> overflowing = {11, ~std::uint64_t{0}};
  expect_refused(
      [](Communicator& c) {
        Vector mine(10);
        return c.all_gather(mine, {}, Algorithm::kTree);
      },
      "all_gather: does not exist by that algorithm, wanted ring, ring_bidirectional, recursive_doubling, "
      "halving_doubling, direct, got tree");
  const auto on_own = [](const std::function<Result<void>(Communicator&, std::span<float>)>& call) {
    return [call](Communicator& communicator) {
      Vector mine(10);
      return call(communicator, mine);
    };
  };
  expect_refused(on_own([&](Communicator& c, auto v) { return c.all_reduce(v, kSum, Algorithm{99}); }),
                 "all_reduce: does not exist by that algorithm, wanted ring, ring_bidirectional, "
                 "recursive_doubling, halving_doubling, halving_doubling_far_first, tree, direct");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.all_gather(v, one_count, kDirect); }),
                 "all_gather: needs a count for each rank, wanted 2, got 1");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.gather(v, too_few, 0, kDirect); }),
                 "gather: counts do not add up to the vector, wanted 10 elements, got 4 + 5");
  expect_refused(
      on_own([&](Communicator& c, auto v) { return c.reduce_scatter(v, too_many, kSum, kDirect); }),
      "reduce_scatter: counts do not add up to the vector, wanted 10 elements, got 4 + 7");
  expect_refused(
      on_own([&](Communicator& c, auto v) { return c.all_gather(v, overflowing, kDirect); }),
      "all_gather: counts do not add up to the vector, wanted 10 elements, got 11 + 18446744073709551615");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.broadcast(v, 2, kDirect); }),
                 "broadcast: no such rank, wanted 0 to 1, got 2");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.gather(v, {}, 7, kDirect); }),
                 "gather: no such rank, wanted 0 to 1, got 7");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.send(2, v); }),
                 "send: no such rank, wanted 0 to 1, got 2");
  expect_refused(on_own([&](Communicator& c, auto v) { return c.recv(2, v); }),
                 "recv: no such rank, wanted 0 to 1, got 2");
  (void)run_in_process(1, [](Communicator& alone) -> Result<void> {
    EXPECT_EQ(line_of(alone.send(0, Vector(1))), "send: a rank and itself, got rank 0");
    return {};
  });
}

TEST(Arguments, GroupsThatCannotBeAreRefused) {
  const auto group_of = [](std::vector<std::uint32_t> ranks) {
    return [ranks](Communicator& communicator) -> Result<void> {
      const auto group = communicator.group(ranks);
      return group ? Result<void>() : Failure(group.error());
    };
  };
  expect_refused(group_of({0, 1, 0}), "group: has a rank twice, got 0");
  expect_refused(group_of({0, 1, 2}), "group: no such rank, wanted 0 to 1, got 2");
  (void)outcome_of(2, [&](Communicator& communicator) -> Result<void> {
    const std::vector<std::uint32_t> other = {1 - communicator.rank()};
    EXPECT_EQ(line_of(group_of(other)(communicator)),
              communicator.rank() == 0 ? "group: is without the rank that makes it, wanted rank 0, got 1"
                                       : "group: is without the rank that makes it, wanted rank 1, got 0");
    EXPECT_EQ(group_of({})(communicator).error().what, "is without the rank that makes it");
    return {};
  });
}

// Cards that spin while others wait for a core would take seconds for each of these.
TEST(MoreCardsThanCores, DoNotCollapse) {
  const auto start = std::chrono::steady_clock::now();
  constexpr int kCalls = 200;
  const std::uint32_t ranks = std::min(4 * std::thread::hardware_concurrency(), kMostLocalCards);
  const Outcome outcome = outcome_of(ranks, [](Communicator& communicator) -> Result<void> {
    Vector values(2048);
    for (int call = 0; call < kCalls; ++call) {
      const auto done = communicator.all_reduce(values, kSum, Algorithm::kRecursiveDoubling);
      if (!done) return done;
    }
    return {};
  });
  EXPECT_TRUE(outcome.run) << line_of(outcome.run);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  EXPECT_LT(time.count(), 10) << ranks << " ranks, " << kCalls << " calls";
}

/// A transport around another, as one that paces messages is. It changes what is received.
class ChangingTransport final : public Transport {
 public:
  using Change = std::function<void(Message&)>;

  ChangingTransport(LocalNetwork& network, std::uint32_t card, Change change)
      : inner_(network, card), change_(std::move(change)) {}

  std::uint32_t card() const override { return inner_.card(); }
  std::uint32_t card_count() const override { return inner_.card_count(); }
  std::string name(std::uint32_t card) const override { return inner_.name(card); }
  Result<void> send(std::uint32_t to, const Message& message, Seconds timeout) override {
    return inner_.send(to, message, timeout);
  }
  Result<Message> receive(std::uint32_t from, Seconds timeout) override {
    auto message = inner_.receive(from, timeout);
    if (message) change_(*message);
    return message;
  }
  void release(std::uint32_t from) override { inner_.release(from); }
  Result<void> finish_sends(Seconds timeout) override { return inner_.finish_sends(timeout); }
  void fail(const Error& why) override { inner_.fail(why); }

 private:
  LocalTransport inner_;
  Change change_;
};

/// What an all_reduce of two cards says on card 0, over transports that change what is received.
Result<void> all_reduce_over(const ChangingTransport::Change& change, Vector& values) {
  LocalNetwork network(2, Seconds(0));
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (const std::uint32_t card : {0u, 1u}) {
    endpoints.push_back(
        std::make_unique<Endpoint>(std::make_unique<ChangingTransport>(network, card, change), Seconds(300)));
  }
  std::jthread other([&] {
    Communicator communicator(*endpoints[1]);
    Vector others(values.size(), 2);
    (void)communicator.all_reduce(others, kSum, Algorithm::kRecursiveDoubling);
  });
  Communicator communicator(*endpoints[0]);
  const auto done = communicator.all_reduce(values, kSum, Algorithm::kRecursiveDoubling);
  other.join();
  return done;
}

TEST(Transport, CanBeWrapped) {
  Vector values(100, 1);
  const auto done =
      all_reduce_over([](Message&) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }, values);
  EXPECT_TRUE(done) << line_of(done);
  EXPECT_EQ(values, Vector(100, 3));
}

TEST(Transport, ThatCutsMessagesIsFoundOut) {
  Vector values(100, 1);
  const auto done = all_reduce_over(
      [](Message& message) { message.payload = message.payload.first(message.payload.size() - 1); }, values);
  ASSERT_FALSE(done);
  EXPECT_NE(line_of(done).find("sent a message of the wrong length, wanted 400 bytes, got 399"),
            std::string::npos)
      << line_of(done);
}

TEST(Transport, ThatMixesUpRoundsIsFoundOut) {
  Vector values(100, 1);
  const auto done = all_reduce_over([](Message& message) { message.header.round = 4; }, values);
  ASSERT_FALSE(done);
  EXPECT_NE(line_of(done).find("is in round 5 of it"), std::string::npos) << line_of(done);
}

}  // namespace
}  // namespace spanker
