#include "spanker/plan/predict.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "spanker/plan/price.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

using testing::fixed;
using testing::must;
using testing::preset_problem;
using testing::random_problem;
using testing::round_cluster;
using testing::small_problem;
using testing::small_shape;
using testing::small_workload;

Prediction best(const Problem& problem) { return predict(problem, search(problem).value()); }

Problem tinyllama(std::uint32_t cards, Workload workload = {}) {
  return preset_problem("tinyllama-1.1b", "sails-rev-a", cards, workload);
}

double rate_on(std::uint32_t cards) { return best(tinyllama(cards)).tokens_per_second(); }

/// Stored bytes of a Q4_0 matrix: 18 bytes for 32 elements.
double q4(double columns, double rows) { return columns * rows / 32 * 18; }

/// What one of `cards` cards reads for a token of TinyLlama at 2048 positions where everything divides
/// evenly: at least one key/value head, every norm, and its own row of the embedding table.
double tinyllama_bytes_per_token(double cards) {
  const double key_rows = std::max(256 / cards, 64.0);
  const double norm = 2048 * 4;
  const double attention = norm + q4(2048, 2048 / cards) + 2 * q4(2048, key_rows) + q4(2048 / cards, 2048);
  const double cache = 2 * key_rows * 2 * 2049;  // F16, 2048 positions read and one written
  const double ffn = norm + 3 * q4(2048, 5632 / cards);
  return 22 * (attention + cache + ffn) + norm + q4(2048, 32000 / cards) + q4(2048, 1);
}

constexpr double kTokenOverHost = 2 * 50e-6 + 2 * 4 / 100e6;

TEST(PredictTinyLlama, OneSail) {
  const Problem problem = tinyllama(1);
  const Prediction prediction = best(problem);
  // 582 231 168 bytes of weights and 2049 positions of 22 528 bytes.
  EXPECT_DOUBLE_EQ(tinyllama_bytes_per_token(1), 582231168.0 + 2049 * 22528.0);
  EXPECT_DOUBLE_EQ(prediction.decode.memory.count(), tinyllama_bytes_per_token(1) / 2e9);
  EXPECT_DOUBLE_EQ(prediction.decode.host_link.count(), kTokenOverHost);
  EXPECT_NEAR(prediction.decode.total().count(), 0.3142956, 1e-12);
  EXPECT_NEAR(prediction.tokens_per_second(), 3.18, 0.005);
  EXPECT_NEAR(prediction.tokens_per_second_low(),
              1 / (tinyllama_bytes_per_token(1) / 1.5e9 + 1e-4 + 8 / 80e6), 1e-9);
  EXPECT_NEAR(prediction.tokens_per_second_high(),
              1 / (tinyllama_bytes_per_token(1) / 2.4e9 + 1e-4 + 8 / 125e6), 1e-9);
  EXPECT_NEAR(prediction.tokens_per_second_low(), 2.39, 0.005);
  EXPECT_NEAR(prediction.tokens_per_second_high(), 3.82, 0.005);

  EXPECT_EQ(prediction.load.bytes, Bytes(619094016));
  EXPECT_FALSE(prediction.load.relayed);
  EXPECT_NEAR(prediction.load.seconds.count(), 6.19, 0.005);
  EXPECT_DOUBLE_EQ(prediction.load.seconds.count(), 50e-6 + 619094016 / 100e6);

  // The prompt's pass reads 512 embedding rows, and 512 positions of cache after writing as many.
  const double prefill_bytes = 582231168.0 + 511 * q4(2048, 1) + 1024 * 22528.0;
  EXPECT_DOUBLE_EQ(prediction.prefill.memory.count(), prefill_bytes / 2e9);
  EXPECT_DOUBLE_EQ(prediction.prefill.host_link.count(), 1e-4 + (512 * 4 + 4) / 100e6);
  EXPECT_DOUBLE_EQ(prediction.time_to_first_token().count(), prediction.prefill.total().count());
  EXPECT_NEAR(prediction.prefill_tokens_per_second(problem.workload),
              512 / (prefill_bytes / 2e9 + 0.00012052), 1e-6);
  EXPECT_NEAR(prediction.session.count(), 6.19099016 + prefill_bytes / 2e9 + 0.00012052 + 128 * 0.3142956,
              1e-9);
}

