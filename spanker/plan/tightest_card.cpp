#include "spanker/plan/tightest_card.hpp"

#include <algorithm>
#include <utility>

#include "spanker/plan/shares.hpp"

namespace spanker {

CardMemory tightest_card(const Problem& problem, std::span<const CardId> cards) {
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const PassPricer pricer(problem, rates, links, problem.decode());
  const Aim aim{Aim::Kind::kSum, {{problem.decode(), 1}}, 1, 1};
  const ShareCosts costs(problem, rates, aim, {&pricer, 1});
  const auto layers = problem.layers.count(0, problem.model.shape.num_hidden_layers - 1);
  const ShareQuestion question{costs, cards, {true, true}, cards.front(), layers, false};
  StageShares shares = fastest_shares(question).shares;
  shares.vocabulary_rows = fastest_rows(question);
  Plan plan;
  plan.stages.push_back({0,
                         problem.model.shape.num_hidden_layers - 1,
                         {cards.begin(), cards.end()},
                         std::move(shares),
                         {},
                         {}});
  const auto memory = plan_memory(problem, plan);
  const auto excess = [](const CardMemory& card) {
    return static_cast<double>(card.total().value) - static_cast<double>(card.capacity_bytes.value);
  };
  return *std::ranges::max_element(memory, {}, excess);
}

}  // namespace spanker
