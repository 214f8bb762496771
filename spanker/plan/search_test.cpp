// The search against a brute force that shares neither enumeration nor pricing with it: it deals heads,
// columns and rows in every way, over every subset of cards, every grouping and every cut, and prices each by
// the formulas of docs/cost-model.md, written down anew here.
#include "spanker/plan/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "spanker/collective/schedule.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

using Counts = std::vector<std::uint64_t>;

/// Every way to deal `units` to `receivers`.
std::vector<Counts> every_deal(std::uint64_t units, std::size_t receivers) {
  if (receivers == 0) return units == 0 ? std::vector<Counts>{{}} : std::vector<Counts>{};
  std::vector<Counts> deals;
  for (std::uint64_t first = 0; first <= units; ++first) {
    for (Counts rest : every_deal(units - first, receivers - 1)) {
      rest.insert(rest.begin(), first);
      deals.push_back(rest);
    }
  }
  return deals;
}

/// Bytes of `rows` rows of `columns` elements.
double stored(TensorType type, std::uint64_t columns, std::uint64_t rows) {
  const BlockShape block = block_shape(type);
  return static_cast<double>(columns / block.elements * block.bytes * rows);
}

class BruteForce {
 public:
  explicit BruteForce(const Problem& problem)
      : problem_(problem), shape_(problem.model.shape), work_(problem.workload), network_(problem.cluster) {}

  /// Seconds per token of the best plan; infinite where none fits.
  double best() {
    double best = kNever;
    for (std::uint32_t subset = 1; subset < (1u << problem_.cluster.card_count); ++subset) {
      std::vector<CardId> cards;
      for (CardId card = 0; card < problem_.cluster.card_count; ++card) {
        if ((subset >> card & 1u) != 0) cards.push_back(card);
      }
      sampling_ = cards.front();
      best = std::min(best, rest_of_pipeline(cards, 0, 0));
    }
    const CardSpec& card = problem_.cluster.card;
    const HostLinkSpec& host = problem_.cluster.host_link;
    const double up = work_.embedding == EmbeddingPlace::kHost ? wire_bytes(shape_.hidden_size) : 4;
    return best + card.token_overhead.value.count() + 2 * host.latency.value.count() +
           (up + 4) / host.bandwidth.value.value;
  }

 private:
  struct Part {
    double seconds = 0;
    double bytes = 0;  ///< of memory
  };

  double rest_of_pipeline(const std::vector<CardId>& cards, std::size_t used, std::uint32_t layer) {
    if (layer == shape_.num_hidden_layers) return used == cards.size() ? 0 : kNever;
    double best = kNever;
    for (std::size_t end = used + 1; end <= cards.size(); ++end) {
      const std::vector<CardId> group(cards.begin() + static_cast<std::ptrdiff_t>(used),
                                      cards.begin() + static_cast<std::ptrdiff_t>(end));
      double entry = best_collective(Collective::kBroadcast, group, wire_units(shape_.hidden_size));
      if (layer > 0) entry += wire_seconds(cards[used - 1], cards[used], wire_units(shape_.hidden_size));
      for (std::uint32_t next = layer + 1; next <= shape_.num_hidden_layers; ++next) {
        const double rest = rest_of_pipeline(cards, end, next);
        if (entry + rest < best) best = std::min(best, entry + stage(group, layer, next) + rest);
      }
    }
    return best;
  }