TEST(PredictTinyLlama, FourSails) {
  const Prediction prediction = best(tinyllama(4));
  EXPECT_DOUBLE_EQ(prediction.decode.memory.count(), tinyllama_bytes_per_token(4) / 2e9);
  EXPECT_DOUBLE_EQ(prediction.decode.host_link.count(), kTokenOverHost);
  // 44 all-reduces of 8 KiB both ways round: six rounds of 1 us and 1024 bytes. Two neighbours' and then two
  // cards' worth of 8000 F32 logits: card 2 is two hops away and shares its last cable with a neighbour.
  const double all_reduce = 6 * (1e-6 + 1024 / 500e6);
  const double gather = 2e-6 + 2 * 32000 / 500e6;
  const double tree_broadcast = (2e-6 + 8192 / 500e6) + (1e-6 + 8192 / 500e6);
  const double links = (prediction.decode.link_bandwidth + prediction.decode.link_latency).count();
  EXPECT_GT(links, 44 * all_reduce + gather);
  EXPECT_LE(links, 44 * all_reduce + gather + tree_broadcast);
  EXPECT_NEAR(prediction.tokens_per_second(), 12.5, 0.05);
}

TEST(PredictTinyLlama, AllReduceOverFourSails) {
  const Problem problem = tinyllama(4);
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const PassPricer pricer(problem, rates, links, problem.decode());
  const std::vector<CardId> cards = {0, 1, 2, 3};
  EXPECT_NEAR(pricer.all_reduce(cards, Algorithm::kRing).total().count(), 6 * (1e-6 + 2048 / 500e6), 1e-12);
  EXPECT_NEAR(pricer.all_reduce(cards, Algorithm::kRing).total().count(), 30.6e-6, 0.05e-6);
  EXPECT_LE(pricer.all_reduce(cards).cost.total(), pricer.all_reduce(cards, Algorithm::kRing).total());
}

TEST(PredictTinyLlama, EightSails) {
  const Prediction prediction = best(tinyllama(8));
  EXPECT_DOUBLE_EQ(prediction.decode.memory.count(), tinyllama_bytes_per_token(8) / 2e9);
  EXPECT_GE(prediction.tokens_per_second(), 22.1);
  EXPECT_LE(prediction.tokens_per_second(), 22.5);
}

TEST(PredictTinyLlama, EveryCardHelpsWhetherOrNotItDividesTheModel) {
  std::vector<double> rates;
  for (std::uint32_t cards = 1; cards <= 8; ++cards) rates.push_back(rate_on(cards));
  for (std::size_t i = 1; i < rates.size(); ++i) EXPECT_GT(rates[i], rates[i - 1]) << i + 1 << " cards";
}

TEST(PredictLoad, CopiesArePassedOnBetweenCards) {
  // Two cards share nothing but the 45 norms of 8 KiB.
  const double norms = 45 * 8192;
  const Load load = best(tinyllama(2)).load;
  EXPECT_TRUE(load.relayed);
  EXPECT_EQ(load.bytes, Bytes(619094016));
  EXPECT_NEAR(load.seconds.count(), 50e-6 + 619094016 / 100e6 + 1e-6 + norms / 500e6, 1e-12);
}

TEST(PredictLoad, CopiesCrossTheHostLinkWhereThatIsFaster) {
  Problem problem = tinyllama(2);
  Plan plan = search(problem).value();
  problem.cluster.link.bandwidth = fixed(BytesPerSecond(1e6));
  const Load load = predict(problem, plan).load;
  EXPECT_FALSE(load.relayed);
  EXPECT_EQ(load.bytes, Bytes(619094016 + 45 * 8192));
  EXPECT_NEAR(load.seconds.count(), 50e-6 + (619094016 + 45 * 8192) / 100e6, 1e-12);
}

TEST(PredictLoad, PortsOfTheirOwnWorkAtOnce) {
  Problem problem = tinyllama(2);
  const Plan plan = search(problem).value();
  problem.cluster.host_link.shared = false;
  const Load load = predict(problem, plan).load;
  // Each card half of all matrices and every norm.
  EXPECT_FALSE(load.relayed);
  EXPECT_EQ(load.bytes, Bytes(619094016 + 45 * 8192));
  EXPECT_NEAR(load.seconds.count(), 50e-6 + (619094016 + 45 * 8192) / 2 / 100e6, 1e-12);
}

