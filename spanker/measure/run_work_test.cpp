#include "spanker/measure/run_work.hpp"

#include <gtest/gtest.h>

#include "spanker/measure/runs_for_test.hpp"
#include "spanker/model/load.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

using testing::boards;
using testing::run_on;

RunSeconds seconds_of(const MeasuredRun& run, const Cluster& cluster) {
  const auto work = run_work(run, cluster, "r");
  EXPECT_TRUE(work) << to_line(work.error());
  return run_seconds(*work, run_rates(cluster, *work, Bound::kValue));
}

// Llama 2 7B in Q4_0 from its shapes: 18 bytes for 32 weights; norms, an embedding row and one position of KV
// cache beside them are thousandths.
constexpr double kLayerBytes = 32 * (4.0 * 4096 * 4096 + 3.0 * 4096 * 11008) * 18 / 32;
constexpr double kLogitsBytes = 4096.0 * 32000 * 18 / 32;

TEST(RunWork, OneCardReadsTheWholeModel) {
  const RunSeconds seconds = seconds_of(run_on(1), boards());
  EXPECT_NEAR(seconds.compute, (kLayerBytes + kLogitsBytes) / 5e9, 1e-3 * seconds.compute);
  EXPECT_EQ(seconds.transfer, 0);
}

TEST(RunWork, LayersAreSplitButForTheSerialShare) {
  const double part = 0.15 + 0.85 / 4;
  const RunSeconds star = seconds_of(run_on(4), boards());
  EXPECT_NEAR(star.compute, (kLayerBytes * part + kLogitsBytes) / 5e9, 2e-3 * star.compute);
  const RunSeconds all = seconds_of(run_on(4, "llama-2-7b", EngineSchedule::kAllToAll), boards());
  EXPECT_NEAR(all.compute, (kLayerBytes + kLogitsBytes) * part / 5e9, 2e-3 * all.compute);
  const RunSeconds chain = seconds_of(run_on(4, "llama-2-7b", EngineSchedule::kPipeline), boards());
  EXPECT_NEAR(chain.compute, (kLayerBytes + kLogitsBytes) / 5e9, 2e-3 * chain.compute);
}

// Two exchanges a layer of 4352 bytes each way, over two cables there and two back.
TEST(RunWork, TransferIsMessagesBytesContentionAndWaiting) {
  const RunSeconds seconds = seconds_of(run_on(4), boards());
  const double messages = 64 * 4 * 0.1e-3;
  const double bytes = 64 * (3 * 4352 + 4352) / 117e6;
  EXPECT_NEAR(seconds.transfer, (messages + bytes) * (1 + 2 * 0.1) + 0.05 * seconds.compute, 1e-9);
}

TEST(RunWork, PipelineSendsOneMessageAtATime) {
  const RunSeconds seconds = seconds_of(run_on(4, "llama-2-7b", EngineSchedule::kPipeline), boards());
  EXPECT_NEAR(seconds.transfer, 4 * (2 * 0.1e-3 + 4352 / 117e6), 1e-9);
}

TEST(RunWork, AllToAllOverlapsBothWays) {
  const RunSeconds seconds = seconds_of(run_on(2, "llama-2-7b", EngineSchedule::kAllToAll), boards());
  const double bytes = 64 * 4352 + 4096 * 4 + 32000 / 2 * 4;
  EXPECT_NEAR(seconds.transfer, 66 * 2 * 0.1e-3 + bytes / 117e6 + 0.05 * seconds.compute, 1e-9);
}

TEST(RunWork, ComputeCountsWhereItIsModelled) {
  Cluster cluster = boards();
  cluster.card.compute = Ranged<OpsPerSecond>{OpsPerSecond(1e9), OpsPerSecond(1e9), OpsPerSecond(1e9), ""};
  EXPECT_GT(seconds_of(run_on(1), cluster).compute, 2 * 6.4e9 / 1e9);
}

TEST(RunWork, SlowestOfTheCardsDecides) {
  Cluster cluster = boards();
  CardSpec slow = cluster.card;
  slow.memory_bandwidth.value = BytesPerSecond(1e9);
  cluster.card_overrides.emplace(1, slow);
  RunWork work;
  EXPECT_EQ(run_rates(cluster, work, Bound::kValue).memory_bandwidth, 5e9);
  work.cards = 2;
  EXPECT_EQ(run_rates(cluster, work, Bound::kValue).memory_bandwidth, 1e9);
}