  double stage(const std::vector<CardId>& group, std::uint32_t layer, std::uint32_t next) {
    const auto key = std::tuple(group, layer, next, sampling_);
    if (const auto known = stages_.find(key); known != stages_.end()) return known->second;
    const bool first = layer == 0;
    const bool last = next == shape_.num_hidden_layers;
    const std::size_t t = group.size();
    const std::uint64_t head_units = shape_.num_attention_heads / problem_.head_unit;
    const std::uint64_t column_units = shape_.intermediate_size / problem_.column_unit;
    const std::uint64_t row_units = first || last ? shape_.vocab_size / problem_.row_unit : 0;

    // Each deal as its slowest card and every card's bytes.
    struct Deal {
      double seconds = 0;
      std::vector<double> bytes;
    };
    const auto weigh = [&](const Counts& counts, const auto& part_of) {
      Deal deal;
      std::uint64_t before = 0;
      for (const std::uint64_t count : counts) {
        const Part part = part_of(before, count);
        deal.seconds = std::max(deal.seconds, part.seconds);
        deal.bytes.push_back(part.bytes);
        before += count;
      }
      return deal;
    };
    std::vector<Deal> heads;
    for (const Counts& counts : every_deal(head_units, t)) {
      heads.push_back(weigh(counts, [&](std::uint64_t before, std::uint64_t count) {
        return attention(layer, next, before * problem_.head_unit, count * problem_.head_unit);
      }));
    }
    std::vector<Deal> columns;
    for (const Counts& counts : every_deal(column_units, t)) {
      columns.push_back(weigh(counts, [&](std::uint64_t, std::uint64_t count) {
        return ffn(layer, next, count * problem_.column_unit);
      }));
    }
    std::vector<Deal> rows;
    for (const Counts& counts : every_deal(row_units, t)) {
      rows.push_back(weigh(counts, [&](std::uint64_t, std::uint64_t count) {
        return vocabulary(first, last, count * problem_.row_unit);
      }));
      if (last) rows.back().seconds += gather(group, std::ranges::max(counts) * problem_.row_unit);
    }

    double best = kNever;
    for (const Deal& h : heads) {
      for (const Deal& c : columns) {
        if (h.seconds + c.seconds >= best) continue;
        for (const Deal& r : rows) {
          const double seconds = h.seconds + c.seconds + r.seconds;
          if (seconds >= best) continue;
          bool fits = true;
          for (std::size_t i = 0; i < t; ++i) {
            const double other =
                4.0 * (2.0 * static_cast<double>(longest_pass() * shape_.hidden_size) +
                       (group[i] == sampling_ ? static_cast<double>(work_.streams * shape_.vocab_size) : 0));
            fits &= h.bytes[i] + c.bytes[i] + r.bytes[i] + other <=
                    static_cast<double>(problem_.cluster.card.memory_capacity.value.value);
          }
          if (fits) best = seconds;
        }
      }
    }
    if (first && work_.embedding == EmbeddingPlace::kCards) {
      best += kernel(stored(problem_.model.token_embedding.type, shape_.hidden_size, 1), 0);
    }
    best +=
        2.0 * (next - layer) * best_collective(Collective::kAllReduce, group, wire_units(shape_.hidden_size));
    return stages_[key] = best;
  }

  double kernel(double bytes, double ops) const {
    const CardSpec& card = problem_.cluster.card;
    const double compute = card.compute ? ops / card.compute->value.value : 0;
    return std::max(bytes / card.memory_bandwidth.value.value, compute) + card.step_overhead.value.count();
  }

  std::uint64_t longest_pass() const { return std::max(work_.prompt, work_.streams); }
  double tile_floats(std::uint64_t width) const {
    return 4.0 * static_cast<double>(std::min<std::uint64_t>(longest_pass(), 512) * width);
  }

