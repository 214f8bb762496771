// The search against a brute force (brute_force_for_test.hpp).
#include "spanker/plan/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/brute_force_for_test.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using testing::BruteForce;

template <class T>
Ranged<T> exactly(T value) {
  return {value, value, value, "test"};
}

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint64_t from(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(engine_);
  }
  template <class T>
  T one_of(std::vector<T> choices) {
    return choices[from(0, choices.size() - 1)];
  }
  /// Log-uniform, so that every order of magnitude comes up.
  double magnitude(double low, double high) {
    return std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(engine_));
  }
  double real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

Model random_model(Dice& dice) {
  // Quantised matrices move in blocks of 32, so those models are larger in elements and as small in units.
  const bool quantised = dice.from(0, 2) == 0;
  const std::uint32_t block = quantised ? 32 : 1;
  ModelShape shape;
  shape.architecture =
      dice.one_of<Architecture>({Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3});
  shape.num_hidden_layers = static_cast<std::uint32_t>(dice.from(1, 6));
  shape.hidden_size = block * static_cast<std::uint32_t>(dice.from(1, 3));
  shape.head_dim = quantised ? dice.one_of<std::uint32_t>({16, 32}) : dice.one_of<std::uint32_t>({2, 4});
  shape.num_key_value_heads = static_cast<std::uint32_t>(dice.from(1, 3));
  shape.num_attention_heads =
      shape.num_key_value_heads *
      (quantised ? 2 : static_cast<std::uint32_t>(dice.from(1, 4 / shape.num_key_value_heads)));
  shape.intermediate_size = block * static_cast<std::uint32_t>(dice.from(1, 5));
  shape.vocab_size = block * static_cast<std::uint32_t>(dice.from(1, 5));
  shape.max_position_embeddings = 64;
  shape.rms_norm_eps = 1e-5;
  shape.rope_theta = 1e4;
  shape.tie_word_embeddings = dice.from(0, 1) == 1;
  Model model = *make_model("random", shape, quantised ? TensorType::kQ4_0 : TensorType::kF32);
  if (!quantised && dice.from(0, 1) == 1) {
    // Some layers' networks stored in another type: layers of two kinds.
    for (LayerTensors& layer : model.layers) {
      if (dice.from(0, 1) == 0) layer.gate.type = layer.up.type = TensorType::kF16;
    }
  }
  return model;
}

/// Some cards and links of their own, some links not up.
void make_unequal(Dice& dice, Cluster& cluster) {
  for (CardId card = 0; card < cluster.card_count; ++card) {
    if (dice.from(0, 1) == 0) continue;
    CardSpec& spec = cluster.card_overrides[card] = cluster.card;
    if (dice.from(0, 1) == 0) {
      spec.memory_bandwidth =
          exactly(BytesPerSecond(cluster.card.memory_bandwidth.value.value * dice.magnitude(0.3, 3)));
    }
    if (dice.from(0, 2) == 0) {
      spec.memory_capacity = exactly(Bytes(static_cast<std::uint64_t>(
          static_cast<double>(cluster.card.memory_capacity.value.value) * dice.real(0.4, 2))));
    }
    if (dice.from(0, 2) == 0) spec.compute = exactly(OpsPerSecond(dice.magnitude(1e6, 1e10)));
    if (dice.from(0, 3) == 0) spec.step_overhead = exactly(Seconds(dice.magnitude(1e-8, 1e-4)));
    if (dice.from(0, 3) == 0) spec.token_overhead = exactly(Seconds(dice.magnitude(1e-8, 1e-4)));
  }
  const Network network(cluster);
  for (LinkId id = 0; id < network.link_count(); ++id) {
    if (dice.from(0, 3) != 0) continue;
    LinkSpec& spec = cluster.link_overrides[network.ends(id)] = cluster.link;
    if (dice.from(0, 1) == 0) spec.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
    if (dice.from(0, 1) == 0) spec.latency = exactly(Seconds(dice.magnitude(1e-9, 1e-4)));
    if (dice.from(0, 3) == 0) spec.state = LinkState::kDown;
  }
}

