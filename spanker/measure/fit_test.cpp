#include "spanker/measure/fit.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "spanker/base/random.hpp"
#include "spanker/measure/runs_for_test.hpp"

namespace spanker {
namespace {

using testing::boards;
using testing::number;
using testing::run_on;
using testing::synthetic;

template <class T>
Ranged<T> exactly(double value) {
  return {T(value), T(value), T(value), ""};
}

/// Boards as they are in truth, of which the base knows nothing.
Cluster truth(double bandwidth, double serial, double latency, double contention) {
  Cluster cluster = boards();
  cluster.card.memory_bandwidth = exactly<BytesPerSecond>(bandwidth);
  cluster.card.serial_share = exactly<Share>(serial);
  cluster.card.wait_share = exactly<Share>(0.05);
  cluster.link.latency = exactly<Seconds>(latency);
  cluster.star_switch.contention = exactly<Share>(contention);
  return cluster;
}

Fit fitted(const Cluster& base, const std::vector<LocatedRun>& runs) {
  const auto fit = fit_cluster(base, runs);
  EXPECT_TRUE(fit) << to_line(fit.error());
  return fit.value_or(Fit{});
}

TEST(Fit, OneRunScalesTheBandwidth) {
  const Cluster cluster = truth(11e9, 0.2, 2e-4, 0.2);
  const Fit fit = fitted(boards(), {synthetic(run_on(1), cluster)});
  EXPECT_TRUE(number(fit, "card.memory_bandwidth").identified);
  EXPECT_NEAR(fit.cluster.card.memory_bandwidth.value.value, 11e9, 0.005 * 11e9);
  for (const char* key : {"card.serial_share", "card.wait_share", "link.latency", "switch.contention"}) {
    EXPECT_FALSE(number(fit, key).identified) << key;
  }
  EXPECT_EQ(fit.cluster.card.serial_share, boards().card.serial_share);
  EXPECT_EQ(fit.cluster.card.wait_share, boards().card.wait_share);
  EXPECT_EQ(fit.cluster.link.latency, boards().link.latency);
  EXPECT_EQ(fit.cluster.star_switch, boards().star_switch);
}

TEST(Fit, TwoCardCountsTellTheSerialShare) {
  const Cluster cluster = truth(11e9, 0.25, 2e-4, 0.1);
  const Fit fit = fitted(boards(), {synthetic(run_on(1), cluster), synthetic(run_on(2), cluster)});
  EXPECT_TRUE(number(fit, "card.serial_share").identified);
  EXPECT_NEAR(fit.cluster.card.serial_share->value.value, 0.25, 0.01);
  EXPECT_NEAR(fit.cluster.card.memory_bandwidth.value.value, 11e9, 0.01 * 11e9);
  EXPECT_TRUE(number(fit, "link.latency").identified);
  EXPECT_NEAR(fit.cluster.link.latency.value.count(), 2e-4, 0.05 * 2e-4);
  EXPECT_FALSE(number(fit, "switch.contention").identified) << "two cards do not crowd a switch";
}

TEST(Fit, AShareThatOneModelToldIsThatOfItsLayers) {
  const Fit fit = fitted(boards(), {synthetic(run_on(1), boards()), synthetic(run_on(2), boards())});
  // Llama 2 7B: 4 square matrices and 3 of the FFN in Q4_0, two norms in F32.
  const Bytes layer((4 * 4096 * 4096 + 3 * 4096 * 11008) * 18ull / 32 + 2 * 4096 * 4);
  EXPECT_EQ(fit.cluster.card.serial_layer, layer);
  // For larger layers it lies between a fixed time and the same share.
  const auto work = run_work(run_on(2, "llama-2-13b"), fit.cluster, "x");
  ASSERT_TRUE(work);
  const auto compute = [&](Bound bound) {
    return run_seconds(*work, run_rates(fit.cluster, *work, bound)).compute;
  };
  Cluster same = fit.cluster;
  same.card.serial_layer.reset();
  EXPECT_LT(compute(Bound::kValue), run_seconds(*work, run_rates(same, *work, Bound::kValue)).compute);
  EXPECT_EQ(compute(Bound::kLow), run_seconds(*work, run_rates(same, *work, Bound::kLow)).compute);
  EXPECT_LT(compute(Bound::kHigh), run_seconds(*work, run_rates(same, *work, Bound::kHigh)).compute);
}

TEST(Fit, AShareThatSeveralModelsToldIsThatOfAll) {
  std::vector<LocatedRun> runs;
  for (const char* model : {"llama-2-7b", "llama-2-13b"}) {
    for (const std::uint32_t cards : {1u, 2u}) runs.push_back(synthetic(run_on(cards, model), boards()));
  }
  const Fit fit = fitted(boards(), runs);
  EXPECT_TRUE(number(fit, "card.serial_share").identified);
  EXPECT_FALSE(fit.cluster.card.serial_layer.has_value());
}

TEST(Fit, AShareThatRunsDoNotTellIsStillThatOfTheBasesLayers) {
  Cluster base = boards();
  base.card.serial_layer = Bytes(50'000'000);
  const Fit fit = fitted(base, {synthetic(run_on(1), boards())});
  EXPECT_EQ(fit.cluster.card.serial_share, base.card.serial_share);
  EXPECT_EQ(fit.cluster.card.serial_layer, base.card.serial_layer);
  EXPECT_EQ(number(fit, "card.serial_share").value, base.card.serial_share->value.value);
}

// What a file does not say of a card it takes from the others.
TEST(Fit, ACardOfAnotherShareIsReadBackAsItWasWritten) {
  Cluster base = boards();
  CardSpec other = base.card;
  other.serial_share = exactly<Share>(0.4);
  base.card_overrides.emplace(1, other);
  const Fit fit = fitted(base, {synthetic(run_on(1), boards()), synthetic(run_on(2), boards())});
  ASSERT_TRUE(number(fit, "card.serial_share").identified);
  const auto again = parse_profile(profile_text(fit.cluster), "fit");
  ASSERT_TRUE(again) << to_line(again.error());
  EXPECT_EQ(again->card_overrides, fit.cluster.card_overrides);
}

// From a base that was fitted to other layers.
TEST(Fit, AShareIsFoundFromTheShareOfOtherLayers) {
  Cluster base = boards();
  base.card.serial_layer = Bytes(50'000'000);
  const Cluster cluster = truth(11e9, 0.25, 2e-4, 0.1);
  const Fit fit = fitted(base, {synthetic(run_on(1), cluster), synthetic(run_on(2), cluster)});
  EXPECT_NEAR(fit.cluster.card.serial_share->value.value, 0.25, 0.01);
  EXPECT_GT(*fit.cluster.card.serial_layer, Bytes(100'000'000));
}

TEST(Fit, ModelsOfDifferentSizeTellFixedCostsApart) {
  Cluster cluster = truth(5e9, 0.1, 1e-4, 0.1);
  cluster.card.token_overhead = exactly<Seconds>(0.15);
  std::vector<LocatedRun> runs;
  for (const char* model : {"tinyllama-1.1b", "llama-2-7b", "llama-2-13b"}) {
    for (const std::uint32_t cards : {1u, 2u}) runs.push_back(synthetic(run_on(cards, model), cluster));
  }
  const Fit fit = fitted(boards(), runs);
  EXPECT_TRUE(number(fit, "card.token_overhead").identified);
  EXPECT_NEAR(fit.cluster.card.token_overhead.value.count(), 0.15, 0.015);
  EXPECT_NEAR(fit.cluster.card.serial_share->value.value, 0.1, 0.02);
}

TEST(Fit, TotalsAloneScaleTheBandwidth) {
  LocatedRun run = synthetic(run_on(1), truth(2e9, 0.2, 1e-4, 0));
  run.run.compute_seconds.reset();
  run.run.transfer_seconds.reset();
  EXPECT_NEAR(fitted(boards(), {run}).cluster.card.memory_bandwidth.value.value, 2e9, 0.01 * 2e9);
}

TEST(Fit, RunsOfOurOwnPlansTellWhatThePlannerUses) {
  Cluster cluster = truth(9e9, 0, 3e-4, 0);
  std::vector<LocatedRun> runs;
  for (const std::uint32_t cards : {1u, 2u, 4u}) {
    runs.push_back(synthetic(run_on(cards, "tinyllama-1.1b", EngineSchedule::kPlan), cluster));
  }
  const Fit fit = fitted(boards(), runs);
  EXPECT_NEAR(fit.cluster.card.memory_bandwidth.value.value, 9e9, 0.02 * 9e9);
  EXPECT_NEAR(fit.cluster.link.latency.value.count(), 3e-4, 0.05 * 3e-4);
  EXPECT_FALSE(number(fit, "card.wait_share").identified);
}

TEST(Fit, ValuesLieInTheirRangesAndAreReadBack) {
  const Cluster cluster = truth(3e9, 0.2, 1e-4, 0.2);
  const Fit fit =
      fitted(boards(), {synthetic(run_on(1), cluster, 1.03), synthetic(run_on(2), cluster, 0.97, 0.1)});
  const auto again = parse_profile(profile_text(fit.cluster), "fit");
  ASSERT_TRUE(again) << to_line(again.error());
  EXPECT_EQ(again->card, fit.cluster.card);
  EXPECT_EQ(again->link, fit.cluster.link);
  EXPECT_EQ(again->star_switch, fit.cluster.star_switch);
}

TEST(Fit, CardsThatDifferKeepTheirRatio) {
  Cluster base = boards();
  CardSpec slow = base.card;
  slow.memory_bandwidth = exactly<BytesPerSecond>(2.5e9);
  base.card_overrides.emplace(1, slow);
  const Fit fit = fitted(base, {synthetic(run_on(1), truth(10e9, 0.15, 1e-4, 0.1))});
  EXPECT_NEAR(fit.cluster.card_at(0).memory_bandwidth.value.value, 10e9, 0.005 * 10e9);
  EXPECT_NEAR(fit.cluster.card_at(1).memory_bandwidth.value.value, 5e9, 0.005 * 5e9);
}

TEST(Fit, RunsThatDisagreeWidenTheRanges) {
  const Cluster cluster = truth(5e9, 0.15, 1e-4, 0.1);
  const auto width = [](const Fit& fit) {
    const auto& bandwidth = fit.cluster.card.memory_bandwidth;
    return bandwidth.high.value / bandwidth.low.value;
  };
  std::vector<LocatedRun> agreeing(4, synthetic(run_on(1), cluster));
  std::vector<LocatedRun> scattered = agreeing;
  scattered[0] = synthetic(run_on(1), cluster, 1.2);
  scattered[1] = synthetic(run_on(1), cluster, 0.8);
  EXPECT_GT(width(fitted(boards(), scattered)), 1.5 * (width(fitted(boards(), agreeing)) - 1) + 1);
}

TEST(Fit, SourceTellsWhatWasFitted) {
  LocatedRun run = synthetic(run_on(1), boards());
  run.run.source = "a bench of 3 May";
  EXPECT_EQ(fitted(boards(), {run}).cluster.card.memory_bandwidth.source,
            "fit of 1 run on 1 card: a bench of 3 May");
}

// Noise of 5 % on every time, on 1, 2, 4 and 8 cards: what is identified is found within what such noise
// allows.
TEST(Fit, RecoversKnownNumbersFromTheNoiseOfMostRuns) {
  SplitMix64 random(7);
  const auto between = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random.next() >> 11) * 0x1p-53;
  };
  for (int repeat = 0; repeat < 20; ++repeat) {
    const double bandwidth = between(2e9, 40e9);
    const double serial = between(0.05, 0.3);
    const double latency = between(1e-4, 4e-4);
    const Cluster cluster = truth(bandwidth, serial, latency, between(0, 0.4));
    std::vector<LocatedRun> runs;
    for (const std::uint32_t cards : {1u, 2u, 4u, 8u, 1u, 2u, 4u, 8u}) {
      runs.push_back(synthetic(run_on(cards), cluster, between(0.95, 1.05), between(0.95, 1.05)));
    }
    const Fit fit = fitted(boards(), runs);
    for (const char* key : {"card.memory_bandwidth", "card.serial_share", "link.latency"}) {
      EXPECT_TRUE(number(fit, key).identified) << key;
    }
    EXPECT_NEAR(fit.cluster.card.memory_bandwidth.value.value, bandwidth, 0.06 * bandwidth);
    EXPECT_NEAR(fit.cluster.card.serial_share->value.value, serial, 0.04);
    // Waiting, which is a part of transfers too, is not told apart well.
    EXPECT_LE(number(fit, "link.latency").low, latency * 1.05);
    EXPECT_GE(number(fit, "link.latency").high, latency * 0.95);
  }
}

