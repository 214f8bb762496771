#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "spanker/cluster/network.hpp"
#include "spanker/collective/schedule.hpp"
#include "spanker/plan/problem.hpp"

// The planner's oracle. It shares with the search neither enumeration nor prices: it deals heads, columns and
// rows in every way, over every subset of cards, every grouping and every cut, and prices each by the
// formulas of docs/cost-model.md, written down anew here. Schedules and routes are the library's, which have
// tests of their own.
namespace spanker::testing {

inline constexpr double kNever = std::numeric_limits<double>::infinity();

using Counts = std::vector<std::uint64_t>;

/// Every way to deal `units` to `receivers`.
inline std::vector<Counts> every_deal(std::uint64_t units, std::size_t receivers) {
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

/// The same in elements, where the last unit dealt may be smaller.
inline Counts elements_of(Counts units, std::uint64_t unit, std::uint64_t total) {
  for (std::uint64_t& count : units) {
    count = std::min(count * unit, total);
    total -= count;
  }
  return units;
}

/// Bytes of `rows` rows of `columns` elements.
inline double stored(TensorType type, std::uint64_t columns, std::uint64_t rows) {
  const BlockShape block = block_shape(type);
  return static_cast<double>(columns / block.elements * block.bytes * rows);
}

class BruteForce {
 public:
  explicit BruteForce(const Problem& problem)
      : problem_(problem),
        shape_(problem.model.shape),
        work_(problem.workload),
        cluster_(problem.cluster),
        network_(problem.cluster),
        cards_(network_.connected_cards()) {}

  /// Of equally quick deals, the one that loads quickest or slowest.
  enum class Ties { kQuickestLoad, kSlowestLoad };

  /// Seconds of the best plan by the workload's objective (for throughput, of a token at the full rate);
  /// infinite where none fits. `ties` counts for a session where each card has a host port of its own.
  double best(Ties ties = Ties::kQuickestLoad) {
    ties_ = ties;
    switch (work_.objective) {
      case Objective::kLatency:
        return best_of({{{1, work_.context, 1, 1}}, Sum::kAdd});
      case Objective::kFirstToken:
        return best_of({{{work_.prompt, work_.prompt, 1, 1}}, Sum::kAdd});
      case Objective::kSession:
        return best_of(
            {{{1, work_.context, 1, static_cast<double>(work_.generate)}, {work_.prompt, work_.prompt, 1, 1}},
             cluster_.host_link.shared ? Sum::kAddLoad : Sum::kAddFullestLoad});
      case Objective::kThroughput:
        break;
    }
    double best = kNever;
    for (std::uint64_t batches = 1; batches <= work_.streams; ++batches) {
      Question question{{}, Sum::kPeriod};
      const std::uint64_t large = (work_.streams + batches - 1) / batches;
      const std::uint64_t small = work_.streams / batches;
      std::uint64_t larger_ones = batches;
      if (large != small) larger_ones = work_.streams - small * batches;
      question.passes.push_back({1, work_.context, large, static_cast<double>(larger_ones)});
      if (large != small) {
        question.passes.push_back({1, work_.context, small, static_cast<double>(batches - larger_ones)});
      }
      question.batches = batches;
      best = std::min(best, best_of(question));
    }
    return best;
  }

 private:
  struct PassKind {
    std::uint64_t tokens;
    std::uint64_t context;
    std::uint64_t streams;
    double weight;
  };
  enum class Sum { kAdd, kAddLoad, kAddFullestLoad, kPeriod };  // the load: over one port, or a port a card
  struct Question {
    std::vector<PassKind> passes;
    Sum sum;
    std::uint64_t batches = 1;
  };
  /// Seconds in each pass, and stored bytes.
  struct Piece {
    std::vector<double> seconds;
    double load = 0;  ///< seconds through one port, or of its fullest card
  };
  /// Of one card's share: seconds by pass and layer, bytes of memory and of weights.
  struct Part {
    std::vector<double> seconds;
    double memory = 0;
    double weights = 0;
  };

  double best_of(const Question& question) {
    question_ = &question;
    stages_.clear();
    best_ = kNever;
    for (std::uint32_t subset = 1; subset < (1u << cards_.size()); ++subset) {
      chosen_.clear();
      for (std::size_t i = 0; i < cards_.size(); ++i) {
        if ((subset >> i & 1u) != 0) chosen_.push_back(cards_[i]);
      }
      pieces_.clear();
      extend(0, 0);
    }
    return best_;
  }

  /// Adds every next stage to `pieces_`.
  void extend(std::size_t used, std::uint32_t layer) {
    if (layer == shape_.num_hidden_layers) {
      if (used == chosen_.size()) best_ = std::min(best_, value());
      return;
    }
    for (std::size_t end = used + 1; end <= chosen_.size(); ++end) {
      const std::vector<CardId> group(chosen_.begin() + static_cast<std::ptrdiff_t>(used),
                                      chosen_.begin() + static_cast<std::ptrdiff_t>(end));
      for (std::uint32_t next = layer + 1; next <= shape_.num_hidden_layers; ++next) {
        if (next == shape_.num_hidden_layers && end != chosen_.size()) continue;
        const Piece& piece = stage(group, layer, next);
        if (piece.seconds.empty()) continue;
        const std::size_t before = pieces_.size();
        if (layer > 0) pieces_.push_back(boundary(chosen_[used - 1], chosen_[used]));
        pieces_.push_back(piece);
        extend(end, next);
        pieces_.resize(before);
      }
    }
  }

  double value() const {
    const CardSpec& sampler = card(chosen_.front());
    const HostLinkSpec& host = cluster_.host_link;
    const double bandwidth = host.bandwidth.value.value;
    double sum = 0;
    double busy = 0;
    for (std::size_t pass = 0; pass < question_->passes.size(); ++pass) {
      const PassKind& kind = question_->passes[pass];
      const std::uint64_t rows = kind.tokens * kind.streams;
      const double up = work_.embedding == EmbeddingPlace::kHost ? wire_bytes(rows * shape_.hidden_size)
                                                                 : 4.0 * static_cast<double>(rows);
      double seconds = sampler.token_overhead.value.count() + 2 * host.latency.value.count() +
                       (up + 4.0 * static_cast<double>(kind.streams)) / bandwidth;
      double slowest = 0;
      for (const Piece& piece : pieces_) {
        seconds += piece.seconds[pass];
        slowest = std::max(slowest, piece.seconds[pass]);
      }
      if (question_->sum == Sum::kPeriod) {
        if (pass == 0) sum = seconds;
        busy += kind.weight * slowest;
      } else {
        sum += kind.weight * seconds;
      }
    }
    if (question_->sum == Sum::kPeriod) {
      if (pieces_.size() == 1 && question_->batches > 1) return kNever;
      const double period = question_->batches > 1 ? std::max(sum, busy) : sum;
      return period / static_cast<double>(work_.streams);
    }
    if (question_->sum == Sum::kAddLoad) {
      sum += host.latency.value.count();
      for (const Piece& piece : pieces_) sum += piece.load;
    }
    if (question_->sum == Sum::kAddFullestLoad) {
      double fullest = 0;
      for (const Piece& piece : pieces_) fullest = std::max(fullest, piece.load);
      sum += host.latency.value.count() + fullest;
    }
    return sum;
  }

  const CardSpec& card(CardId id) const { return cluster_.card_at(id); }

  Piece boundary(CardId from, CardId to) {
    Piece piece;
    for (const PassKind& pass : question_->passes) {
      piece.seconds.push_back(
          wire_seconds(from, to, wire_units(pass.tokens * pass.streams * shape_.hidden_size)));
    }
    return piece;
  }

  /// No seconds where no deal fits.
  const Piece& stage(const std::vector<CardId>& group, std::uint32_t layer, std::uint32_t next) {
    const auto [entry, is_new] = stages_.try_emplace({group, layer, next, chosen_.front()});
    if (is_new) entry->second = best_deal(group, layer, next);
    return entry->second;
  }

  Piece best_deal(const std::vector<CardId>& group, std::uint32_t layer, std::uint32_t next) {
    const bool first = layer == 0;
    const bool last = next == shape_.num_hidden_layers;
    const std::size_t t = group.size();
    const std::size_t passes = question_->passes.size();
    const std::uint64_t head_units = shape_.num_attention_heads / problem_.head_unit;
    const std::uint64_t column_units = shape_.intermediate_size / problem_.column_unit;
    const std::uint64_t row_units =
        first || last ? (shape_.vocab_size + problem_.row_unit - 1) / problem_.row_unit : 0;

    // Each deal as its slowest card, pass by pass, and every card's bytes.
    struct Deal {
      std::vector<double> seconds;
      double weighed = 0;
      std::vector<double> memory;
      std::vector<double> weights;
    };
    const auto weigh = [&](const Counts& counts, std::size_t layers, const auto& part_of) {
      Deal deal;
      std::vector<double> slowest(passes * layers, 0);
      std::uint64_t before = 0;
      for (std::size_t i = 0; i < t; ++i) {
        const Part part = part_of(group[i], before, counts[i]);
        for (std::size_t j = 0; j < part.seconds.size(); ++j)
          slowest[j] = std::max(slowest[j], part.seconds[j]);
        deal.memory.push_back(part.memory);
        deal.weights.push_back(part.weights);
        before += counts[i];
      }
      for (std::size_t pass = 0; pass < passes; ++pass) {
        deal.seconds.push_back(0);
        for (std::size_t l = 0; l < layers; ++l) deal.seconds.back() += slowest[pass * layers + l];
      }
      return deal;
    };
    const auto finish = [&](Deal deal) {
      for (std::size_t pass = 0; pass < passes; ++pass) {
        deal.weighed += question_->passes[pass].weight * deal.seconds[pass];
      }
      return deal;
    };
    std::vector<Deal> heads;
    for (const Counts& counts : every_deal(head_units, t)) {
      heads.push_back(
          finish(weigh(counts, next - layer, [&](CardId id, std::uint64_t before, std::uint64_t count) {
            return attention(id, layer, next, before * problem_.head_unit, count * problem_.head_unit);
          })));
    }
    std::vector<Deal> columns;
    for (const Counts& counts : every_deal(column_units, t)) {
      columns.push_back(
          finish(weigh(counts, next - layer, [&](CardId id, std::uint64_t, std::uint64_t count) {
            return ffn(id, layer, next, count * problem_.column_unit);
          })));
    }
    std::vector<Deal> rows;
    for (const Counts& units : every_deal(row_units, t)) {
      const Counts counts = elements_of(units, problem_.row_unit, shape_.vocab_size);
      Deal deal = weigh(counts, 1, [&](CardId id, std::uint64_t, std::uint64_t count) {
        return vocabulary(id, first, last, count);
      });
      if (last) {
        for (std::size_t pass = 0; pass < passes; ++pass) {
          deal.seconds[pass] += gather(group, question_->passes[pass].streams * std::ranges::max(counts));
        }
      }
      rows.push_back(finish(std::move(deal)));
    }

    const bool own_ports = question_->sum == Sum::kAddFullestLoad;
    const bool bytes_count = question_->sum == Sum::kAddLoad || own_ports;
    const bool slowest_load = own_ports && ties_ == Ties::kSlowestLoad;
    double best = kNever;
    double chosen_bytes = kNever;
    Piece found;
    for (const Deal& h : heads) {
      for (const Deal& c : columns) {
        if (h.weighed + c.weighed > best * (1 + 1e-12)) continue;
        for (const Deal& r : rows) {
          const double weighed = h.weighed + c.weighed + r.weighed;
          const bool as_quick = weighed <= best * (1 + 1e-12);
          if (!as_quick || (!bytes_count && weighed >= best)) continue;
          bool fits = true;
          double bytes = 0;
          for (std::size_t i = 0; i < t; ++i) {
            const double other =
                4.0 *
                (2.0 * static_cast<double>(longest_pass() * shape_.hidden_size) +
                 (group[i] == chosen_.front() ? static_cast<double>(work_.streams * shape_.vocab_size) : 0));
            fits &= h.memory[i] + c.memory[i] + r.memory[i] + other <=
                    static_cast<double>(card(group[i]).memory_capacity.value.value);
            const double weights = h.weights[i] + c.weights[i] + r.weights[i];
            bytes = own_ports ? std::max(bytes, weights) : bytes + weights;
          }
          if (!fits) continue;
          const bool quicker = weighed < best * (1 - 1e-12);
          if (!quicker && (slowest_load ? bytes <= chosen_bytes : bytes >= chosen_bytes)) continue;
          best = std::min(best, weighed);
          chosen_bytes = bytes;
          found.seconds.clear();
          for (std::size_t pass = 0; pass < passes; ++pass) {
            found.seconds.push_back(h.seconds[pass] + c.seconds[pass] + r.seconds[pass]);
          }
        }
      }
    }
    if (found.seconds.empty()) return found;
    for (std::size_t pass = 0; pass < passes; ++pass) {
      const PassKind& kind = question_->passes[pass];
      const std::uint64_t vector = wire_units(kind.tokens * kind.streams * shape_.hidden_size);
      double& seconds = found.seconds[pass];
      if (first && work_.embedding == EmbeddingPlace::kCards) {
        double slowest = 0;
        for (const CardId id : group) {
          slowest = std::max(slowest, kernel(id,
                                             stored(problem_.model.token_embedding.type, shape_.hidden_size,
                                                    kind.tokens * kind.streams),
                                             0));
        }
        seconds += slowest;
      }
      seconds += best_collective(Collective::kBroadcast, group, vector);
      seconds += 2.0 * (next - layer) * best_collective(Collective::kAllReduce, group, vector);
    }
    // Over the host link: every card's bytes, or each byte once and the copies from the first to the second.
    const double bandwidth = cluster_.host_link.bandwidth.value.value;
    found.load = chosen_bytes / bandwidth;
    if (t > 1 && !own_ports) {
      const double once = bytes_stored_once(layer, next, first, last);
      if (chosen_bytes > once) {
        const double relayed = once / bandwidth + route_seconds(group[0], group[1], chosen_bytes - once);
        found.load = std::min(found.load, relayed);
      }
    }
    return found;
  }

  double bytes_stored_once(std::uint32_t layer, std::uint32_t next, bool first, bool last) const {
    const CardId any = chosen_.front();
    return attention(any, layer, next, 0, shape_.num_attention_heads).weights +
           ffn(any, layer, next, shape_.intermediate_size).weights +
           vocabulary(any, first, last, first || last ? shape_.vocab_size : 0).weights;
  }

  double kernel(CardId id, double bytes, double ops) const {
    const CardSpec& spec = card(id);
    const double compute = spec.compute ? ops / spec.compute->value.value : 0;
    return std::max(bytes / spec.memory_bandwidth.value.value, compute) + spec.step_overhead.value.count();
  }

  std::uint64_t longest_pass() const { return std::max(work_.prompt, work_.streams); }
  double tile_floats(std::uint64_t width) const {
    return 4.0 * static_cast<double>(std::min<std::uint64_t>(longest_pass(), 512) * width);
  }

  /// Of a card's seconds a share is as long as for all of the work, whatever its part.
  Part with_serial_share(CardId id, Part part, const Part& whole) const {
    const double share = card(id).serial_share ? card(id).serial_share->value.value : 0;
    for (std::size_t i = 0; i < part.seconds.size(); ++i) {
      part.seconds[i] = (1 - share) * part.seconds[i] + share * whole.seconds[i];
    }
    return part;
  }

  Part attention(CardId id, std::uint32_t layer, std::uint32_t next, std::uint64_t first,
                 std::uint64_t count) const {
    if (count == 0) return {};
    return with_serial_share(id, even_attention(id, layer, next, first, count),
                             even_attention(id, layer, next, 0, shape_.num_attention_heads));
  }

  Part ffn(CardId id, std::uint32_t layer, std::uint32_t next, std::uint64_t columns) const {
    if (columns == 0) return {};
    return with_serial_share(id, even_ffn(id, layer, next, columns),
                             even_ffn(id, layer, next, shape_.intermediate_size));
  }

  Part vocabulary(CardId id, bool first, bool last, std::uint64_t rows) const {
    if (rows == 0) return {};
    return with_serial_share(id, even_vocabulary(id, first, last, rows),
                             even_vocabulary(id, first, last, shape_.vocab_size));
  }

  Part even_attention(CardId id, std::uint32_t layer, std::uint32_t next, std::uint64_t first,
                      std::uint64_t count) const {
    Part part;
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
    for (const PassKind& pass : question_->passes) {
      const auto streams = static_cast<double>(pass.streams);
      const double rows = static_cast<double>(pass.tokens) * streams;
      // Every new token attends to those before it and to itself.
      double attended = 0;
      for (std::uint64_t i = 0; i < pass.tokens; ++i) {
        attended += static_cast<double>(pass.context - i) * streams;
      }
      for (std::uint32_t l = layer; l < next; ++l) {
        const LayerTensors& tensors = problem_.model.layers[l];
        const double norm = 4.0 * static_cast<double>(hidden);
        double qkv = stored(tensors.query.type, hidden, q) + stored(tensors.key.type, hidden, kv) +
                     stored(tensors.value.type, hidden, kv);
        if (tensors.query_bias) qkv += 4.0 * static_cast<double>(q + 2 * kv);
        if (tensors.query_norm) qkv += 8.0 * shape_.head_dim;
        const double output = stored(tensors.attention_output.type, q, hidden);
        const auto flops = [&](std::uint64_t in, std::uint64_t out) {
          return 2.0 * rows * static_cast<double>(in * out);
        };
        const auto positions = static_cast<double>(pass.context + pass.tokens);
        part.seconds.push_back(
            kernel(id, norm, norm * rows) + kernel(id, qkv, flops(hidden, q + 2 * kv)) +
            kernel(id, position * positions * streams, 4.0 * static_cast<double>(q) * attended) +
            kernel(id, output, flops(q, hidden)));
        if (&pass != question_->passes.data()) continue;
        part.weights += norm + qkv + output;
        part.memory += norm + qkv + output + position * static_cast<double>(work_.context * work_.streams);
      }
    }
    part.memory += tile_floats(2 * q + 2 * kv);
    return part;
  }

  Part even_ffn(CardId id, std::uint32_t layer, std::uint32_t next, std::uint64_t columns) const {
    Part part;
    const std::uint64_t hidden = shape_.hidden_size;
    for (const PassKind& pass : question_->passes) {
      const auto rows = static_cast<double>(pass.tokens * pass.streams);
      for (std::uint32_t l = layer; l < next; ++l) {
        const LayerTensors& tensors = problem_.model.layers[l];
        const double norm = 4.0 * static_cast<double>(hidden);
        const double gate_up =
            stored(tensors.gate.type, hidden, columns) + stored(tensors.up.type, hidden, columns);
        const double down = stored(tensors.down.type, columns, hidden);
        const double matmul = 2.0 * rows * static_cast<double>(hidden * columns);
        part.seconds.push_back(kernel(id, norm, norm * rows) + kernel(id, gate_up, 2 * matmul) +
                               kernel(id, down, matmul));
        if (&pass == question_->passes.data()) part.weights += norm + gate_up + down;
      }
    }
    part.memory = part.weights + tile_floats(2 * columns);
    return part;
  }

  Part even_vocabulary(CardId id, bool first, bool last, std::uint64_t rows) const {
    Part part;
    const std::uint64_t hidden = shape_.hidden_size;
    const bool tied = !problem_.model.output;
    const bool table = first && work_.embedding == EmbeddingPlace::kCards;
    const double norm = 4.0 * static_cast<double>(hidden);
    const double matrix = stored(problem_.model.output_matrix().type, hidden, rows);
    if (last) {
      for (const PassKind& pass : question_->passes) {
        const auto streams = static_cast<double>(pass.streams);
        part.seconds.push_back(kernel(id, norm, norm * streams) +
                               kernel(id, matrix, 2.0 * streams * static_cast<double>(hidden * rows)));
      }
      part.weights += norm + matrix;
      part.memory += 4.0 * static_cast<double>(work_.streams * rows);
    }
    if (table && !(last && tied)) part.weights += stored(problem_.model.token_embedding.type, hidden, rows);
    part.memory += part.weights;
    return part;
  }

  std::uint64_t wire_units(std::uint64_t elements) const {
    const std::uint64_t block = block_shape(work_.link_type).elements;
    return (elements + block - 1) / block;
  }
  double wire_bytes(std::uint64_t elements) const {
    return static_cast<double>(wire_units(elements) * block_shape(work_.link_type).bytes);
  }

  /// A message of any number of bytes that has the links to itself.
  double route_seconds(CardId from, CardId to, double bytes) const {
    std::vector<LinkId> route;
    if (!network_.append_route(from, to, route)) return kNever;
    double latency = 0;
    double slowest = kNever;
    for (const LinkId id : route) {
      latency += network_.link(id).latency.value.count();
      slowest = std::min(slowest, network_.link(id).bandwidth.value.value);
    }
    return latency + bytes / slowest;
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
    if (group.front() != chosen_.front()) group.insert(group.begin(), chosen_.front());
    return best_collective(Collective::kGather, group, wire_units(rows) * group.size());
  }

  const Problem& problem_;
  const ModelShape& shape_;
  const Workload& work_;
  const Cluster& cluster_;
  Network network_;
  std::vector<CardId> cards_;
  Ties ties_ = Ties::kQuickestLoad;
  const Question* question_ = nullptr;
  std::vector<CardId> chosen_;
  std::vector<Piece> pieces_;
  double best_ = kNever;
  std::map<std::tuple<std::vector<CardId>, std::uint32_t, std::uint32_t, CardId>, Piece> stages_;
  std::map<std::tuple<Collective, std::vector<CardId>, std::uint64_t>, double> collectives_;
};

}  // namespace spanker::testing
