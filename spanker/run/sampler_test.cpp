#include "spanker/run/sampler.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "spanker/run/sampling_weight.hpp"

namespace spanker {
namespace {

using Tokens = std::vector<std::uint32_t>;
using Logits = std::vector<float>;

Tokens draw(const SamplingOptions& options, const Logits& logits, int count) {
  Sampler sampler = Sampler::make(options).value();
  Tokens tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(sampler.sample(logits).value());
  return tokens;
}

/// The exact probability of each token that may be chosen.
std::map<std::uint32_t, double> probabilities(const SamplingOptions& options, const Logits& logits) {
  Tokens order(logits.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return logits[a] > logits[b]; });
  if (options.top_k > 0) order.resize(std::min<std::size_t>(options.top_k, order.size()));
  const auto weight = [&](std::uint32_t i) {
    return std::exp((double{logits[i]} - double{logits[order[0]]}) / options.temperature);
  };
  double total = 0;
  for (const std::uint32_t i : order) total += weight(i);
  std::map<std::uint32_t, double> kept;
  double sum = 0;
  for (const std::uint32_t i : order) {
    kept[i] = weight(i);
    sum += weight(i);
    if (sum >= options.top_p * total) break;
  }
  for (auto& [token, probability] : kept) probability /= sum;
  return kept;
}

TEST(Sampler, WithoutTemperatureTakesTheLargestLogitAndTheFirstOfEquals) {
  EXPECT_EQ(draw({}, {-3.0f, -1.0f, -2.0f}, 3), (Tokens{1, 1, 1}));
  EXPECT_EQ(draw({}, {1.0f, 5.0f, 5.0f, 5.0f}, 1), (Tokens{1}));
  EXPECT_EQ(draw({}, {-0.0f, 0.0f}, 1), (Tokens{0}));
  EXPECT_EQ(draw({.temperature = 0, .top_k = 3, .top_p = 0.5}, {1.0f, 2.0f}, 1), (Tokens{1}));
  EXPECT_EQ(draw({}, {7.0f}, 1), (Tokens{0}));
}

TEST(Sampler, DrawsByTheExactProbabilities) {
  const Logits logits = {0.5f, 2.25f, -1.0f, 3.0f, 1.75f, 0.0f, 2.5f, -2.0f, 2.5f, 2.25f};
  const SamplingOptions cases[] = {
      {.temperature = 1},
      {.temperature = 0.7},
      {.temperature = 3},
      {.temperature = 1, .top_k = 4},
      {.temperature = 1, .top_p = 0.6},
      {.temperature = 2, .top_p = 0.95},
      {.temperature = 1.5, .top_k = 6, .top_p = 0.8},
      {.temperature = 1, .top_k = 100},
  };
  for (SamplingOptions options : cases) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      options.seed = seed;
      constexpr int kDraws = 50000;
      const auto exact = probabilities(options, logits);
      std::map<std::uint32_t, int> counts;
      for (const std::uint32_t token : draw(options, logits, kDraws)) ++counts[token];
      double chi_square = 0;
      for (const auto& [token, probability] : exact) {
        const double expected = probability * kDraws;
        chi_square += (counts[token] - expected) * (counts[token] - expected) / expected;
      }
      ASSERT_EQ(counts.size(), exact.size()) << "a token that must not be chosen";
      // Its mean is the degrees of freedom f, its variance 2 f: exceeded by chance in less than one in 10^4.
      const auto freedom = static_cast<double>(exact.size() - 1);
      EXPECT_LT(chi_square, freedom + 6 * std::sqrt(2 * freedom))
          << options.temperature << ' ' << options.top_k << ' ' << options.top_p << ' ' << seed;
    }
  }
}

TEST(Sampler, GivesTheSameTokensOnEveryMachine) {
  // By a program apart, in Python: SplitMix64 as its authors define it, and weights of 50 decimal digits.
  const Logits logits = {0.5f, 2.25f, -1.0f, 3.0f, 1.75f, 0.0f, 2.5f, -4.0f};
  EXPECT_EQ(draw({.temperature = 1, .seed = 7}, logits, 24),
            (Tokens{3, 0, 6, 4, 3, 5, 3, 1, 4, 1, 6, 3, 6, 1, 3, 4, 1, 4, 4, 1, 3, 3, 6, 6}));
  EXPECT_EQ(draw({.temperature = 0.75, .top_k = 5, .seed = 7}, logits, 24),
            (Tokens{1, 3, 1, 3, 1, 6, 3, 1, 3, 6, 3, 6, 1, 3, 1, 1, 3, 1, 6, 3, 3, 3, 1, 3}));
  EXPECT_EQ(draw({.temperature = 1.5, .top_p = 0.9, .seed = 7}, logits, 24),
            (Tokens{6, 3, 4, 1, 3, 1, 6, 3, 6, 3, 1, 6, 4, 4, 3, 6, 6, 3, 6, 6, 3, 6, 6, 1}));
  EXPECT_EQ(draw({.temperature = 2, .top_k = 6, .top_p = 0.8, .seed = 2026}, logits, 24),
            (Tokens{1, 4, 6, 4, 6, 3, 6, 6, 6, 4, 3, 3, 6, 4, 1, 4, 4, 4, 3, 6, 6, 4, 1, 1}));
}