/// Any number from `low` to `high`, to three digits.
double anything(double low, double high) { return low + (high - low) * *rc::gen::inRange(0, 1001) / 1000; }

double noise() { return anything(0.95, 1.05); }

Cluster any_truth() {
  return truth(anything(2e9, 40e9), anything(0.05, 0.3), anything(1e-4, 4e-4), anything(0, 0.4));
}

// Runs that are all as fast, or as slow, as 5 % allow shift the bandwidth by as much, and runs of many cards
// against those of few shift the serial share; no noise of 5 % shifts them further than this.
RC_GTEST_PROP(Fit, RecoversKnownNumbersWhateverTheNoise, ()) {
  const Cluster cluster = any_truth();
  std::vector<LocatedRun> runs;
  for (const std::uint32_t cards : {1u, 2u, 4u, 8u, 1u, 2u, 4u, 8u}) {
    runs.push_back(synthetic(run_on(cards), cluster, noise(), noise()));
  }
  const auto fit = fit_cluster(boards(), runs);
  RC_ASSERT(fit.has_value());
  const CardSpec& card = fit->cluster.card;
  for (const char* key : {"card.memory_bandwidth", "card.serial_share", "link.latency"}) {
    RC_ASSERT(number(*fit, key).identified);
  }
  RC_ASSERT(std::abs(card.memory_bandwidth.value.value / cluster.card.memory_bandwidth.value.value - 1) <
            0.08);
  RC_ASSERT(std::abs(card.serial_share->value.value - cluster.card.serial_share->value.value) < 0.06);
}

