#include "spanker/measure/card_fit.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "spanker/measure/measure_machine.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/machine_cluster.hpp"

namespace spanker {
namespace {

std::vector<DecodeSample> samples_of(double bandwidth, double step, double token, double noise) {
  std::vector<DecodeSample> samples;
  for (const SampleModel& each : sample_models()) {
    Workload workload;
    workload.prompt = workload.generate = 1;
    workload.context = 20;
    const auto model = make_model(each.name, each.shape, TensorType::kQ4_0);
    const Problem problem =
        Problem::make(*model, unmeasured_machine(1, Bytes(std::uint64_t{1} << 40)), workload).value();
    const Plan plan = search(problem, StrategySet{}).value();
    const Problem real = with_card(problem, BytesPerSecond(bandwidth), Seconds(step), Seconds(token));
    const Seconds seconds = decode_cost(real, plan, Bound::kValue).total();
    samples.push_back({problem, plan, {seconds * (1 - noise), seconds, seconds * (1 + noise)}});
  }
  return samples;
}

RC_GTEST_PROP(CardFit, FindsTheCardThatMadeTheTimes, ()) {
  const double bandwidth = 1e9 * *rc::gen::inRange(2, 200);
  // Overheads that are a fair part of a token: at least a twentieth of the small steps' time.
  const double step = *rc::gen::inRange(1, 20) * 7e-3 / bandwidth * 1e9 / 168 / 20;
  const double token = *rc::gen::inRange(0, 20) * 7e-3 / bandwidth * 1e9 / 20;
  const CardFit fit = fit_card(samples_of(bandwidth, step, token, 0.001), BytesPerSecond(1.1 * bandwidth));
  RC_ASSERT(std::abs(fit.memory_bandwidth.value.value / bandwidth - 1) < 0.03);
  RC_ASSERT(std::abs(fit.step_overhead.value.count() - step) <
            0.03 * (168 * step + token + 0.16e9 / bandwidth) / 168);
  RC_ASSERT(fit.worst_residual < 0.01);
  RC_ASSERT(fit.memory_bandwidth.low.value <= fit.memory_bandwidth.value.value);
  RC_ASSERT(fit.memory_bandwidth.value.value <= fit.memory_bandwidth.high.value);
  RC_ASSERT(fit.step_overhead.low >= Seconds(0));
}

TEST(CardFit, WhatNoCardExplainsShows) {
  auto samples = samples_of(1e10, 5e-6, 1e-4, 0);
  for (Seconds& each : samples[1].seconds) each *= 1.6;
  EXPECT_GT(fit_card(samples, BytesPerSecond(1e10)).worst_residual, 0.1);
}

TEST(CardFit, TheRateOfArithmeticIsThatWhichPredictsThePrompt) {
  const DecodeSample sample = samples_of(1e10, 5e-6, 1e-4, 0)[1];
  Workload workload = sample.problem.workload;
  workload.prompt = 256;
  workload.context = 300;
  const Problem problem =
      with_card(Problem::make(sample.problem.model, sample.problem.cluster, workload).value(),
                BytesPerSecond(1e10), Seconds(5e-6), Seconds(1e-4));
  Cluster cluster = problem.cluster;
  const OpsPerSecond rate(3e11);
  cluster.card.compute = Ranged<OpsPerSecond>{rate, rate, rate, {}};
  const Seconds seconds = predict(problem.with_cluster(cluster), sample.plan).prefill.total();
  const auto fitted = fit_compute(problem, sample.plan, seconds);
  ASSERT_TRUE(fitted.has_value());
  EXPECT_NEAR(fitted->value, 3e11, 1e8);
  EXPECT_FALSE(fit_compute(problem, sample.plan, seconds / 1000).has_value());
}

}  // namespace
}  // namespace spanker
