#include "spanker/plan/frontier.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using testing::fixed;
using testing::must;
using testing::preset_problem;
using testing::random_problem;
using testing::round_cluster;
using testing::small_problem;

// ---- The oracle: every choice by its own loop, and domination written out

constexpr double kSame = 1e-12;

/// What is to be small; nothing where it is not known.
using Criteria = std::array<std::optional<double>, 5>;

template <class Number>
std::optional<double> plain(const std::optional<Number>& number) {
  return number ? std::optional(number->value) : std::nullopt;
}

Criteria criteria(const FrontierPoint& point) {
  std::size_t cards = 0;
  for (const Stage& stage : point.plan.stages) cards += stage.cards.size();
  return {static_cast<double>(cards), point.prediction.decode.total().count(),
          1 / point.prediction.throughput.tokens_per_second, plain(point.price), plain(point.watts)};
}

bool beats(const Criteria& a, const Criteria& b) {
  int wins = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i] || !b[i]) continue;
    const double ratio = *b[i] == 0 ? 1 : *a[i] / *b[i];
    if (ratio > 1 + kSame) return false;
    if (ratio < 1 - kSame) ++wins;
  }
  return wins > 0;
}

bool same(const Criteria& a, const Criteria& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] && b[i] && std::abs(*a[i] - *b[i]) > kSame * *b[i]) return false;
  }
  return true;
}

FrontierPoint made_up(std::uint32_t cards, double seconds, double rate, std::optional<Money> price = {},
                      std::optional<Watts> watts = {}) {
  FrontierPoint point;
  Stage stage;
  for (CardId card = 0; card < cards; ++card) stage.cards.push_back(card);
  point.plan.stages.push_back(std::move(stage));
  point.cluster_cards = cards;
  point.prediction.decode.memory = Seconds(seconds);
  point.prediction.throughput.tokens_per_second = rate;
  point.price = price;
  point.watts = watts;
  return point;
}

std::vector<Criteria> criteria(const std::vector<FrontierPoint>& points) {
  std::vector<Criteria> all;
  for (const FrontierPoint& point : points) all.push_back(criteria(point));
  return all;
}

// ---- Domination

TEST(NonDominated, DropsWhatIsNowhereBetter) {
  const auto kept = non_dominated({made_up(4, 2, 8), made_up(2, 2, 8), made_up(1, 5, 1), made_up(3, 3, 4)});
  EXPECT_EQ(criteria(kept), criteria({made_up(1, 5, 1), made_up(2, 2, 8)}));
}

TEST(NonDominated, KeepsWhatIsBetterInOneThingAlone) {
  const FrontierPoint base = made_up(4, 2, 8, Money(100), Watts(40));
  for (const FrontierPoint& other :
       {made_up(3, 9, 1, Money(900), Watts(90)), made_up(9, 1, 1, Money(900), Watts(90)),
        made_up(9, 9, 9, Money(900), Watts(90)), made_up(9, 9, 1, Money(99), Watts(90)),
        made_up(9, 9, 1, Money(900), Watts(39))}) {
    EXPECT_EQ(non_dominated({base, other}).size(), 2u);
  }
  EXPECT_EQ(non_dominated({base, made_up(9, 9, 1, Money(900), Watts(90))}).size(), 1u);
}

TEST(NonDominated, LooksAtPricesOnlyWhereBothHaveThem) {
  EXPECT_EQ(non_dominated({made_up(4, 2, 8), made_up(5, 2, 8, Money(1), Watts(1))}).size(), 1u);
  EXPECT_EQ(non_dominated({made_up(4, 2, 8, Money(2)), made_up(5, 2, 8, Money(1))}).size(), 2u);
}

TEST(NonDominated, KeepsEqualsOnceFromTheSmallestCluster) {
  FrontierPoint large = made_up(2, 1, 1);
  large.cluster_cards = 8;
  FrontierPoint small = made_up(2, 1 + 1e-14, 1);
  small.cluster_cards = 3;
  for (const auto& points : {std::vector{large, small, large}, std::vector{small, large, small}}) {
    const auto kept = non_dominated(points);
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].cluster_cards, 3u);
  }
}

TEST(NonDominated, OfNothingIsNothing) { EXPECT_TRUE(non_dominated({}).empty()); }

RC_GTEST_PROP(NonDominated, AgreesWithEveryPair, ()) {
  const auto point = rc::gen::exec([] {
    const auto number = [] { return static_cast<double>(*rc::gen::inRange(1, 5)); };
    const bool priced = *rc::gen::inRange(0, 4) > 0;
    return made_up(*rc::gen::inRange(1u, 5u), number(), number(),
                   priced ? std::optional(Money(number())) : std::nullopt);
  });
  const auto points = *rc::gen::container<std::vector<FrontierPoint>>(point);
  const auto all = criteria(points);
  const auto kept = criteria(non_dominated(points));
  RC_ASSERT(std::ranges::is_sorted(kept, {}, [](const Criteria& c) { return std::pair(*c[0], *c[1]); }));
  for (const Criteria& one : all) {
    const bool beaten = std::ranges::any_of(all, [&](const Criteria& other) { return beats(other, one); });
    const auto times = std::ranges::count_if(kept, [&](const Criteria& other) { return same(other, one); });
    if (beaten) RC_ASSERT(std::ranges::count(kept, one) == 0);
    if (!beaten) RC_ASSERT(times >= 1);
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) RC_ASSERT(!same(kept[i], kept[j]));
  }
}

