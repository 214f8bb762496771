#include "spanker/steps/predict_steps.hpp"

#include <algorithm>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/cost/round_cost.hpp"

namespace spanker {
namespace {

class Prediction {
 public:
  Prediction(const StepGraph& graph, const ClusterRates& rates)
      : graph_(graph), rates_(rates), round_pricer_(rates), links_(rates) {
    timeline_.entries.resize(graph.size());
  }

  Timeline run() {
    std::size_t next_exchange = 0;
    for (StepId id = 0; id < graph_.size();) {
      const auto exchanges = graph_.exchanges();
      if (next_exchange < exchanges.size() && exchanges[next_exchange].first_step == id &&
          exchanges[next_exchange].expanded) {
        predict_rounds(exchanges[next_exchange]);
        id = exchanges[next_exchange++].end_step;
        continue;
      }
      if (graph_.step(id).kind == StepKind::kCollective) ++next_exchange;
      const Seconds start = ready(id);
      set(id, start, start + seconds_of(graph_.step(id)));
      ++id;
    }
    return std::move(timeline_);
  }

 private:
  void set(StepId id, Seconds start, Seconds end) { timeline_.entries[id] = {0, id, start, end}; }

  Seconds ready(StepId id) const {
    Seconds time{0};
    for (const StepId other : graph_.waits_for(id)) time = std::max(time, timeline_.entries[other].end);
    return time;
  }

  Seconds seconds_of(const Step& step) {
    const LinkRates& host = rates_.host_link();
    switch (step.kind) {
      case StepKind::kUpload:
      case StepKind::kDownload:
        return host.latency + step.bytes / host.bandwidth;
      case StepKind::kKernel:
        return part_cost(step.part(), step.whole(), rates_.card(step.card)).total();
      case StepKind::kCollective: {
        const Exchange& exchange = graph_.exchanges()[step.exchange];
        return links_
            .collective(exchange.collective, exchange.algorithm, graph_.group(exchange.group),
                        exchange.payload)
            .total();
      }
      case StepKind::kPassOverhead:
        return rates_.card(step.card).token_overhead;
      case StepKind::kSend:
      case StepKind::kJoin:
        break;
    }
    return Seconds(0);
  }

  void predict_rounds(const Exchange& exchange) {
    Seconds now = ready(exchange.first_step);
    set(exchange.first_step, now, now);
    for (std::uint32_t round = 0; round < exchange.rounds; ++round) {
      const auto [begin, end] = graph_.round(exchange, round);
      flows_.clear();
      const StepId join = end - 1;
      for (StepId id = begin; id < join; ++id) {
        const Step& step = graph_.step(id);
        flows_.push_back({step.card, step.to, step.bytes});
      }
      const auto costs = round_pricer_.costs(flows_);
      Seconds slowest{0};
      for (StepId id = begin; id < join; ++id) {
        const Seconds seconds = costs[id - begin].total();
        set(id, now, now + seconds);
        slowest = std::max(slowest, seconds);
      }
      now += slowest;
      set(join, now, now);
    }
  }

  const StepGraph& graph_;
  const ClusterRates& rates_;
  RoundPricer round_pricer_;
  CollectivePricer links_;
  std::vector<Flow> flows_;
  Timeline timeline_;
};

}  // namespace

Timeline predict_steps(const StepGraph& graph, const ClusterRates& rates) {
  return Prediction(graph, rates).run();
}

}  // namespace spanker
