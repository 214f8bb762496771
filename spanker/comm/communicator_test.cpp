#include "spanker/comm/communicator.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>

#include "spanker/comm/collectives_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

TEST(Send, BringsVectorsInOrder) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    const std::uint64_t sizes[] = {0, 5, 100'000, 33, 1};  // the long one is not copied
    for (const WireType wire : kWires) {
      for (const std::uint64_t elements : sizes) {
        Vector wanted = real_numbers(7, elements);
        if (communicator.rank() == 0) {
          if (auto done = communicator.send(1, wanted, wire); !done) return done;
          continue;
        }
        Vector values(elements);
        if (auto done = communicator.recv(0, values, wire); !done) return done;
        round_to_wire(wire, wanted);
        EXPECT_TRUE(same_bits(values, wanted)) << elements << " as " << to_string(wire);
      }
    }
    return {};
  });
}

// More than can be under way at once, and more than the memory in which they wait.
TEST(Send, MayOverwriteWhatWasSent) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    Vector values(10'000);
    for (int i = 0; i < 300; ++i) {
      const auto number = static_cast<float>(i);
      if (communicator.rank() == 0) {
        std::fill(values.begin(), values.end(), number);
        if (auto done = communicator.send(1, values); !done) return done;
      } else {
        if (auto done = communicator.recv(0, values); !done) return done;
        EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float value) { return value == number; }));
      }
    }
    return {};
  });
}

TEST(Barrier, HoldsEveryRankUntilAllHaveCome) {
  for (const std::uint32_t ranks : {1u, 2u, 5u, 16u}) {
    std::vector<std::atomic<int>> passed(ranks);
    on_ranks(ranks, [&](Communicator& communicator) -> Result<void> {
      for (int time = 1; time <= 50; ++time) {
        passed[communicator.rank()] = time;
        if (auto done = communicator.barrier(); !done) return done;
        for (const auto& each : passed) EXPECT_GE(each.load(), time);
      }
      return {};
    });
  }
}

TEST(Group, WorksApartFromTheOthers) {
  on_ranks(7, [&](Communicator& all) -> Result<void> {
    // Two stages of a pipeline, the second in another order than the cards.
    const bool first = all.rank() < 3;
    const std::vector<std::uint32_t> members =
        first ? std::vector<std::uint32_t>{0, 1, 2} : std::vector<std::uint32_t>{6, 4, 3, 5};
    auto stage = all.group(members);
    if (!stage) return Failure(stage.error());
    EXPECT_EQ(stage->size(), members.size());
    EXPECT_EQ(stage->card(stage->rank()), all.rank());
    for (std::uint32_t rank = 0; rank < stage->size(); ++rank) EXPECT_EQ(stage->card(rank), members[rank]);

    for (int time = 0; time < (first ? 30 : 50); ++time) {
      Vector values(100, static_cast<float>(all.rank()));
      const auto done = stage->all_reduce(values, ReduceOp::kSum, Algorithm::kHalvingDoubling);
      if (!done) return done;
      EXPECT_EQ(values[99], first ? 0 + 1 + 2 : 3 + 4 + 5 + 6);
    }
    // A chunk belongs to a rank of the group, not to a card.
    Vector values(stage->size());
    values[stage->rank()] = static_cast<float>(all.rank());
    if (auto done = stage->all_gather(values, {}, Algorithm::kDirect); !done) return done;
    for (std::uint32_t rank = 0; rank < stage->size(); ++rank) {
      EXPECT_EQ(values[rank], static_cast<float>(members[rank]));
    }
    // And a group of a group.
    const std::vector<std::uint32_t> pair = {1, 0};
    if (stage->rank() < 2) {
      auto inner = stage->group(pair);
      if (!inner) return Failure(inner.error());
      EXPECT_EQ(inner->card(0), members[1]);
      Vector one(1, static_cast<float>(all.rank()));
      if (auto done = inner->broadcast(one, 0, Algorithm::kDirect); !done) return done;
      EXPECT_EQ(one[0], static_cast<float>(members[1]));
    }
    return all.barrier();
  });
}

/// One call of a random program that every rank runs.
struct Step {
  int what;
  std::uint64_t elements;
  std::uint32_t peer;
  std::uint32_t choice;
};