// ---- Card counts

TEST(FrontierCardCounts, AreAllOfASmallCluster) {
  EXPECT_EQ(frontier_card_counts(round_cluster(1)), std::vector<std::uint32_t>{1});
  EXPECT_EQ(frontier_card_counts(round_cluster(5)), (std::vector<std::uint32_t>{1, 2, 3, 4, 5}));
}

TEST(FrontierCardCounts, GrowInLargerStepsAbove64) {
  const auto counts = frontier_card_counts(round_cluster(300));
  ASSERT_EQ(counts.size(), 64u + 4);
  EXPECT_EQ(counts[63], 64u);
  EXPECT_EQ(std::vector(counts.begin() + 64, counts.end()), (std::vector<std::uint32_t>{128, 192, 256, 300}));
  EXPECT_EQ(frontier_card_counts(round_cluster(1024)).size(), 64u + 15);
}

TEST(FrontierCardCounts, AreWholeRowsOfATorus) {
  Cluster torus = round_cluster(12, Topology::kTorus);
  torus.torus_columns = 4;
  EXPECT_EQ(frontier_card_counts(torus), (std::vector<std::uint32_t>{4, 8, 12}));
  torus.card_count = 1000;
  const auto counts = frontier_card_counts(torus);  // of 250 rows
  EXPECT_EQ(std::vector(counts.begin() + 63, counts.end()),
            (std::vector<std::uint32_t>{256, 512, 768, 1000}));
}

// ---- The frontier

RC_GTEST_PROP(Frontier, IsWhatEveryClusterAndObjectiveLeavesUndominated, ()) {
  Problem problem = random_problem();
  if (*rc::gen::arbitrary<bool>()) {
    problem.cluster.card.price = fixed(Money(*rc::gen::inRange(1, 100)));
    for (auto& [card, spec] : problem.cluster.card_overrides) spec.price = fixed(Money(1));
  }
  const std::uint32_t step = std::max(problem.cluster.torus_columns, 1u);
  double least_seconds = std::numeric_limits<double>::infinity();
  double most_tokens = 0;
  std::vector<FrontierPoint> all;
  for (std::uint32_t cards = step; cards <= problem.cluster.card_count; cards += step) {
    Problem smaller = problem.with_cluster(must(with_card_count(problem.cluster, cards)));
    for (const Objective objective : {Objective::kLatency, Objective::kThroughput}) {
      smaller.workload.objective = objective;
      const auto plan = search(smaller);
      if (!plan) continue;
      FrontierPoint point{*plan, cards, predict(smaller, *plan), std::nullopt, std::nullopt};
      if (problem.cluster.card.price) {
        double price = 0;
        for (const Stage& stage : plan->stages) {
          for (const CardId card : stage.cards) price += smaller.cluster.card_at(card).price->value.value;
        }
        point.price = Money(price);
      }
      if (objective == Objective::kLatency) {
        least_seconds = std::min(least_seconds, point.prediction.decode.total().count());
      } else {
        most_tokens = std::max(most_tokens, point.prediction.throughput.tokens_per_second);
      }
      all.push_back(std::move(point));
    }
  }
  const auto frontier = frontier_of(problem);
  RC_ASSERT(frontier.empty() == all.empty());
  if (frontier.empty()) return;

  const auto every = criteria(all);
  const auto kept = criteria(frontier);
  for (const Criteria& point : kept) {
    RC_ASSERT(std::ranges::any_of(every, [&](const Criteria& other) { return same(other, point); }));
    RC_ASSERT(std::ranges::none_of(every, [&](const Criteria& other) { return beats(other, point); }));
  }
  for (const Criteria& point : every) {
    RC_ASSERT(std::ranges::any_of(
        kept, [&](const Criteria& other) { return same(other, point) || beats(other, point); }));
  }
  double least_kept = std::numeric_limits<double>::infinity();
  double most_kept = 0;
  for (const FrontierPoint& point : frontier) {
    const Problem smaller = problem.with_cluster(must(with_card_count(problem.cluster, point.cluster_cards)));
    RC_ASSERT(validate(smaller, point.plan).has_value());
    least_kept = std::min(least_kept, point.prediction.decode.total().count());
    most_kept = std::max(most_kept, point.prediction.throughput.tokens_per_second);
  }
  // The other objective's search may do better where the limits of the search (docs/planner.md) hide a plan.
  RC_ASSERT(least_kept <= least_seconds * (1 + 1e-11));
  RC_ASSERT(most_kept >= most_tokens * (1 - 1e-11));
  if (problem.cluster.cards_are_equal() && problem.layers.kinds.size() == 1) {
    RC_ASSERT(least_kept >= least_seconds * (1 - 1e-11));
    RC_ASSERT(most_kept <= most_tokens * (1 + 1e-11));
  }
}