Cluster random_cluster(Dice& dice, const Model& model, bool unequal) {
  Cluster cluster;
  cluster.name = "random";
  cluster.topology = dice.one_of<Topology>(
      {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar, Topology::kTorus});
  cluster.card_count = static_cast<std::uint32_t>(dice.from(1, 4));
  if (cluster.topology == Topology::kTorus) {
    cluster.torus_columns =
        cluster.card_count == 4 ? dice.one_of<std::uint32_t>({1, 2, 4}) : cluster.card_count;
  }
  cluster.card.memory_bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
  const double share = static_cast<double>(weight_bytes(model).value) / cluster.card_count;
  const double room = dice.from(0, 3) == 0 ? 1e9 : share * dice.real(0.9, 3) + 4000;
  cluster.card.memory_capacity = exactly(Bytes(static_cast<std::uint64_t>(room)));
  if (dice.from(0, 1) == 1) cluster.card.compute = exactly(OpsPerSecond(dice.magnitude(1e6, 1e10)));
  cluster.card.step_overhead = exactly(Seconds(dice.from(0, 1) == 0 ? 0 : dice.magnitude(1e-8, 1e-4)));
  cluster.card.token_overhead = exactly(Seconds(dice.from(0, 1) == 0 ? 0 : dice.magnitude(1e-8, 1e-4)));
  cluster.link.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e10)));
  cluster.link.latency = exactly(Seconds(dice.from(0, 3) == 0 ? 0 : dice.magnitude(1e-9, 1e-4)));
  cluster.host_link.bandwidth = exactly(BytesPerSecond(dice.magnitude(1e6, 1e9)));
  cluster.host_link.latency = exactly(Seconds(5e-5));
  if (unequal) make_unequal(dice, cluster);
  return cluster;
}

Workload random_workload(Dice& dice, Objective objective) {
  Workload workload;
  workload.objective = objective;
  workload.prompt = dice.from(1, 4);
  workload.generate = dice.from(1, 4);
  workload.context = dice.from(8, 40);
  workload.streams = objective == Objective::kThroughput ? dice.from(1, 4) : dice.from(1, 2);
  workload.kv_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32});
  workload.link_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32, TensorType::kQ8_0});
  workload.embedding =
      dice.one_of<EmbeddingPlace>({EmbeddingPlace::kCards, EmbeddingPlace::kCards, EmbeddingPlace::kHost});
  return workload;
}

Problem random_problem(std::uint32_t seed, Objective objective, bool unequal) {
  Dice dice(seed);
  Model model = random_model(dice);
  Cluster cluster = random_cluster(dice, model, unequal);
  return *Problem::make(std::move(model), std::move(cluster), random_workload(dice, objective));
}

struct Case {
  const char* name;
  Objective objective;
  bool unequal;
  std::uint32_t problems;
};

class SearchOf : public ::testing::TestWithParam<Case> {};

/// For long runs by hand: how many times as many problems.
std::uint32_t thoroughness() {
  const char* times = std::getenv("SPANKER_TEST_TIMES");
  return times == nullptr ? 1 : static_cast<std::uint32_t>(std::max(1, std::atoi(times)));
}

TEST_P(SearchOf, EqualsBruteForceOnThousandsOfSmallProblems) {
  const Case& asked = GetParam();
  int infeasible = 0;
  std::map<PlanStrategy, int> found;
  for (std::uint32_t seed = 0; seed < asked.problems * thoroughness(); ++seed) {
    const Problem problem = random_problem(seed, asked.objective, asked.unequal);
    const double expected = BruteForce(problem).best();
    const auto plan = search(problem);
    ASSERT_EQ(plan.has_value(), std::isfinite(expected)) << "seed " << seed;
    if (!plan) {
      ++infeasible;
      continue;
    }
    ++found[plan->strategy()];
    const auto sound = validate(problem, *plan);
    ASSERT_TRUE(sound.has_value()) << "seed " << seed << ": " << to_line(sound.error());
    const double seconds = objective_seconds(problem.workload, predict(problem, *plan));
    ASSERT_NEAR(seconds / expected, 1, 1e-9) << "seed " << seed;
  }
  // The problems must be worth asking: every kind of answer comes up.
  EXPECT_GT(infeasible, 20);
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    EXPECT_GT(found[strategy], 20) << to_string(strategy);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SearchOf,
                         ::testing::Values(Case{"LatencyOfEqualCards", Objective::kLatency, false, 3000},
                                           Case{"Latency", Objective::kLatency, true, 3000},
                                           Case{"Throughput", Objective::kThroughput, true, 1500},
                                           Case{"FirstToken", Objective::kFirstToken, true, 2000},
                                           Case{"Session", Objective::kSession, true, 2000}),
                         [](const auto& each) { return std::string(each.param.name); });

// ---- What no plan may lose by

double best_seconds(const Problem& problem) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const auto plan = search(problem, {}, links);
  return plan ? objective_seconds(problem, *plan, links) : std::numeric_limits<double>::infinity();
}

constexpr Objective kObjectives[] = {Objective::kLatency, Objective::kThroughput, Objective::kFirstToken,
                                     Objective::kSession};

template <class Quantity>
void scale(Ranged<Quantity>& ranged, double factor) {
  using Rep = decltype(ranged.value.value);
  ranged = exactly(Quantity(static_cast<Rep>(static_cast<double>(ranged.value.value) * factor)));
}

void for_each_card(Cluster& cluster, const std::function<void(CardSpec&)>& change) {
  change(cluster.card);
  for (auto& [id, spec] : cluster.card_overrides) change(spec);
}

void for_each_link(Cluster& cluster, const std::function<void(LinkSpec&)>& change) {
  change(cluster.link);
  for (auto& [ends, spec] : cluster.link_overrides) change(spec);
}