TEST(RunWork, BoundsArePessimisticAndOptimistic) {
  const auto work = run_work(run_on(4), boards(), "r");
  const auto at = [&](Bound bound) { return run_seconds(*work, run_rates(boards(), *work, bound)); };
  EXPECT_GT(at(Bound::kLow).compute, at(Bound::kValue).compute);
  EXPECT_GT(at(Bound::kLow).transfer, at(Bound::kValue).transfer);
  EXPECT_LT(at(Bound::kHigh).compute, at(Bound::kValue).compute);
  EXPECT_LT(at(Bound::kHigh).transfer, at(Bound::kValue).transfer);
}

// The planner's own price, whatever the strategy: a fit must not change what a plan costs.
TEST(RunWork, PlansCostWhatThePlannerSays) {
  Cluster cluster = boards();
  cluster.card.step_overhead = {Seconds(3e-6), Seconds(3e-6), Seconds(3e-6), ""};
  cluster.card.token_overhead = {Seconds(1e-3), Seconds(1e-3), Seconds(1e-3), ""};
  for (const std::uint32_t cards : {1u, 2u, 3u}) {
    MeasuredRun run = run_on(cards, "tinyllama-1.1b", EngineSchedule::kPlan);
    run.context = 100;
    const RunSeconds seconds = seconds_of(run, cluster);

    Workload workload;
    workload.context = 100;
    workload.prompt = workload.generate = 1;
    workload.link_type = TensorType::kQ8_0;
    const auto problem = Problem::make(*load_model("tinyllama-1.1b", TensorType::kQ4_0),
                                       *with_card_count(cluster, cards), workload);
    ASSERT_TRUE(problem);
    std::vector<CardId> all;
    for (CardId card = 0; card < cards; ++card) all.push_back(card);
    const ClusterRates rates(problem->cluster, Bound::kValue);
    CollectivePricer links(rates);
    const Cost cost = decode_cost(*problem, *Searches(*problem, links).best_of_one_stage(all), Bound::kValue);
    EXPECT_NEAR(seconds.total(), cost.total().count(), 1e-9) << cards;
    EXPECT_NEAR(seconds.transfer, (cost.link_bandwidth + cost.link_latency).count(), 1e-9) << cards;
  }
}

TEST(RunWork, StrategyOfAPlanCounts) {
  MeasuredRun run = run_on(2, "tinyllama-1.1b", EngineSchedule::kPlan);
  const RunSeconds tensor = seconds_of(run, boards());
  run.strategy = PlanStrategy::kPipelineParallel;
  const RunSeconds pipeline = seconds_of(run, boards());
  EXPECT_LT(tensor.compute, 0.7 * pipeline.compute);
  EXPECT_GT(tensor.transfer, pipeline.transfer);
}

void refuse(const MeasuredRun& run, const Cluster& cluster, const std::string& start) {
  const auto work = run_work(run, cluster, "x.json: runs[3]");
  ASSERT_FALSE(work);
  EXPECT_EQ(work.error().kind, ErrorKind::kBadInput);
  EXPECT_TRUE(to_line(work.error()).starts_with(start)) << to_line(work.error());
}

TEST(RunWork, RefusesWhatCannotHaveBeenRun) {
  refuse(run_on(2, "llama-9"), boards(), "x.json: runs[3].model: no preset of that name, wanted");
  refuse(run_on(2, "none.gguf"), boards(), "x.json: runs[3].model: --quant: a GGUF file says itself");
  Cluster torus = boards();
  torus.topology = Topology::kTorus;
  torus.torus_columns = 2;
  refuse(run_on(3), torus, "x.json: runs[3].cards: boards: cards: does not fill the torus");
  MeasuredRun no_context = run_on(1, "tinyllama-1.1b", EngineSchedule::kPlan);
  no_context.kv_type = TensorType::kQ8_0;
  EXPECT_TRUE(run_work(no_context, boards(), "r"));
}

}  // namespace
}  // namespace spanker
