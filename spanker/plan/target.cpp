#include "spanker/plan/target.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "spanker/cluster/profile.hpp"
#include "spanker/plan/card_groups.hpp"
#include "spanker/plan/predict.hpp"

namespace spanker {
namespace {

struct Count {
  std::uint32_t cards;
  double most_rate;  ///< no plan is faster
};

std::vector<Count> counts_of(const Problem& problem, std::uint32_t most_cards) {
  const std::uint32_t step = problem.cluster.topology == Topology::kTorus ? problem.cluster.torus_columns : 1;
  std::vector<Count> counts;
  for (const std::uint32_t cards : run_widths(most_cards, share_units(problem))) {
    if (cards % step != 0) continue;
    double most = std::numeric_limits<double>::infinity();
    // A bound on seconds is one on the rate only where one stream is what is wanted.
    if (problem.workload.objective == Objective::kLatency) {
      if (auto cluster = with_card_count(problem.cluster, cards)) {
        most = 1 / least_objective_seconds(problem.with_cluster(std::move(*cluster)));
      }
    }
    counts.push_back({cards, most});
  }
  return counts;
}

}  // namespace

std::variant<std::monostate, Problem, OutOfReach> smallest_cluster_for(
    const Problem& problem, StrategySet allowed, double tokens_per_second, std::uint32_t most_cards,
    const std::function<void(std::size_t done, std::size_t all)>& tried) {
  std::vector<Count> counts = counts_of(problem, most_cards);
  std::optional<OutOfReach> best;
  std::size_t done = 0;
  // The rate of the best plan on so many cards; remembers the best of all.
  const auto rate_on = [&](const Problem& on) -> double {
    const ClusterRates rates(on.cluster, Bound::kValue);
    CollectivePricer links(rates);
    const auto plan = search(on, allowed, links);
    if (!plan) return 0;
    const double rate = objective_rate(on, *plan, links);
    if (!best || rate > best->tokens_per_second) {
      const auto memory = plan_memory(on, *plan);
      const auto room = [](const CardMemory& card) { return card.capacity_bytes.value - card.total().value; };
      best = OutOfReach{rate, plan->cards_used(), std::string(largest_term(objective_cost(on, *plan, links))),
                        *std::ranges::min_element(memory, {}, room)};
    }
    return rate;
  };
  const auto on_cards = [&](std::uint32_t cards) -> std::optional<Problem> {
    auto cluster = with_card_count(problem.cluster, cards);
    if (!cluster) return std::nullopt;
    return problem.with_cluster(std::move(*cluster));
  };
  for (const Count& count : counts) {
    if (tried) tried(done++, counts.size());
    if (count.most_rate < tokens_per_second) continue;
    const auto on = on_cards(count.cards);
    if (on && rate_on(*on) >= tokens_per_second) return *on;
  }
  // Out of reach: the most promising first, until no other can be better.
  std::erase_if(counts, [&](const Count& count) { return count.most_rate >= tokens_per_second; });
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.most_rate > b.most_rate; });
  for (const Count& count : counts) {
    if (best && count.most_rate <= best->tokens_per_second) break;
    if (const auto on = on_cards(count.cards)) rate_on(*on);
  }
  if (!best) return std::monostate{};
  return *best;
}

}  // namespace spanker
