#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/cost/cluster_rates.hpp"
#include "spanker/measure/measured_runs.hpp"

namespace spanker {

/// The numbers of a profile that the price of a run rests on.
struct RunRates {
  double memory_bandwidth = 0;  ///< bytes per second, of the slowest card
  double compute = 0;           ///< operations per second, infinite where it is not modelled
  double step_overhead = 0;     ///< seconds
  double token_overhead = 0;    ///< seconds
  double serial_share = 0;
  double serial_scale = 1;  ///< of the share, for the layers of the run
  double wait_share = 0;
  double link_latency = 0;    ///< seconds, of one cable
  double link_bandwidth = 0;  ///< bytes per second, of one cable
  double contention = 0;
};

/// Seconds of a decoded token, told apart as runs files do.
struct RunSeconds {
  double compute = 0;
  double transfer = 0;
  double other = 0;  ///< neither: the host link

  double total() const { return compute + transfer + other; }
};

/// What a decoded token of a run asks of cards and cables, whatever these can do.
struct RunWork {
  /// A kernel, all of it: max(bytes / memory_bandwidth, ops / compute), `times` times.
  struct Kernel {
    double bytes = 0;
    double ops = 0;
    double times = 1;
    double part = 1;  ///< of it that the card with the most to do has; 1: not split
  };

  std::uint32_t cards = 1;
  std::vector<Kernel> kernels;  ///< one after another, on the card with the most to do
  Bytes layer;                  ///< decode_layer_bytes of the model
  double steps = 0;             ///< fixed costs of steps
  double other_compute = 0;     ///< seconds of arithmetic that no fitted number changes
  double latencies = 0;         ///< of single cables, one after another
  double wire_bytes = 0;        ///< over one cable, one after another
  bool contended = false;       ///< messages meet in a switch
  bool waits = false;           ///< the root waits for the slowest card
  double host_seconds = 0;
  Bytes root_sent;
  Bytes root_received;
};

/// What an engine's token depends on beside its schedule, model and cards.
struct EngineVectors {
  TensorType wire = TensorType::kF32;
  TensorType kv_type = TensorType::kF16;
  std::uint64_t context = 1;
};

/// The work of a token of another engine's schedule on all cards of the cluster, of which only topology and
/// routes matter.
///
/// Layers are split evenly. The root alone does norms, the embedding row, the logits (but in all_to_all,
/// which splits them), and in root_star_v1 attention over its KV cache. Messages to peers follow one another
/// on the root's cable, answers come back the same way; an exchange (engine_exchanges) of messages m to and r
/// from each of p peers takes max(p m + r, m + p r) where one answers the other, else p max(m, r), and a
/// message's latency is that of every cable on its way.
RunWork engine_work(EngineSchedule schedule, const Model& model, const Cluster& cluster,
                    const EngineVectors& vectors);

/// The work of a run on `cluster` with the run's card count: engine_work, or for kPlan what the planner's
/// plan of that strategy asks. Fails with kBadInput naming `where` and the key where the model cannot be
/// loaded, where the cluster cannot have so many cards, or where no plan of the strategy can be made.
Result<RunWork> run_work(const MeasuredRun& run, const Cluster& cluster, std::string_view where);

/// Of the first cards of the cluster, as many as the work is for, at one end of all ranges.
RunRates run_rates(const Cluster& cluster, const RunWork& work, Bound bound);

/// With n cards, serial share s (serial_scale times that of the rates), contention c and wait share w:
///   compute = token_overhead + steps * step_overhead + sum of kernels * (s + (1 - s) * part)
///   transfer = (latencies * latency + wire_bytes / bandwidth) * (1 + c * max(0, n - 2)) + w * compute
/// Amdahl's law; the wait of a root for the slowest card; contention where the work meets it.
RunSeconds run_seconds(const RunWork& work, const RunRates& rates);

}  // namespace spanker
