#include "spanker/plan/predict.hpp"

#include <algorithm>
#include <map>

#include "spanker/plan/aim.hpp"
#include "spanker/plan/load.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/plan/price.hpp"

namespace spanker {
namespace {

struct BatchSeconds {
  Seconds latency{0};
  Seconds slowest_piece{0};
};

class Batches {
 public:
  Batches(const Problem& problem, const Plan& plan, const ClusterRates& rates, CollectivePricer& links)
      : problem_(problem), plan_(plan), rates_(rates), links_(links) {}

  const BatchSeconds& of(std::uint64_t streams) {
    const auto [entry, is_new] = known_.try_emplace(streams);
    if (is_new) {
      const PassPricer pricer(problem_, rates_, links_, problem_.decode(streams));
      const PassPrice price = price_pass(problem_, pricer, plan_, streams == 1 ? &Stage::decode : nullptr);
      entry->second.latency = price.total().total();
      for (const auto& pieces : {price.stages, price.boundaries}) {
        for (const Cost& piece : pieces) {
          entry->second.slowest_piece = std::max(entry->second.slowest_piece, piece.total());
        }
      }
    }
    return entry->second;
  }

 private:
  const Problem& problem_;
  const Plan& plan_;
  const ClusterRates& rates_;
  CollectivePricer& links_;
  std::map<std::uint64_t, BatchSeconds> known_;
};

Cost decode_price(const Problem& problem, const Plan& plan, const ClusterRates& rates,
                  CollectivePricer& links) {
  const PassPricer pricer(problem, rates, links, problem.decode());
  return price_pass(problem, pricer, plan, &Stage::decode).total();
}

Cost prefill_price(const Problem& problem, const Plan& plan, const ClusterRates& rates,
                   CollectivePricer& links) {
  const PassPricer pricer(problem, rates, links, problem.prefill());
  return price_pass(problem, pricer, plan, &Stage::prefill).total();
}

Throughput throughput_of(const Problem& problem, const Plan& plan, const ClusterRates& rates,
                         CollectivePricer& links) {
  const std::uint64_t streams = problem.workload.streams;
  Batches batches(problem, plan, rates, links);
  Throughput best{streams, 1, 0};
  const std::uint64_t most_batches =
      plan.stages.size() == 1 ? 1 : std::min(streams, kMostMicroBatchesPerCard * problem.cluster.card_count);
  for (std::uint64_t count = 1; count <= most_batches; ++count) {
    const MicroBatches split = MicroBatches::of(streams, count);
    Seconds period = batches.of(split.larger).latency;
    if (count > 1) {
      Seconds busy = static_cast<double>(split.larger_count) * batches.of(split.larger).slowest_piece;
      if (split.smaller_count > 0) {
        busy += static_cast<double>(split.smaller_count) * batches.of(split.smaller).slowest_piece;
      }
      period = std::max(period, busy);
    }
    const double rate = static_cast<double>(streams) / period.count();
    if (rate > best.tokens_per_second) best = {streams, count, rate};
  }
  return best;
}

Load load_of(const Problem& problem, const Plan& plan, const ClusterRates& rates, CollectivePricer& links) {
  const LinkRates& host = rates.host_link();
  Load load{{}, host.latency, false};
  Bytes largest;
  for (const Stage& stage : plan.stages) {
    const StageEnds ends{&stage == &plan.stages.front(), &stage == &plan.stages.back()};
    const StageLoad part = stage_load(problem, rates, links, stage.cards, ends,
                                      problem.layers.count(stage.first_layer, stage.last_layer),
                                      card_shares(problem.model.shape, stage.shares));
    load.bytes += part.bytes;
    load.seconds += part.seconds;
    load.relayed |= part.relayed;
    largest = std::max(largest, part.largest);
  }
  if (!rates.host_link_is_shared()) load.seconds = host.latency + largest / host.bandwidth;
  return load;
}

std::vector<HostUse> host_budget_of(const Problem& problem, const ClusterRates& rates, const Load& load) {
  const Workload& workload = problem.workload;
  const LinkRates& host = rates.host_link();
  const auto passes = static_cast<double>(workload.generate);
  const Bytes prompt = uploaded_bytes(problem, workload.prompt);
  std::vector<HostUse> uses;
  uses.push_back({"load", load.bytes, load.seconds});
  uses.push_back({"prompt_upload", prompt, host.latency + prompt / host.bandwidth});
  // The first token's id comes back from the prompt's pass.
  const Bytes ids_out = downloaded_bytes(workload.generate + 1);
  const Bytes ids_in = uploaded_bytes(problem, 1) * workload.generate;
  uses.push_back({"token_ids", ids_in + ids_out,
                  host.latency * (2 * passes + 1) + ids_in / host.bandwidth + ids_out / host.bandwidth});
  if (workload.checkpoint_bytes.value > 0) {
    const Bytes bytes = workload.checkpoint_bytes;
    uses.push_back({"checkpoints", bytes, host.latency + bytes / host.bandwidth});
  }
  if (workload.stream_bytes_per_token.value > 0) {
    const Bytes bytes = workload.stream_bytes_per_token * workload.generate;
    uses.push_back({"streamed_data", bytes, host.latency * passes + bytes / host.bandwidth});
  }
  return uses;
}

}  // namespace

Cost decode_cost(const Problem& problem, const Plan& plan, Bound bound) {
  const ClusterRates rates(problem.cluster, bound);
  CollectivePricer links(rates);
  return decode_price(problem, plan, rates, links);
}

Cost objective_cost(const Problem& problem, const Plan& plan, CollectivePricer& links) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  switch (problem.workload.objective) {
    case Objective::kLatency:
    case Objective::kThroughput:
      return decode_price(problem, plan, rates, links);
    case Objective::kFirstToken:
      return prefill_price(problem, plan, rates, links);
    case Objective::kSession:
      break;
  }
  Cost cost = prefill_price(problem, plan, rates, links);
  cost += decode_price(problem, plan, rates, links) * static_cast<double>(problem.workload.generate);
  cost.host_link += load_of(problem, plan, rates, links).seconds;
  return cost;
}