TEST(PredictHost, BudgetIsWhatCrossesInASession) {
  const Problem problem = tinyllama(4);
  const Prediction prediction = best(problem);
  const auto& budget = prediction.host_budget;
  ASSERT_EQ(budget.size(), 3u);
  EXPECT_EQ(budget[0].what, "load");
  EXPECT_EQ(budget[0].bytes, prediction.load.bytes);
  EXPECT_EQ(budget[0].seconds, prediction.load.seconds);
  EXPECT_EQ(budget[1].what, "prompt_upload");
  EXPECT_EQ(budget[1].bytes, Bytes(512 * 4));
  EXPECT_EQ(budget[2].what, "token_ids");
  EXPECT_EQ(budget[2].bytes, Bytes(128 * 4 + 129 * 4));  // the prompt's pass sends the first one back
  const Seconds passes = prediction.prefill.host_link + 128 * prediction.decode.host_link;
  EXPECT_NEAR((budget[1].seconds + budget[2].seconds).count(), passes.count(), 1e-12);
}

TEST(PredictHost, KeepsTheEmbeddingTableThereWhenAsked) {
  Workload workload;
  workload.embedding = EmbeddingPlace::kHost;
  workload.link_type = TensorType::kF16;
  const Problem problem = tinyllama(1, workload);
  const Prediction prediction = best(problem);
  // A vector of 2048 halves up, an id down; no embedding row is read on the card.
  EXPECT_DOUBLE_EQ(prediction.decode.host_link.count(), 1e-4 + (4096 + 4) / 100e6);
  EXPECT_DOUBLE_EQ(prediction.decode.memory.count(), (tinyllama_bytes_per_token(1) - q4(2048, 1)) / 2e9);
  EXPECT_DOUBLE_EQ(prediction.prefill.host_link.count(), 1e-4 + (512 * 4096 + 4) / 100e6);
  EXPECT_EQ(prediction.load.bytes.value, 619094016 - static_cast<std::uint64_t>(q4(2048, 32000)));
  EXPECT_EQ(prediction.host_budget[1].bytes, Bytes(512 * 4096));
  EXPECT_EQ(prediction.host_budget[2].bytes, Bytes(128 * 4096 + 129 * 4));
}

TEST(PredictOverhead, CountsStepsAndPasses) {
  Problem problem = tinyllama(1);
  const Seconds plain = best(problem).decode.total();
  problem.cluster.card.step_overhead = fixed(Seconds(5e-6));
  problem.cluster.card.token_overhead = fixed(Seconds(1e-3));
  const Prediction prediction = best(problem);
  // Seven kernels a layer, the embedding lookup, the last norm and the logits.
  EXPECT_NEAR(prediction.decode.overhead.count(), (22 * 7 + 3) * 5e-6 + 1e-3, 1e-15);
  EXPECT_NEAR((prediction.decode.total() - plain).count(), (22 * 7 + 3) * 5e-6 + 1e-3, 1e-12);
  EXPECT_NEAR(prediction.prefill.overhead.count(), (22 * 7 + 3) * 5e-6 + 1e-3, 1e-15);
}

TEST(PredictCompute, TakesOverWhereItIsTheLargerTerm) {
  Problem problem = tinyllama(1);
  problem.cluster.card.compute = fixed(OpsPerSecond(1e6));
  const Cost decode = best(problem).decode;
  const double weights = 22 * (2.0 * 2048 * 2048 + 2.0 * 2048 * 256 + 3.0 * 2048 * 5632) + 2048.0 * 32000;
  const double ops = 2 * weights + 22 * 4.0 * 2048 * 2048 + 45 * 4.0 * 2048;
  EXPECT_NEAR(decode.compute.count(), ops / 1e6, 1e-6);
  EXPECT_DOUBLE_EQ(decode.memory.count(), q4(2048, 1) / 2e9);  // a lookup computes nothing
}

// An oracle for cards that work alone, from the tensors' sizes.

double stored_bytes(TensorType type, double elements) {
  static const std::map<TensorType, double> kBytesPerElement = {{TensorType::kF32, 4},
                                                                {TensorType::kF16, 2},
                                                                {TensorType::kQ4_0, 18.0 / 32},
                                                                {TensorType::kQ8_0, 34.0 / 32}};
  return kBytesPerElement.at(type) * elements;
}

struct Rates {
  double memory, compute, step, token, host_bandwidth, host_latency;
};

