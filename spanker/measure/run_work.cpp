#include "spanker/measure/run_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/cost/serial_share.hpp"
#include "spanker/graph/operators.hpp"
#include "spanker/model/load.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

/// `value` at one end of its range; of numbers of which less is better the other end.
template <class T>
T at(const Ranged<T>& ranged, Bound bound, bool more_is_better) {
  if (bound == Bound::kValue) return ranged.value;
  return (bound == Bound::kLow) == more_is_better ? ranged.low : ranged.high;
}

double share_at(const std::optional<Ranged<Share>>& share, Bound bound) {
  return share ? at(*share, bound, false).value : 0;
}

Failure wrong_run(std::string_view where, std::string_view key, const Error& error) {
  return bad_input(fmt::format("{}.{}", where, key),
                   error.where == key ? error.what : fmt::format("{}: {}", error.where, error.what),
                   error.wanted, error.got);
}

// ---- Other engines

class EngineWork {
 public:
  EngineWork(EngineSchedule schedule, const Model& model, std::uint32_t cards, const EngineVectors& vectors)
      : schedule_(schedule), model_(model), vectors_(vectors) {
    work_.cards = cards;
    work_.layer = decode_layer_bytes(model);
    // In a pipeline one card works, or one message is under way, at a time.
    work_.waits = cards > 1 && schedule != EngineSchedule::kPipeline;
    work_.contended = work_.waits;
  }

  RunWork made(double cables_of_a_message) {
    add_kernels();
    add_exchanges(cables_of_a_message);
    return std::move(work_);
  }

 private:
  void add(const Operator& op, bool split) {
    if (op.bytes.value == 0 && op.ops.value == 0) return;
    work_.steps += 1;
    const bool divided = split && schedule_ != EngineSchedule::kPipeline;
    const double part = divided ? 1.0 / work_.cards : 1;
    const auto bytes = static_cast<double>(op.bytes.value);
    const auto ops = static_cast<double>(op.ops.value);
    for (RunWork::Kernel& kernel : work_.kernels) {
      if (kernel.bytes == bytes && kernel.ops == ops && kernel.part == part) {
        kernel.times += 1;
        return;
      }
    }
    work_.kernels.push_back({bytes, ops, 1, part});
  }

  void add_kernels() {
    const ModelShape& shape = model_.shape;
    const Pass pass = decode_pass(vectors_.context, 1, vectors_.kv_type);
    const bool splits_cache = schedule_ != EngineSchedule::kRootStarV1;
    const bool splits_logits = schedule_ == EngineSchedule::kAllToAll;
    add(embedding_operator(model_, pass), false);
    for (const LayerTensors& layer : model_.layers) {
      const HeadShare all{shape.num_attention_heads, shape.num_key_value_heads};
      for (const Operator& op : attention_operators(shape, layer, all, pass)) {
        const bool is_cache = op.kind == OperatorKind::kAttention;
        add(op, op.kind != OperatorKind::kAttentionNorm && (splits_cache || !is_cache));
      }
      for (const Operator& op : ffn_operators(layer, shape.intermediate_size, pass)) {
        add(op, op.kind == OperatorKind::kGateUp || op.kind == OperatorKind::kDown);
      }
    }
    for (const Operator& op : logits_operators(model_, shape.vocab_size, pass)) {
      add(op, op.kind == OperatorKind::kLogits && splits_logits);
    }
  }

  void add_exchanges(double cables_of_a_message) {
    const auto exchanges = engine_exchanges(schedule_, model_.shape, vectors_.wire, work_.cards);
    for (const EngineExchange& exchange : exchanges) {
      const auto peers = static_cast<double>(std::max(1u, exchange.peers));
      const auto sent = static_cast<double>(exchange.sent.value);
      const auto received = static_cast<double>(exchange.received.value);
      const double bytes = exchange.answered ? std::max(peers * sent + received, sent + peers * received)
                                             : peers * std::max(sent, received);
      work_.latencies += exchange.times * cables_of_a_message * (exchange.answered ? 2 : 1);
      work_.wire_bytes += exchange.times * bytes;
    }
    work_.root_sent = root_sent_bytes(exchanges);
    work_.root_received = root_received_bytes(exchanges);
  }

  EngineSchedule schedule_;
  const Model& model_;
  EngineVectors vectors_;
  RunWork work_;
};

/// Cables between the root and the farthest of the other cards.
double cables_of_a_message(const Cluster& cluster) {
  const Network network(cluster);
  std::size_t most = 0;
  std::vector<LinkId> route;
  for (CardId card = 1; card < cluster.card_count; ++card) {
    route.clear();
    network.append_route(0, card, route);
    most = std::max(most, route.size());
  }
  return static_cast<double>(most);
}

// ---- Plans of our own

/// Every card and link with fixed costs of a second, so that a price counts them.
Cluster with_unit_costs(Cluster cluster) {
  const Ranged<Seconds> second{Seconds(1), Seconds(1), Seconds(1), ""};
  const auto set = [&](CardSpec& card) {
    card.step_overhead = second;
    card.token_overhead = {};
  };
  set(cluster.card);
  for (auto& [id, card] : cluster.card_overrides) set(card);
  cluster.link.latency = second;
  for (auto& [ends, link] : cluster.link_overrides) link.latency = second;
  return cluster;
}

Cluster with_serial_share(Cluster cluster, double share) {
  const auto set = [&](CardSpec& card) {
    card.serial_share = {Share(share), Share(share), Share(share), ""};
    card.serial_layer.reset();
  };
  set(cluster.card);
  for (auto& [id, card] : cluster.card_overrides) set(card);
  return cluster;
}