  Part attention(std::uint32_t layer, std::uint32_t next, std::uint64_t first, std::uint64_t count) const {
    Part part;
    if (count == 0) return part;
    const std::uint64_t group = shape_.num_attention_heads / shape_.num_key_value_heads;
    std::uint64_t kv_heads = 0;
    for (std::uint64_t kv = 0; kv < shape_.num_key_value_heads; ++kv) {
      const bool used = kv * group < first + count && (kv + 1) * group > first;
      kv_heads += used ? 1 : 0;
    }
    const std::uint64_t q = count * shape_.head_dim;
    const std::uint64_t kv = kv_heads * shape_.head_dim;
    const std::uint64_t hidden = shape_.hidden_size;
    const double position = 2 * static_cast<double>(kv_heads) * stored(work_.kv_type, shape_.head_dim, 1);
    for (std::uint32_t l = layer; l < next; ++l) {
      const LayerTensors& tensors = problem_.model.layers[l];
      const double norm = 4.0 * static_cast<double>(hidden);
      double qkv = stored(tensors.query.type, hidden, q) + stored(tensors.key.type, hidden, kv) +
                   stored(tensors.value.type, hidden, kv);
      if (tensors.query_bias) qkv += 4.0 * static_cast<double>(q + 2 * kv);
      if (tensors.query_norm) qkv += 8.0 * shape_.head_dim;
      const double output = stored(tensors.attention_output.type, q, hidden);
      const auto flops = [&](std::uint64_t in, std::uint64_t out) {
        return 2.0 * static_cast<double>(in * out);
      };
      part.seconds += kernel(norm, norm) + kernel(qkv, flops(hidden, q + 2 * kv)) +
                      kernel(position * static_cast<double>(work_.context + 1),
                             4.0 * static_cast<double>(q * work_.context)) +
                      kernel(output, flops(q, hidden));
      part.bytes += norm + qkv + output + position * static_cast<double>(work_.context * work_.streams);
    }
    part.bytes += tile_floats(2 * q + 2 * kv);
    return part;
  }

  Part ffn(std::uint32_t layer, std::uint32_t next, std::uint64_t columns) const {
    Part part;
    if (columns == 0) return part;
    const std::uint64_t hidden = shape_.hidden_size;
    for (std::uint32_t l = layer; l < next; ++l) {
      const LayerTensors& tensors = problem_.model.layers[l];
      const double norm = 4.0 * static_cast<double>(hidden);
      const double gate_up =
          stored(tensors.gate.type, hidden, columns) + stored(tensors.up.type, hidden, columns);
      const double down = stored(tensors.down.type, columns, hidden);
      const double matmul = 2.0 * static_cast<double>(hidden * columns);
      part.seconds += kernel(norm, norm) + kernel(gate_up, 2 * matmul) + kernel(down, matmul);
      part.bytes += norm + gate_up + down;
    }
    part.bytes += tile_floats(2 * columns);
    return part;
  }

  Part vocabulary(bool first, bool last, std::uint64_t rows) const {
    Part part;
    if (rows == 0) return part;
    const std::uint64_t hidden = shape_.hidden_size;
    const bool tied = !problem_.model.output;
    const bool table = first && work_.embedding == EmbeddingPlace::kCards;
    const double norm = 4.0 * static_cast<double>(hidden);
    const double matrix = stored(problem_.model.output_matrix().type, hidden, rows);
    if (last) {
      part.seconds = kernel(norm, norm) + kernel(matrix, 2.0 * static_cast<double>(hidden * rows));
      part.bytes += norm + matrix + 4.0 * static_cast<double>(work_.streams * rows);
    }
    if (table && !(last && tied)) part.bytes += stored(problem_.model.token_embedding.type, hidden, rows);
    return part;
  }

  std::uint64_t wire_units(std::uint64_t elements) const {
    const std::uint64_t block = block_shape(work_.link_type).elements;
    return (elements + block - 1) / block;
  }
  double wire_bytes(std::uint64_t elements) const {
    return static_cast<double>(wire_units(elements) * block_shape(work_.link_type).bytes);
  }

  double wire_seconds(CardId from, CardId to, std::uint64_t units) {
    const Transfer all{0, 1, 0, units, false};
    return round_seconds({&all, 1}, {from, to});
  }