double objective_seconds(const Problem& problem, const Plan& plan, CollectivePricer& links) {
  if (problem.workload.objective != Objective::kThroughput) {
    return objective_cost(problem, plan, links).total().count();
  }
  return 1 / objective_rate(problem, plan, links);
}

double objective_rate(const Problem& problem, const Plan& plan, CollectivePricer& links) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  if (problem.workload.objective == Objective::kThroughput) {
    return throughput_of(problem, plan, rates, links).tokens_per_second;
  }
  return 1 / decode_price(problem, plan, rates, links).total().count();
}

double objective_seconds(const Workload& workload, const Prediction& prediction) {
  switch (workload.objective) {
    case Objective::kLatency:
      return prediction.decode.total().count();
    case Objective::kThroughput:
      return 1 / prediction.throughput.tokens_per_second;
    case Objective::kFirstToken:
      return prediction.time_to_first_token().count();
    case Objective::kSession:
      return prediction.session.count();
  }
  return 0;
}

Prediction predict(const Problem& problem, const Plan& plan) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  Prediction prediction;
  prediction.decode = decode_price(problem, plan, rates, links);
  prediction.decode_low = decode_cost(problem, plan, Bound::kLow).total();
  prediction.decode_high = decode_cost(problem, plan, Bound::kHigh).total();
  prediction.prefill = prefill_price(problem, plan, rates, links);
  prediction.throughput = throughput_of(problem, plan, rates, links);
  prediction.load = load_of(problem, plan, rates, links);
  prediction.session = prediction.load.seconds + prediction.prefill.total() +
                       prediction.decode.total() * static_cast<double>(problem.workload.generate);
  prediction.host_budget = host_budget_of(problem, rates, prediction.load);
  return prediction;
}

}  // namespace spanker
