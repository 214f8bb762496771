#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"
#include "spanker/run/run_cards.hpp"
#include "spanker/steps/lower.hpp"
#include "spanker/steps/predict_steps.hpp"

// What a paced run takes by its own clock, which a busy machine does not change, against what was predicted.

namespace spanker {
namespace {

using namespace testing;

constexpr std::uint64_t kPrompt = 5;

class PacedRun : public ::testing::Test {
 protected:
  PacedRun() {
    const ModelShape shape{Architecture::kLlama, 4, 128, 192, 8, 4, 16, 300, 256, 1e-5, 10000, false};
    const Model model = must_be(make_model("small", shape, TensorType::kQ8_0));
    file_.emplace(must_be(ModelFile::open(folder_.write("m.gguf", random_gguf(model, 3)))));
  }

  /// So slow that this machine is hardly ever behind.
  static Cluster slow_ring(std::uint32_t cards) {
    Cluster cluster = plain_cluster(cards);
    const auto fixed = [](auto value) { return Ranged<decltype(value)>{value, value, value, "made up"}; };
    cluster.topology = Topology::kRing;
    cluster.card.memory_bandwidth = fixed(BytesPerSecond(2e8));
    cluster.card.compute = fixed(OpsPerSecond(5e8));
    cluster.card.step_overhead = fixed(Seconds(10e-6));
    cluster.card.token_overhead = fixed(Seconds(50e-6));
    cluster.link.bandwidth = fixed(BytesPerSecond(5e6));
    cluster.link.latency = fixed(Seconds(20e-6));
    cluster.host_link.bandwidth = fixed(BytesPerSecond(1e6));
    cluster.host_link.latency = fixed(Seconds(100e-6));
    return cluster;
  }

  Problem problem(const Cluster& cluster) const {
    return must_be(Problem::make(file_->model, cluster, plain_workload(kPrompt, 3, TensorType::kF16)));
  }

  RunTimes paced(const Problem& problem, const Plan& plan) const {
    const auto cards = must_be(load_cards(*file_, problem, plan, 1, Bytes(std::uint64_t{1} << 40)));
    int left = 2;
    const auto next = [&](std::span<const float>) -> std::optional<std::uint32_t> {
      if (--left < 0) return std::nullopt;
      return 7u;
    };
    const std::vector<std::uint32_t> prompt = {1, 2, 3, 4, 5};
    return must_be(run_cards(*file_, problem, plan, cards, prompt, next, true));
  }

  using Kinds = std::map<std::string, double>;
  static Kinds seconds(const StepGraph& graph, const Timeline& timeline) {
    Kinds kinds;
    for (const KindSeconds& kind : seconds_by_kind(graph, timeline)) {
      kinds[std::string(kind.kind)] = kind.seconds.count();
    }
    return kinds;
  }
  static Kinds measured(const RunTimes& times) {
    Timeline first;
    for (const TimelineEntry& entry : times.decode_timeline.entries) {
      if (entry.instance == 0) first.entries.push_back(entry);
    }
    return seconds(times.graphs.decode, first);
  }
  /// Of the first decoded token: the prompt and itself lie in the cache.
  Kinds predicted(const Problem& problem, const Plan& plan) const {
    Workload workload = problem.workload;
    workload.generate = 1;
    workload.context = kPrompt + 1;
    const Problem first = must_be(Problem::make(problem.model, problem.cluster, workload));
    const StepGraph graph = lower_decode(first, plan);
    return seconds(graph, predict_steps(graph, ClusterRates(first.cluster, Bound::kValue)));
  }

  const Folder folder_;
  std::optional<ModelFile> file_;
};

const std::vector<std::string> kKernels = {"embedding",        "attention_norm", "qkv",     "attention",
                                           "attention_output", "ffn_norm",       "gate_up", "down",
                                           "output_norm",      "logits"};
const std::vector<std::string> kExchanges = {"attention_all_reduce", "ffn_all_reduce", "boundary"};

TEST_F(PacedRun, StepsTakeWhatWasPredicted) {
  const Problem question = problem(slow_ring(4));
  for (const auto& stages : {std::vector{even(1)}, std::vector{even(2)}, std::vector{even(4)},
                             std::vector{even(1), even(1)}, std::vector{even(2), even(2)}}) {
    Plan plan = plan_of(question, stages);
    // Whose messages all go to neighbours: what others send over links between is not paced.
    for (Stage& stage : plan.stages) stage.decode.all_reduce = Algorithm::kRingBidirectional;
    Kinds wanted = predicted(question, plan);
    Kinds got = measured(paced(question, plan));
    SCOPED_TRACE(std::to_string(stages.size()) + " stages, " + std::to_string(plan.cards_used()) + " cards");
    for (const std::string& kind : kKernels) EXPECT_NEAR(got[kind], wanted[kind], 1e-9) << kind;
    for (const std::string& kind : kExchanges)
      EXPECT_NEAR(got[kind], wanted[kind], 0.02 * wanted[kind]) << kind;
    // The gather of logits pads shares in the graph alone.
    EXPECT_LE(got["logits_gather"], wanted["logits_gather"] * (1 + 1e-9));
    EXPECT_NEAR(got["pass_overhead"], wanted["pass_overhead"], 1e-9);
  }
}

TEST_F(PacedRun, ASlowerLinkSlowsOnlyWhatUsesIt) {
  Cluster cluster = slow_ring(3);
  const Problem usual = problem(cluster);
  LinkSpec half = cluster.link;
  half.bandwidth.value = half.bandwidth.low = half.bandwidth.high = BytesPerSecond(2.5e6);
  cluster.link_overrides[{0, 1}] = half;
  const Problem slower = problem(cluster);
  const Plan plan = plan_of(usual, {even(1), even(1), even(1)});
  const RunTimes before = paced(usual, plan);
  const RunTimes after = paced(slower, plan);
  Kinds kinds_before = measured(before);
  Kinds kinds_after = measured(after);
  for (const std::string& kind : kKernels) EXPECT_NEAR(kinds_after[kind], kinds_before[kind], 1e-9) << kind;

  // Of the two boundaries only the first goes from card 0 to card 1.
  const auto boundary = [](const RunTimes& times, CardId from) {
    for (const TimelineEntry& entry : times.decode_timeline.entries) {
      const Step& step = times.graphs.decode.step(entry.step);
      if (entry.instance == 0 && step.kind == StepKind::kSend && step.card == from &&
          step.bytes.value >= 512) {
        return (entry.end - entry.start).count();
      }
    }
    return 0.0;
  };
  const double bytes = 128 * 4;
  EXPECT_NEAR(boundary(before, 0), bytes / 5e6 + 20e-6, 1e-9);
  EXPECT_NEAR(boundary(after, 0), bytes / 2.5e6 + 20e-6, 1e-9);
  EXPECT_NEAR(boundary(after, 1), boundary(before, 1), 1e-9);
}

TEST_F(PacedRun, TheWallIsNeverAheadOfThePace) {
  const Problem question = problem(slow_ring(2));
  const Plan plan = plan_of(question, {even(2)});
  const RunTimes times = paced(question, plan);
  double pace = 0;
  for (const auto& [kind, seconds] : measured(times)) pace += seconds;
  EXPECT_GE(times.lateness, Seconds(0));
  // Where the first token was late, those after it make up for that.
  EXPECT_GE((times.decode + times.lateness).count(), 0.9 * pace);
}

}  // namespace
}  // namespace spanker