Rates rates_of(const Cluster& cluster, Bound bound) {
  const auto rate = [&](const auto& r) {
    return bound == Bound::kLow ? r.low.value : bound == Bound::kHigh ? r.high.value : r.value.value;
  };
  const auto time = [&](const auto& r) {
    return (bound == Bound::kLow ? r.high : bound == Bound::kHigh ? r.low : r.value).count();
  };
  const CardSpec& card = cluster.card;
  return {rate(card.memory_bandwidth),       card.compute ? rate(*card.compute) : INFINITY,
          time(card.step_overhead),          time(card.token_overhead),
          rate(cluster.host_link.bandwidth), time(cluster.host_link.latency)};
}

/// Seconds of layers [first, last] on one card, with the embedding before and the logits behind where asked.
double alone_seconds(const Problem& problem, const Rates& rates, const Pass& pass, std::uint32_t first,
                     std::uint32_t last, bool with_embedding, bool with_logits) {
  const ModelShape& s = problem.model.shape;
  const double rows = static_cast<double>(pass.tokens * pass.streams);
  const double streams = static_cast<double>(pass.streams);
  const double n = static_cast<double>(pass.tokens);
  const double c = static_cast<double>(pass.context);
  const double hidden = s.hidden_size;
  const double query = static_cast<double>(s.num_attention_heads) * s.head_dim;
  const double key = static_cast<double>(s.num_key_value_heads) * s.head_dim;
  double seconds = 0;
  const auto kernel = [&](double bytes, double ops) {
    seconds += std::max(bytes / rates.memory, ops / rates.compute) + rates.step;
  };
  for (std::uint32_t i = first; i <= last; ++i) {
    const LayerTensors& layer = problem.model.layers[i];
    double qkv = stored_bytes(layer.query.type, hidden * query) + stored_bytes(layer.key.type, hidden * key) +
                 stored_bytes(layer.value.type, hidden * key);
    if (s.architecture == Architecture::kQwen2) qkv += 4 * (query + 2 * key);
    if (s.architecture == Architecture::kQwen3) qkv += 4 * 2 * s.head_dim;
    kernel(4 * hidden, 4 * hidden * rows);
    kernel(qkv, 2 * rows * hidden * (query + 2 * key));
    double attended = 0;
    for (double token = 0; token < n; ++token) attended += c - token;
    kernel(stored_bytes(pass.kv_type, 2 * key) * (c + n) * streams, 4 * query * attended * streams);
    kernel(stored_bytes(layer.attention_output.type, query * hidden), 2 * rows * query * hidden);
    kernel(4 * hidden, 4 * hidden * rows);
    kernel(stored_bytes(layer.gate.type, hidden * s.intermediate_size) * 2,
           4 * rows * hidden * s.intermediate_size);
    kernel(stored_bytes(layer.down.type, hidden * s.intermediate_size),
           2 * rows * hidden * s.intermediate_size);
  }
  if (with_embedding && problem.workload.embedding == EmbeddingPlace::kCards) {
    kernel(stored_bytes(problem.model.token_embedding.type, hidden) * rows, 0);
  }
  if (with_logits) {
    kernel(4 * hidden, 4 * hidden * streams);
    kernel(stored_bytes(problem.model.output_matrix().type, hidden * s.vocab_size),
           2 * hidden * s.vocab_size * streams);
  }
  return seconds;
}

double host_seconds(const Problem& problem, const Rates& rates, const Pass& pass) {
  const double rows = static_cast<double>(pass.rows());
  const double up = problem.workload.embedding == EmbeddingPlace::kHost
                        ? stored_bytes(problem.workload.link_type, rows * problem.model.shape.hidden_size)
                        : 4 * rows;
  return rates.token + 2 * rates.host_latency +
         (up + 4 * static_cast<double>(pass.streams)) / rates.host_bandwidth;
}