// However noisy: what runs on one count of cards cannot tell is said so, and stays as it was before.
RC_GTEST_PROP(Fit, KeepsWhatRunsOnOneCardCannotTell, ()) {
  const Cluster cluster = any_truth();
  std::vector<LocatedRun> runs;
  for (int count = *rc::gen::inRange(1, 5); count > 0; --count) {
    runs.push_back(synthetic(run_on(1), cluster, noise()));
  }
  const auto fit = fit_cluster(boards(), runs);
  RC_ASSERT(fit.has_value());
  for (const char* key : {"card.serial_share", "card.wait_share", "link.latency", "switch.contention"}) {
    RC_ASSERT(!number(*fit, key).identified);
  }
  RC_ASSERT(fit->cluster.card.serial_share == boards().card.serial_share);
  RC_ASSERT(fit->cluster.card.wait_share == boards().card.wait_share);
  RC_ASSERT(fit->cluster.link == boards().link);
  RC_ASSERT(fit->cluster.star_switch == boards().star_switch);
}

TEST(Fit, AbsurdTimesGiveAProfileThatIsRead) {
  for (const double seconds : {1e-300, 1e-9, 1e9, 1e300}) {
    LocatedRun one = synthetic(run_on(1), boards());
    LocatedRun two = synthetic(run_on(2), boards());
    one.run.compute_seconds = one.run.seconds_per_token = Seconds(seconds);
    two.run.transfer_seconds = two.run.seconds_per_token = Seconds(seconds);
    const Fit fit = fitted(boards(), {one, two});
    EXPECT_TRUE(parse_profile(profile_text(fit.cluster), "fit")) << profile_text(fit.cluster);
  }
}

TEST(Fit, FailsWhereARunCannotBe) {
  const auto fit = fit_cluster(boards(), std::vector<LocatedRun>{{run_on(1, "none"), "x.json: runs[0]"}});
  ASSERT_FALSE(fit);
  EXPECT_TRUE(to_line(fit.error()).starts_with("x.json: runs[0].model: no preset of that name, wanted"));
}

}  // namespace
}  // namespace spanker
