#include "spanker/plan/sensitivity.hpp"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "spanker/cluster/profile.hpp"
#include "spanker/plan/predict.hpp"

namespace spanker {
namespace {

template <class Quantity>
void scale(Ranged<Quantity>& ranged, double factor) {
  for (Quantity* number : {&ranged.value, &ranged.low, &ranged.high})
    *number = Quantity(number->value * factor);
}

void scale(Ranged<Bytes>& ranged, std::uint64_t factor) {
  for (Bytes* number : {&ranged.value, &ranged.low, &ranged.high}) *number = *number * factor;
}

void halve(Ranged<Seconds>& ranged) {
  for (Seconds* number : {&ranged.value, &ranged.low, &ranged.high}) *number /= 2;
}

void for_each_card(Cluster& cluster, const std::function<void(CardSpec&)>& change) {
  change(cluster.card);
  for (auto& [id, spec] : cluster.card_overrides) change(spec);
}

void for_each_link(Cluster& cluster, const std::function<void(LinkSpec&)>& change) {
  change(cluster.link);
  for (auto& [ends, spec] : cluster.link_overrides) change(spec);
}

struct Change {
  std::string name;
  Cluster cluster;
  bool same_links = false;
  std::string note;
};

std::vector<Change> changes_of(const Cluster& cluster) {
  std::vector<Change> changes;
  const auto add = [&](std::string name, const std::function<void(Cluster&)>& change) {
    const bool same_links = !name.starts_with("link ");
    changes.push_back({std::move(name), cluster, same_links, {}});
    change(changes.back().cluster);
  };
  add("memory bandwidth x 2",
      [](Cluster& c) { for_each_card(c, [](CardSpec& card) { scale(card.memory_bandwidth, 2.0); }); });
  bool has_compute = cluster.card.compute.has_value();
  for (const auto& [id, spec] : cluster.card_overrides) has_compute |= spec.compute.has_value();
  if (has_compute) {
    add("compute x 2", [](Cluster& c) {
      for_each_card(c, [](CardSpec& card) {
        if (card.compute) scale(*card.compute, 2.0);
      });
    });
  }
  add("memory capacity x 2", [](Cluster& c) {
    for_each_card(c, [](CardSpec& card) { scale(card.memory_capacity, std::uint64_t{2}); });
  });
  if (cluster.card_count > 1) {
    add("link bandwidth x 2",
        [](Cluster& c) { for_each_link(c, [](LinkSpec& link) { scale(link.bandwidth, 2.0); }); });
    add("link latency / 2",
        [](Cluster& c) { for_each_link(c, [](LinkSpec& link) { halve(link.latency); }); });
  }
  add("host link bandwidth x 2", [](Cluster& c) { scale(c.host_link.bandwidth, 2.0); });
  add("host link latency / 2", [](Cluster& c) { halve(c.host_link.latency); });
  const std::uint32_t step = cluster.topology == Topology::kTorus ? cluster.torus_columns : 1;
  const std::string cards = step == 1 ? "one card" : fmt::format("a row of {} cards", step);
  // Where a ring is closed elsewhere, even a plan that leaves the new card idle has other ways to go.
  const bool closed = cluster.topology == Topology::kRing || cluster.topology == Topology::kTorus;
  const std::string note = closed && cluster.card_count > 2
                               ? fmt::format("the {} is wired anew", to_string(cluster.topology))
                               : "";
  if (auto more = with_card_count(cluster, cluster.card_count + step))
    changes.push_back({cards + " more", *more, false, note});
  if (cluster.card_count > step) {
    if (auto fewer = with_card_count(cluster, cluster.card_count - step))
      changes.push_back({cards + " fewer", *fewer, false, note});
  }
  return changes;
}

}  // namespace

std::vector<Sensitivity> sensitivity_of(const Problem& problem, StrategySet allowed, const Plan& plan,
                                        CollectivePricer& links) {
  const double seconds = objective_seconds(problem, plan, links);
  std::vector<Sensitivity> all;
  for (Change& change : changes_of(problem.cluster)) {
    const Problem changed = problem.with_cluster(std::move(change.cluster));
    const ClusterRates rates(changed.cluster, Bound::kValue);
    CollectivePricer its_links(rates);
    CollectivePricer& used = change.same_links ? links : its_links;
    // In one pass every plan pays the same for the host link.
    const bool one_pass = problem.workload.objective == Objective::kLatency ||
                          problem.workload.objective == Objective::kFirstToken;
    const bool same_plan = one_pass && change.name.starts_with("host link ");
    const auto best = same_plan ? std::optional(plan) : search(changed, allowed, used);
    if (!best) continue;  // one card fewer may no longer hold the model
    all.push_back({change.name, objective_rate(changed, *best, used),
                   seconds / objective_seconds(changed, *best, used) - 1, change.note});
  }
  return all;
}

}  // namespace spanker