/// Equal cards, so that the oracle needs to know one.
Problem random_problem_of_equal_cards() {
  Problem problem = random_problem();
  problem.cluster.card_overrides.clear();
  problem.cluster.link_overrides.clear();
  problem.cluster.card.memory_capacity = fixed(Bytes(1'000'000'000));
  return problem;
}

Plan plan_on_one_card(const Problem& problem) {
  const ModelShape& shape = problem.model.shape;
  Plan plan;
  plan.stages.push_back({0,
                         shape.num_hidden_layers - 1,
                         {0},
                         {{shape.num_attention_heads}, {shape.intermediate_size}, {shape.vocab_size}},
                         {},
                         {}});
  return plan;
}

void expect_close(double got, double wanted) { RC_ASSERT(std::abs(got - wanted) <= 1e-9 * std::abs(wanted)); }

RC_GTEST_PROP(Predict, OneCardTakesTheSumOfItsKernels, ()) {
  const Problem problem = random_problem_of_equal_cards();
  const Plan plan = plan_on_one_card(problem);
  const Prediction prediction = predict(problem, plan);
  const std::uint32_t last = problem.model.shape.num_hidden_layers - 1;
  const auto seconds = [&](Bound bound, const Pass& pass) {
    const Rates rates = rates_of(problem.cluster, bound);
    return alone_seconds(problem, rates, pass, 0, last, true, true) + host_seconds(problem, rates, pass);
  };
  const Pass decode{1, problem.workload.context, 1, problem.workload.kv_type};
  const Pass prefill{problem.workload.prompt, problem.workload.prompt, 1, problem.workload.kv_type};
  expect_close(prediction.decode.total().count(), seconds(Bound::kValue, decode));
  expect_close(prediction.decode_low.count(), seconds(Bound::kLow, decode));
  expect_close(prediction.decode_high.count(), seconds(Bound::kHigh, decode));
  expect_close(prediction.prefill.total().count(), seconds(Bound::kValue, prefill));

  Pass batch = decode;
  batch.streams = problem.workload.streams;
  expect_close(prediction.throughput.tokens_per_second,
               static_cast<double>(batch.streams) / seconds(Bound::kValue, batch));
}

RC_GTEST_PROP(Predict, PipelineThroughputIsTheBestOfAllMicroBatchCounts, ()) {
  Problem problem = random_problem_of_equal_cards();
  const std::uint32_t layers = problem.model.shape.num_hidden_layers;
  RC_PRE(layers >= 2);
  const std::uint32_t stages = *rc::gen::inRange(2u, std::min(layers, 4u) + 1);
  problem.cluster.topology = Topology::kFullMesh;
  problem.cluster.torus_columns = 0;
  problem.cluster.card_count = stages;
  const std::uint64_t streams = *rc::gen::inRange<std::uint64_t>(1, 12);
  problem.workload.streams = streams;

  const ModelShape& shape = problem.model.shape;
  Plan plan;
  for (std::uint32_t i = 0; i < stages; ++i) {
    const std::uint32_t first = i == 0 ? 0 : plan.stages.back().last_layer + 1;
    const std::uint32_t last =
        i + 1 == stages ? layers - 1 : *rc::gen::inRange(first, layers - (stages - i - 1));
    const bool has_rows = i == 0 || i + 1 == stages;
    plan.stages.push_back(
        {first,
         last,
         {i},
         {{shape.num_attention_heads}, {shape.intermediate_size}, {has_rows ? shape.vocab_size : 0}},
         {},
         {}});
  }

  const Rates rates = rates_of(problem.cluster, Bound::kValue);
  const auto over_link = [&](std::uint64_t elements) {
    const double whole = problem.workload.link_type == TensorType::kQ8_0
                             ? static_cast<double>((elements + 31) / 32 * 32)
                             : static_cast<double>(elements);
    return problem.cluster.link.latency.value.count() +
           stored_bytes(problem.workload.link_type, whole) / problem.cluster.link.bandwidth.value.value;
  };
  struct Batch {
    double latency = 0;
    double slowest = 0;
  };
  const auto batch_of = [&](std::uint64_t b) {
    const Pass pass{1, problem.workload.context, b, problem.workload.kv_type};
    Batch batch;
    batch.latency = host_seconds(problem, rates, pass);
    for (std::uint32_t i = 0; i < stages; ++i) {
      const bool is_last = i + 1 == stages;
      double stage = alone_seconds(problem, rates, pass, plan.stages[i].first_layer,
                                   plan.stages[i].last_layer, i == 0, is_last);
      if (is_last) stage += over_link(b * shape.vocab_size);  // logits, to the card that samples
      batch.slowest = std::max(batch.slowest, stage);
      batch.latency += stage;
      if (i > 0) {
        batch.slowest = std::max(batch.slowest, over_link(b * shape.hidden_size));
        batch.latency += over_link(b * shape.hidden_size);
      }
    }
    return batch;
  };
  double best_rate = 0;
  for (std::uint64_t count = 1; count <= streams; ++count) {
    double busy = 0;
    double latency = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Batch batch = batch_of(streams / count + (i < streams % count ? 1 : 0));
      busy += batch.slowest;
      latency = std::max(latency, batch.latency);
    }
    best_rate = std::max(best_rate, static_cast<double>(streams) / std::max(latency, busy));
  }
  const Prediction prediction = predict(problem, plan);
  expect_close(prediction.decode.total().count(), batch_of(1).latency);
  RC_ASSERT(prediction.throughput.streams == streams);
  RC_ASSERT(prediction.throughput.micro_batches >= 1);
  RC_ASSERT(prediction.throughput.micro_batches <= streams);
  expect_close(prediction.throughput.tokens_per_second, best_rate);
}

RC_GTEST_PROP(Predict, HoldsTogetherForEveryPlan, ()) {
  Problem problem = random_problem();
  const auto plan = search(problem);
  RC_PRE(plan.has_value());
  const Prediction prediction = predict(problem, *plan);

  // Breakdowns add up, to each other and to the pieces of the pass.
  for (const Cost& cost : {prediction.decode, prediction.prefill}) {
    double sum = 0;
    for (const CostTerm& term : cost_terms()) {
      RC_ASSERT((cost.*term.seconds).count() >= 0);
      sum += (cost.*term.seconds).count();
    }
    expect_close(sum, cost.total().count());
    RC_ASSERT(std::isfinite(sum));
  }
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const PassPrice pieces =
      price_pass(problem, PassPricer(problem, rates, links, problem.decode()), *plan, &Stage::decode);
  Seconds sum = pieces.overhead.total();
  for (const Cost& stage : pieces.stages) sum += stage.total();
  for (const Cost& boundary : pieces.boundaries) sum += boundary.total();
  expect_close(sum.count(), prediction.decode.total().count());
  RC_ASSERT(pieces.stages.size() == plan->stages.size());
  RC_ASSERT(pieces.boundaries.size() + 1 == plan->stages.size());

  RC_ASSERT(prediction.tokens_per_second_low() <= prediction.tokens_per_second() * (1 + 1e-12));
  RC_ASSERT(prediction.tokens_per_second() <= prediction.tokens_per_second_high() * (1 + 1e-12));
  expect_close(prediction.session.count(),
               prediction.load.seconds.count() + prediction.prefill.total().count() +
                   static_cast<double>(problem.workload.generate) * prediction.decode.total().count());
  // Several streams together are never slower than one.
  RC_ASSERT(prediction.throughput.tokens_per_second >= prediction.tokens_per_second() * (1 - 1e-12));

  problem.workload.streams = 1;
  const Prediction alone = predict(problem, *plan);
  RC_ASSERT(alone.throughput.tokens_per_second == 1 / alone.decode.total().count());
  RC_ASSERT(alone.throughput.micro_batches == 1u);
}

RC_GTEST_PROP(Predict, EqualCardsMayChangePlaces, ()) {
  Problem problem = random_problem_of_equal_cards();
  const std::uint32_t cards = problem.cluster.card_count;
  problem.cluster.topology = *rc::gen::element(Topology::kRing, Topology::kFullMesh, Topology::kStar);
  problem.cluster.torus_columns = 0;
  const Plan plan = search(problem).value();
  // A ring may be turned; where every pair of cards is alike any order will do.
  std::vector<CardId> place;
  const std::uint32_t turn = *rc::gen::inRange(0u, cards);
  for (CardId card = 0; card < cards; ++card) place.push_back((card + turn) % cards);
  if (problem.cluster.topology != Topology::kRing) {
    for (std::size_t i = cards; i > 1; --i)
      std::swap(place[i - 1], place[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  Plan moved = plan;
  for (Stage& stage : moved.stages) {
    for (CardId& card : stage.cards) card = place[card];
  }
  const Prediction before = predict(problem, plan);
  const Prediction after = predict(problem, moved);
  expect_close(after.decode.total().count(), before.decode.total().count());
  expect_close(after.decode_low.count(), before.decode_low.count());
  expect_close(after.prefill.total().count(), before.prefill.total().count());
  expect_close(after.throughput.tokens_per_second, before.throughput.tokens_per_second);
  expect_close(after.load.seconds.count(), before.load.seconds.count());
}

TEST(PredictThroughput, OneStageServesAllStreamsInOnePass) {
  Problem problem = small_problem(2);
  const Plan plan = search(problem).value();
  ASSERT_EQ(plan.stages.size(), 1u);
  problem.workload.streams = 8;
  const Throughput throughput = predict(problem, plan).throughput;
  EXPECT_EQ(throughput.streams, 8u);
  EXPECT_EQ(throughput.micro_batches, 1u);
}

}  // namespace
}  // namespace spanker