Result<void> run_step(Communicator& communicator, const Step& step, int number) {
  const std::uint32_t ranks = communicator.size();
  const std::uint32_t root = step.peer % ranks;
  const auto pick = [&](Collective collective) {
    const auto algorithms = algorithms_of(collective);
    return algorithms[step.choice % algorithms.size()];
  };
  const auto value = [&](std::uint32_t rank) {
    return static_cast<float>(rank * 3 + static_cast<std::uint32_t>(number));
  };
  Vector values(step.elements, value(communicator.rank()));
  double sum = 0;
  for (std::uint32_t rank = 0; rank < ranks; ++rank) sum += static_cast<double>(value(rank));
  const auto expect_all = [&](double wanted) {
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float each) { return each == wanted; }))
        << "step " << number << " of kind " << step.what;
  };
  Result<void> done;
  switch (step.what) {
    case 0:
      done = communicator.all_reduce(values, ReduceOp::kSum, pick(Collective::kAllReduce));
      expect_all(sum);
      return done;
    case 1:
      done = communicator.broadcast(values, root, pick(Collective::kBroadcast));
      expect_all(static_cast<double>(value(root)));
      return done;
    case 2: {
      done = communicator.all_gather(values, {}, pick(Collective::kAllGather));
      for (std::uint32_t rank = 0; rank < ranks; ++rank) {
        const Chunk chunk = communicator.chunk(rank, step.elements);
        for (std::uint64_t i = 0; i < chunk.units; ++i) EXPECT_EQ(values[chunk.first_unit + i], value(rank));
      }
      return done;
    }
    case 3: {
      done = communicator.reduce_scatter(values, {}, ReduceOp::kSum, pick(Collective::kReduceScatter));
      const Chunk chunk = communicator.chunk(communicator.rank(), step.elements);
      for (std::uint64_t i = 0; i < chunk.units; ++i) {
        EXPECT_EQ(static_cast<double>(values[chunk.first_unit + i]), sum);
      }
      return done;
    }
    case 4:
      return communicator.barrier();
    default: {  // round the ring, by way of the root
      const std::uint32_t next = (root + 1) % ranks;
      if (next == root) return {};
      if (communicator.rank() == root) return communicator.send(next, values);
      if (communicator.rank() != next) return {};
      done = communicator.recv(root, values);
      expect_all(static_cast<double>(value(root)));
      return done;
    }
  }
}

RC_GTEST_PROP(Communicator, RunsAnySequenceOfCalls, ()) {
  const auto ranks = *rc::gen::inRange<std::uint32_t>(1, 10);
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  std::vector<Step> steps(count);
  for (Step& step : steps) {
    step = {*rc::gen::inRange(0, 6),
            *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 70), rc::gen::just<std::uint64_t>(40'000)),
            *rc::gen::inRange<std::uint32_t>(0, 10), *rc::gen::inRange<std::uint32_t>(0, 7)};
  }
  const Card card = [&](Communicator& communicator) -> Result<void> {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (auto step = run_step(communicator, steps[i], static_cast<int>(i)); !step) return step;
    }
    return {};
  };
  RC_ASSERT(run_in_process(ranks, card, kPatient));
}

// A new length each time, which must not be remembered for ever, and the old ones again.
TEST(Communicator, TakesEverNewLengths) {
  on_ranks(2, [&](Communicator& communicator) -> Result<void> {
    for (int time = 0; time < 2; ++time) {
      for (std::uint64_t elements = 1; elements < 400; ++elements) {
        Vector values(elements, 1);
        const auto done = communicator.all_reduce(values, ReduceOp::kSum, Algorithm::kDirect);
        if (!done) return done;
        EXPECT_EQ(values[elements - 1], 2);
      }
    }
    return {};
  });
}

TEST(Chunk, IsOfWholeUnits) {
  on_ranks(4, [&](Communicator& communicator) -> Result<void> {
    EXPECT_EQ(communicator.chunk(0, 10), (Chunk{0, 3}));
    EXPECT_EQ(communicator.chunk(3, 10), (Chunk{8, 2}));
    EXPECT_EQ(communicator.chunk(0, 100, WireType::kQ8_0), (Chunk{0, 32}));
    EXPECT_EQ(communicator.chunk(3, 100, WireType::kQ8_0), (Chunk{96, 4}));
    EXPECT_EQ(communicator.chunk(3, 40, WireType::kQ8_0), (Chunk{40, 0}));
    return {};
  });
}

}  // namespace
}  // namespace spanker