  double round_seconds(std::span<const Transfer> round, const std::vector<CardId>& cards) {
    std::map<LinkId, double> load;
    std::vector<std::vector<LinkId>> routes;
    for (const Transfer& transfer : round) {
      routes.emplace_back();
      if (!network_.append_route(cards[transfer.from], cards[transfer.to], routes.back())) return kNever;
      for (const LinkId link : routes.back()) {
        load[link] += static_cast<double>(transfer.units * block_shape(work_.link_type).bytes);
      }
    }
    double slowest = 0;
    for (const auto& route : routes) {
      double latency = 0;
      double carrying = 0;
      for (const LinkId id : route) {
        latency += network_.link(id).latency.value.count();
        carrying = std::max(carrying, load[id] / network_.link(id).bandwidth.value.value);
      }
      slowest = std::max(slowest, latency + carrying);
    }
    return slowest;
  }

  double best_collective(Collective collective, const std::vector<CardId>& cards, std::uint64_t units) {
    if (cards.size() < 2) return 0;
    const auto key = std::tuple(collective, cards, units);
    if (const auto known = collectives_.find(key); known != collectives_.end()) return known->second;
    double best = kNever;
    for (const Algorithm algorithm : algorithms_of(collective)) {
      const Schedule schedule =
          make_schedule(collective, algorithm, static_cast<std::uint32_t>(cards.size()), units);
      double seconds = 0;
      for (std::size_t i = 0; i < schedule.round_count(); ++i)
        seconds += round_seconds(schedule.round(i), cards);
      best = std::min(best, seconds);
    }
    return collectives_[key] = best;
  }

  double gather(std::vector<CardId> group, std::uint64_t rows) {
    if (group.front() != sampling_) group.insert(group.begin(), sampling_);
    return best_collective(Collective::kGather, group, wire_units(rows) * group.size());
  }

  const Problem& problem_;
  const ModelShape& shape_;
  const Workload& work_;
  Network network_;
  CardId sampling_ = 0;
  std::map<std::tuple<std::vector<CardId>, std::uint32_t, std::uint32_t, CardId>, double> stages_;
  std::map<std::tuple<Collective, std::vector<CardId>, std::uint64_t>, double> collectives_;
};

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

Cluster random_cluster(Dice& dice, const Model& model) {
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
  cluster.host_link.bandwidth = exactly(BytesPerSecond(1e8));
  cluster.host_link.latency = exactly(Seconds(5e-5));
  return cluster;
}

Workload random_workload(Dice& dice) {
  Workload workload;
  workload.prompt = dice.from(1, 4);
  workload.generate = dice.from(1, 4);
  workload.context = dice.from(8, 40);
  workload.streams = dice.from(1, 2);
  workload.kv_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32});
  workload.link_type = dice.one_of<TensorType>({TensorType::kF16, TensorType::kF32, TensorType::kQ8_0});
  workload.embedding =
      dice.one_of<EmbeddingPlace>({EmbeddingPlace::kCards, EmbeddingPlace::kCards, EmbeddingPlace::kHost});
  return workload;
}

Problem random_problem(std::uint32_t seed) {
  Dice dice(seed);
  Model model = random_model(dice);
  Cluster cluster = random_cluster(dice, model);
  return *Problem::make(std::move(model), std::move(cluster), random_workload(dice));
}

TEST(Search, EqualsBruteForceOnThousandsOfSmallProblems) {
  constexpr std::uint32_t kProblems = 6000;
  int infeasible = 0;
  std::map<PlanStrategy, int> found;
  for (std::uint32_t seed = 0; seed < kProblems; ++seed) {
    const Problem problem = random_problem(seed);
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
    ASSERT_NEAR(decode_cost(problem, *plan, Bound::kValue).total().count() / expected, 1, 1e-9)
        << "seed " << seed;
  }
  // The problems must be worth asking: every kind of answer comes up.
  EXPECT_GT(infeasible, 50);
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    EXPECT_GT(found[strategy], 50) << to_string(strategy);
  }
}

}  // namespace
}  // namespace spanker