TEST(Frontier, OfEqualCardsEndsWithTheBestOfTheWholeCluster) {
  for (const Objective objective : {Objective::kLatency, Objective::kThroughput}) {
    Workload workload;
    workload.streams = 8;
    workload.objective = objective;
    const Problem problem = preset_problem("llama-3-8b", "raspberry-pi-5-gbe", 8, workload);
    const auto frontier = frontier_of(problem);
    const auto plan = search(problem);
    ASSERT_TRUE(plan);
    const auto found = std::ranges::find(frontier, *plan, &FrontierPoint::plan);
    ASSERT_NE(found, frontier.end());
    for (const FrontierPoint& point : frontier) {
      EXPECT_GE(objective_seconds(workload, point.prediction),
                objective_seconds(workload, found->prediction));
    }
  }
}

/// Two cards of 80 and one, twice as quick as the other two together, of 200; 11 W each; a switch of 25.
Problem priced_problem() {
  Problem problem = small_problem(3);
  problem.cluster.topology = Topology::kStar;
  problem.cluster.card.price = fixed(Money(80));
  problem.cluster.card.power = fixed(Watts(11));
  CardSpec dear = problem.cluster.card;
  dear.memory_bandwidth = fixed(BytesPerSecond(4e9));
  dear.price = fixed(Money(200));
  problem.cluster.card_overrides[2] = dear;
  problem.cluster.star_switch.price = fixed(Money(25));
  return problem;
}

TEST(Frontier, AddsUpPricesAndPowers) {
  Problem problem = priced_problem();
  problem.cluster.link.latency = fixed(Seconds(1e-9));
  problem.cluster.link.bandwidth = fixed(BytesPerSecond(1e12));
  // Links cost nothing, so each card more makes it quicker.
  const auto frontier = frontier_of(problem);
  ASSERT_EQ(frontier.size(), 3u);
  const double prices[] = {25 + 80, 25 + 80 + 80, 25 + 80 + 80 + 200};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(frontier[i].plan.cards_used(), i + 1);
    EXPECT_DOUBLE_EQ(frontier[i].price.value().value, prices[i]);
    EXPECT_DOUBLE_EQ(frontier[i].watts.value().value, 11 * static_cast<double>(i + 1));
  }
}

TEST(Frontier, KeepsACheapCardBesideAQuickOne) {
  Problem problem = priced_problem();
  problem.cluster.link.latency = fixed(Seconds(1));
  // No second card is worth its link. The first card serves alone until the quick one is there.
  const auto frontier = frontier_of(problem);
  ASSERT_EQ(frontier.size(), 2u);
  EXPECT_EQ(frontier[0].plan.stages.at(0).cards, std::vector<CardId>{2});
  EXPECT_EQ(frontier[0].cluster_cards, 3u);
  EXPECT_DOUBLE_EQ(frontier[0].price.value().value, 225);
  EXPECT_EQ(frontier[1].plan.stages.at(0).cards, std::vector<CardId>{0});
  EXPECT_EQ(frontier[1].cluster_cards, 1u);
  EXPECT_DOUBLE_EQ(frontier[1].price.value().value, 105);

  problem.cluster.card.price = std::nullopt;
  const auto unpriced = frontier_of(problem);
  ASSERT_EQ(unpriced.size(), 1u) << "a price that is not known does not keep the slow card";
  EXPECT_DOUBLE_EQ(unpriced[0].price.value().value, 225);
}

TEST(Frontier, HasNoPriceWhereACardHasNone) {
  Problem problem = small_problem(1);
  problem.cluster.star_switch.price = fixed(Money(25));
  EXPECT_EQ(frontier_of(problem).at(0).price, std::nullopt);
  EXPECT_EQ(frontier_of(problem).at(0).watts, std::nullopt);
}

TEST(Frontier, KeepsToTheStrategiesThatAreAllowed) {
  const auto frontier = frontier_of(preset_problem("tinyllama-1.1b", "sails-rev-a", 4),
                                    StrategySet::only(PlanStrategy::kPipelineParallel));
  ASSERT_FALSE(frontier.empty());
  for (const FrontierPoint& point : frontier) {
    EXPECT_EQ(point.plan.strategy(), PlanStrategy::kPipelineParallel);
  }
}

TEST(Frontier, IsEmptyWhereNothingFits) {
  Problem problem = small_problem(3);
  problem.cluster.card.memory_capacity = fixed(Bytes(1000));
  EXPECT_TRUE(frontier_of(problem).empty());
}

TEST(Frontier, TellsHowFarItIs) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  frontier_of(small_problem(3), {},
              [&](std::uint64_t done, std::uint64_t total) { told.emplace_back(done, total); });
  EXPECT_EQ(told, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 3}, {1, 3}, {2, 3}}));
}

}  // namespace
}  // namespace spanker