RC_GTEST_PROP(Sampler, ChoosesOnlyWhatTheOptionsLeave, ()) {
  // Few different logits, so that many are equal.
  const auto numbers = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-12, 12)));
  Logits logits;
  for (const int number : numbers) logits.push_back(static_cast<float>(number) / 4);
  const SamplingOptions options{.temperature = *rc::gen::inRange(1, 30) / 10.0,
                                .top_k = *rc::gen::inRange<std::uint32_t>(0, 20),
                                .top_p = *rc::gen::inRange(1, 101) / 100.0,
                                .seed = *rc::gen::arbitrary<std::uint64_t>()};
  const auto exact = probabilities(options, logits);
  const Tokens tokens = draw(options, logits, 40);
  for (const std::uint32_t token : tokens) {
    // Where the nucleus ends exactly at a token, rounding may add the next.
    if (!exact.contains(token)) {
      SamplingOptions wider = options;
      wider.top_p = std::min(1.0, options.top_p + 1e-8);
      RC_ASSERT(probabilities(wider, logits).contains(token));
    }
  }
  RC_ASSERT(draw(options, logits, 40) == tokens);
}

TEST(Sampler, AtTheLimitsOfItsOptions) {
  const Logits logits = {1.0f, 1.5f, 0.5f};
  EXPECT_EQ(draw({.temperature = 1, .top_k = 1}, logits, 50), Tokens(50, 1));
  EXPECT_EQ(draw({.temperature = 1, .top_p = 1e-300}, logits, 50), Tokens(50, 1));
  EXPECT_EQ(draw({.temperature = std::numeric_limits<double>::denorm_min()}, logits, 50), Tokens(50, 1));
  // Equal logits: the smaller index is kept.
  EXPECT_EQ(draw({.temperature = 1, .top_k = 1}, {2.0f, 2.0f}, 50), Tokens(50, 0));
  EXPECT_EQ(draw({.temperature = 1, .top_p = 0.5}, {2.0f, 2.0f}, 50), Tokens(50, 0));
  // So hot that all are equally likely.
  const Tokens hot = draw({.temperature = 1e300}, {-1e30f, 0.0f, 1e30f}, 3000);
  for (const std::uint32_t token : {0u, 1u, 2u}) {
    EXPECT_NEAR(static_cast<double>(std::ranges::count(hot, token)), 1000, 150);
  }
  // The largest difference that floats have.
  constexpr float kHuge = std::numeric_limits<float>::max();
  EXPECT_EQ(draw({.temperature = 1}, {-kHuge, kHuge}, 50), Tokens(50, 1));
  EXPECT_EQ(draw({.temperature = 1}, {4.0f}, 5), Tokens(5, 0));
}

TEST(Sampler, OtherSeedsGiveOtherTokens) {
  const Logits logits(100, 0.0f);
  EXPECT_NE(draw({.temperature = 1, .seed = 1}, logits, 20), draw({.temperature = 1, .seed = 2}, logits, 20));
}

TEST(Sampler, RefusesOptionsThatMeanNothing) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double temperature : {-0.1, kNan, kInfinity}) {
    const auto sampler = Sampler::make({.temperature = temperature});
    ASSERT_FALSE(sampler);
    EXPECT_EQ(sampler.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(sampler.error().where, "temperature");
    EXPECT_EQ(sampler.error().wanted, "a finite number, at least 0");
  }
  for (const double top_p : {0.0, -0.5, 1.01, kNan}) {
    const auto sampler = Sampler::make({.top_p = top_p});
    ASSERT_FALSE(sampler);
    EXPECT_EQ(sampler.error().where, "top_p");
    EXPECT_EQ(sampler.error().wanted, "above 0, at most 1");
  }
}

TEST(Sampler, RefusesLogitsThatAreNone) {
  for (const SamplingOptions options : {SamplingOptions{}, SamplingOptions{.temperature = 1}}) {
    Sampler sampler = Sampler::make(options).value();
    EXPECT_EQ(to_line(sampler.sample({}).error()),
              "logits: not as many as can be sampled from, wanted 1 to 8388608, got 0");
    EXPECT_EQ(sampler.sample(Logits(kMostLogits + 1)).error().got, "8388609");
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
      const auto token = sampler.sample(Logits{1, bad, 2});
      ASSERT_FALSE(token);
      EXPECT_EQ(token.error().where, "logits[1]");
      EXPECT_EQ(token.error().what, "logit is not finite");
    }
  }
}

TEST(SamplingWeight, IsTheExponential) {
  EXPECT_EQ(sampling_weight(0), kFullWeight);
  EXPECT_EQ(sampling_weight(-0.0), kFullWeight);
  for (double exponent = -1e-12; exponent > -35; exponent = exponent * 1.0137 - 1e-9) {
    const double exact = std::exp(exponent) * static_cast<double>(kFullWeight);
    EXPECT_NEAR(static_cast<double>(sampling_weight(exponent)), exact, exact * 0x1p-29 + 1) << exponent;
  }
  for (double exponent = 0; exponent > -30; exponent -= 0.001) {
    EXPECT_LE(sampling_weight(exponent - 0.001), sampling_weight(exponent)) << exponent;
  }
  EXPECT_EQ(sampling_weight(-28.5), 0u);  // e^-28.5 is 2^-41.1
  EXPECT_EQ(sampling_weight(-std::numeric_limits<double>::max()), 0u);
  EXPECT_EQ(sampling_weight(-std::numeric_limits<double>::infinity()), 0u);
}

}  // namespace
}  // namespace spanker
