#include "spanker/plan/frontier.hpp"

#include <algorithm>
#include <utility>

#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

constexpr std::uint32_t kEveryCountUpTo = 64;
/// What rounding may make of equal numbers.
constexpr double kRounding = 1e-12;

bool less(double a, double b) { return a < b - kRounding * b; }

template <class Number>
std::optional<Number> total(const Cluster& cluster, const Plan& plan,
                            std::optional<Ranged<Number>> CardSpec::*of_card,
                            const std::optional<Ranged<Number>>& of_switch) {
  Number sum = of_switch ? of_switch->value : Number();
  for (const Stage& stage : plan.stages) {
    for (const CardId card : stage.cards) {
      const auto& own = cluster.card_at(card).*of_card;
      if (!own) return std::nullopt;
      sum += own->value;
    }
  }
  return sum;
}

FrontierPoint point_of(const Problem& problem, const Plan& plan) {
  const Cluster& cluster = problem.cluster;
  return {plan, cluster.card_count, predict(problem, plan),
          total(cluster, plan, &CardSpec::price, cluster.star_switch.price),
          total(cluster, plan, &CardSpec::power, cluster.star_switch.power)};
}

/// How one point compares with another: nowhere worse, somewhere better.
struct Comparison {
  bool worse = false;
  bool better = false;

  /// Of numbers that should be small.
  void add(double own, double other) {
    better |= less(own, other);
    worse |= less(other, own);
  }
  template <class Number>
  void add(const std::optional<Number>& own, const std::optional<Number>& other) {
    if (own && other) add(own->value, other->value);
  }
};

Comparison compare(const FrontierPoint& own, const FrontierPoint& other) {
  Comparison comparison;
  comparison.add(own.plan.cards_used(), other.plan.cards_used());
  comparison.add(own.prediction.decode.total().count(), other.prediction.decode.total().count());
  comparison.add(other.prediction.throughput.tokens_per_second, own.prediction.throughput.tokens_per_second);
  comparison.add(own.price, other.price);
  comparison.add(own.watts, other.watts);
  return comparison;
}

}  // namespace

std::vector<std::uint32_t> frontier_card_counts(const Cluster& cluster) {
  const std::uint32_t unit = cluster.topology == Topology::kTorus ? cluster.torus_columns : 1;
  const std::uint32_t units = cluster.card_count / unit;
  std::vector<std::uint32_t> counts;
  for (std::uint32_t i = 1; i <= units; ++i) {
    if (i <= kEveryCountUpTo || i % kEveryCountUpTo == 0 || i == units) counts.push_back(i * unit);
  }
  return counts;
}

std::vector<FrontierPoint> non_dominated(std::vector<FrontierPoint> points) {
  std::ranges::stable_sort(points, {}, &FrontierPoint::cluster_cards);
  std::vector<FrontierPoint> kept;
  for (const FrontierPoint& point : points) {
    const auto dominates = [&](const FrontierPoint& other) {
      const Comparison comparison = compare(other, point);
      return comparison.better && !comparison.worse;
    };
    const auto is_same = [&](const FrontierPoint& other) {
      const Comparison comparison = compare(other, point);
      return !comparison.better && !comparison.worse;
    };
    if (std::ranges::none_of(points, dominates) && std::ranges::none_of(kept, is_same)) kept.push_back(point);
  }
  std::ranges::stable_sort(kept, {}, [](const FrontierPoint& point) {
    return std::pair(point.plan.cards_used(), point.prediction.decode.total());
  });
  return kept;
}

std::vector<FrontierPoint> frontier_of(const Problem& problem, StrategySet allowed,
                                       const FrontierProgress& progress) {
  std::vector<FrontierPoint> points;
  const auto try_objective = [&](Problem& smaller, Objective objective) {
    smaller.workload.objective = objective;
    if (const auto plan = search(smaller, allowed)) points.push_back(point_of(smaller, *plan));
  };
  const std::vector<std::uint32_t> counts = frontier_card_counts(problem.cluster);
  std::uint64_t done = 0;
  for (const std::uint32_t cards : counts) {
    if (progress) progress(done++, counts.size());
    auto cluster = with_card_count(problem.cluster, cards);
    if (!cluster) continue;
    Problem smaller = problem.with_cluster(std::move(*cluster));
    try_objective(smaller, Objective::kLatency);
    // The throughput of one stream is one over its latency.
    if (problem.workload.streams > 1) try_objective(smaller, Objective::kThroughput);
  }
  return non_dominated(std::move(points));
}

}  // namespace spanker