Result<Plan> plan_of(const MeasuredRun& run, const Problem& problem, std::string_view where) {
  std::optional<Plan> plan;
  const PlanStrategy strategy = run.strategy.value_or(PlanStrategy::kTensorParallel);
  if (run.cards == 1 || strategy == PlanStrategy::kTensorParallel) {
    std::vector<CardId> cards(run.cards);
    std::iota(cards.begin(), cards.end(), CardId{0});
    const ClusterRates rates(problem.cluster, Bound::kValue);
    CollectivePricer links(rates);
    plan = Searches(problem, links).best_of_one_stage(cards);
  } else {
    plan = search(problem, StrategySet::only(strategy));
  }
  if (!plan) {
    return bad_input(fmt::format("{}.cards", where), "no plan of that strategy fits so many cards",
                     "a model, cards and a cluster that go together", std::to_string(run.cards));
  }
  return *plan;
}

Result<RunWork> planned_work(const MeasuredRun& run, Model model, const Cluster& cluster,
                             std::string_view where) {
  Workload workload;
  workload.context = std::max<std::uint64_t>(2, run.context);
  workload.prompt = 1;
  workload.generate = 1;
  workload.kv_type = run.kv_type;
  workload.link_type = run.wire;
  auto problem = Problem::make(std::move(model), cluster, workload);
  if (!problem) return wrong_run(where, "model", problem.error());
  const auto plan = plan_of(run, *problem, where);
  if (!plan) return tl::unexpected(plan.error());

  const auto memory_seconds = [&](double serial_share) {
    const Cluster shared = with_serial_share(cluster, serial_share);
    return decode_cost(problem->with_cluster(shared), *plan, Bound::kValue).memory.count();
  };
  const Cost cost = decode_cost(*problem, *plan, Bound::kValue);
  const Cost counted = decode_cost(problem->with_cluster(with_unit_costs(cluster)), *plan, Bound::kValue);
  RunWork work;
  work.cards = run.cards;
  work.layer = problem->layer_bytes;
  const RunRates rates = run_rates(cluster, work, Bound::kValue);
  const double whole = memory_seconds(1);
  work.kernels.push_back({whole * rates.memory_bandwidth, 0, 1, memory_seconds(0) / whole});
  work.other_compute = cost.compute.count();
  work.steps = counted.overhead.count();
  work.latencies = counted.link_latency.count();
  work.wire_bytes = cost.link_bandwidth.count() * rates.link_bandwidth;
  work.host_seconds = cost.host_link.count();
  return work;
}

}  // namespace

RunRates run_rates(const Cluster& cluster, const RunWork& work, Bound bound) {
  const auto scale = [&](const CardSpec& card) {
    return card.serial_layer ? serial_scale(*card.serial_layer, work.layer, bound) : 1;
  };
  RunRates rates;
  rates.serial_scale = scale(cluster.card_at(0));
  rates.memory_bandwidth = std::numeric_limits<double>::infinity();
  rates.compute = std::numeric_limits<double>::infinity();
  for (CardId id = 0; id < work.cards; ++id) {
    const CardSpec& card = cluster.card_at(id);
    rates.memory_bandwidth = std::min(rates.memory_bandwidth, at(card.memory_bandwidth, bound, true).value);
    if (card.compute) rates.compute = std::min(rates.compute, at(*card.compute, bound, true).value);
    rates.step_overhead = std::max(rates.step_overhead, at(card.step_overhead, bound, false).count());
    rates.token_overhead = std::max(rates.token_overhead, at(card.token_overhead, bound, false).count());
    rates.serial_share =
        std::max(rates.serial_share, share_at(card.serial_share, bound) * scale(card) / rates.serial_scale);
    rates.wait_share = std::max(rates.wait_share, share_at(card.wait_share, bound));
  }
  rates.link_latency = at(cluster.link.latency, bound, false).count();
  rates.link_bandwidth = at(cluster.link.bandwidth, bound, true).value;
  rates.contention = share_at(cluster.star_switch.contention, bound);
  return rates;
}

Result<RunWork> run_work(const MeasuredRun& run, const Cluster& cluster, std::string_view where) {
  auto model = load_model(run.model, run.quant);
  if (!model) return wrong_run(where, "model", model.error());
  const auto sized = with_card_count(cluster, run.cards);
  if (!sized) return wrong_run(where, "cards", sized.error());
  if (run.schedule == EngineSchedule::kPlan) return planned_work(run, std::move(*model), *sized, where);
  return engine_work(run.schedule, *model, *sized, {run.wire, run.kv_type, run.context});
}

RunWork engine_work(EngineSchedule schedule, const Model& model, const Cluster& cluster,
                    const EngineVectors& vectors) {
  return EngineWork(schedule, model, cluster.card_count, vectors).made(cables_of_a_message(cluster));
}

RunSeconds run_seconds(const RunWork& work, const RunRates& rates) {
  const auto cards = static_cast<double>(work.cards);
  RunSeconds seconds;
  seconds.compute = rates.token_overhead + work.steps * rates.step_overhead + work.other_compute;
  const double serial = std::min(1.0, rates.serial_share * rates.serial_scale);
  for (const RunWork::Kernel& kernel : work.kernels) {
    const double whole = std::max(kernel.bytes / rates.memory_bandwidth, kernel.ops / rates.compute);
    seconds.compute += kernel.times * whole * (serial + (1 - serial) * kernel.part);
  }
  if (work.latencies + work.wire_bytes > 0) {
    const double crowd = work.contended ? 1 + rates.contention * std::max(0.0, cards - 2) : 1;
    seconds.transfer = (work.latencies * rates.link_latency + work.wire_bytes / rates.link_bandwidth) * crowd;
  }
  if (work.waits) seconds.transfer += rates.wait_share * seconds.compute;
  seconds.other = work.host_seconds;
  return seconds;
}

}  // namespace spanker