TEST(Search, IsNeverWorseWithMoreOfAnyResource) {
  const std::vector<std::function<void(Cluster&)>> changes = {
      [](Cluster& c) { for_each_card(c, [](CardSpec& card) { scale(card.memory_bandwidth, 2); }); },
      [](Cluster& c) { for_each_card(c, [](CardSpec& card) { scale(card.memory_capacity, 2); }); },
      [](Cluster& c) {
        for_each_card(c, [](CardSpec& card) {
          if (card.compute) scale(*card.compute, 2);
        });
      },
      [](Cluster& c) { for_each_link(c, [](LinkSpec& link) { scale(link.bandwidth, 2); }); },
      [](Cluster& c) {
        for_each_link(c, [](LinkSpec& link) { link.latency = exactly(link.latency.value / 2); });
      },
      [](Cluster& c) { scale(c.host_link.bandwidth, 2); },
      [](Cluster& c) { c.host_link.latency = exactly(c.host_link.latency.value / 2); }};
  for (const Objective objective : kObjectives) {
    for (std::uint32_t seed = 0; seed < 150; ++seed) {
      const Problem problem = random_problem(seed, objective, true);
      const double before = best_seconds(problem);
      for (std::size_t i = 0; i < changes.size(); ++i) {
        Problem changed = problem;
        changes[i](changed.cluster);
        EXPECT_LE(best_seconds(changed), before * (1 + 1e-9))
            << to_string(objective) << " seed " << seed << " change " << i;
      }
    }
  }
}

TEST(Search, IsNeverWorseWithACardMoreWhereNoWiringChanges) {
  for (const Objective objective : kObjectives) {
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
      Dice dice(seed);
      const Model model = random_model(dice);
      Cluster cluster = random_cluster(dice, model, false);
      cluster.torus_columns = 0;
      cluster.topology = dice.one_of<Topology>({Topology::kStar, Topology::kFullMesh, Topology::kLine});
      // Some cards of their own; from 8 to 9 cards the groups that are tried change.
      cluster.card_count = static_cast<std::uint32_t>(dice.one_of<int>({2, 3, 4, 8}));
      for (CardId card = 0; card < cluster.card_count; card += 3) {
        CardSpec& spec = cluster.card_overrides[card] = cluster.card;
        scale(spec.memory_bandwidth, dice.magnitude(0.3, 3));
      }
      const Workload workload = random_workload(dice, objective);
      const double before = best_seconds(*Problem::make(model, cluster, workload));
      ++cluster.card_count;
      EXPECT_LE(best_seconds(*Problem::make(model, cluster, workload)), before * (1 + 1e-9))
          << to_string(objective) << " seed " << seed;
    }
  }
}

/// Llama 3 8B on Raspberry Pi 5 boards, whose links are slow.
Problem on_boards(std::uint32_t cards) {
  return *Problem::make(*load_model("llama-3-8b", std::nullopt),
                        *with_card_count(*load_cluster("raspberry-pi-5-gbe"), cards), Workload{});
}

TEST(Search, GivesASlowBoardLessByWhatTheClosedFormSays) {
  Problem problem = on_boards(4);
  CardSpec& slow = problem.cluster.card_overrides[2] = problem.cluster.card;
  scale(slow.memory_bandwidth, 0.5);
  const auto plan = search(problem);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->stages.size(), 1u);
  Plan even = *search(on_boards(4));
  ASSERT_EQ(even.stages[0].shares.ffn_columns, (std::vector<std::uint64_t>(4, 3584)));
  ASSERT_TRUE(validate(problem, even));
  // The fixed costs are the same; reading takes twice as long on the slow board when shares are even.
  const Cost uneven_cost = decode_cost(problem, *plan, Bound::kValue);
  const Cost even_cost = decode_cost(problem, even, Bound::kValue);
  const Cost four_fast = decode_cost(on_boards(4), even, Bound::kValue);
  EXPECT_NEAR(even_cost.memory / four_fast.memory, 2, 1e-2);
  // 3.5 boards' worth of speed for 4, but for what units and replicated heads allow.
  EXPECT_LT(uneven_cost.memory / four_fast.memory, 1.35);
  EXPECT_GT(uneven_cost.memory / four_fast.memory, 4 / 3.5);
  EXPECT_LT(uneven_cost.total(), even_cost.total());
}

TEST(Search, StopsAtFewerBoardsWhereLinksAreSlower) {
  // Of one stage; a hybrid may still use all boards for the logits alone.
  const StrategySet one_stage{true, true, false, false};
  std::vector<std::uint32_t> used;
  for (const double times : {1.0, 15.0, 1000.0}) {
    Problem problem = on_boards(8);
    problem.cluster.link.latency = exactly(problem.cluster.link.latency.value * times);
    used.push_back(search(problem, one_stage)->cards_used());
  }
  EXPECT_EQ(used, (std::vector<std::uint32_t>{8, 2, 1}));
}

}  // namespace
}  // namespace spanker
