#include "spanker/plan/reasons.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "spanker/base/format_quantity.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/tightest_card.hpp"

namespace spanker {
namespace {

std::string_view meaning(std::string_view term) {
  if (term == "memory") return "reading weights and KV cache";
  if (term == "compute") return "arithmetic";
  if (term == "link_bandwidth") return "bytes over the links between cards";
  if (term == "link_latency") return "hops over the links between cards";
  if (term == "host_link") return "the host link";
  return "fixed costs of steps and passes";
}

std::string_view unit_of(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
    case Objective::kThroughput:
      return "token";
    case Objective::kFirstToken:
      return "prompt";
    case Objective::kSession:
      return "session";
  }
  return {};
}

/// "3.9 times as slow", "52 % slower".
std::string slower_by(double ratio) {
  const double percent = (ratio - 1) * 100;
  if (ratio >= 10) return fmt::format("{:.0f} times as slow", ratio);
  if (ratio >= 2) return fmt::format("{:.1f} times as slow", ratio);
  return percent >= 10 ? fmt::format("{:.0f} % slower", percent) : fmt::format("{:.1f} % slower", percent);
}

/// "3.9 times as slow: reading weights and KV cache takes 229 ms more per token". Throughput is a matter of
/// what works side by side, which no single term explains.
std::string why_slower(const Problem& problem, const Plan& chosen, const Plan& other,
                       CollectivePricer& links) {
  const double ratio = objective_seconds(problem, other, links) / objective_seconds(problem, chosen, links);
  if (ratio <= 1) return "as fast";
  if (problem.workload.objective == Objective::kThroughput) return slower_by(ratio);
  const Cost mine = objective_cost(problem, chosen, links);
  const Cost its = objective_cost(problem, other, links);
  const CostTerm* worst = &cost_terms().front();
  for (const CostTerm& term : cost_terms()) {
    if (its.*term.seconds - mine.*term.seconds > its.*worst->seconds - mine.*worst->seconds) worst = &term;
  }
  return fmt::format("{}: {} takes {} more per {}", slower_by(ratio), meaning(worst->name),
                     format(its.*worst->seconds - mine.*worst->seconds), unit_of(problem.workload.objective));
}

std::string does_not_fit(const CardMemory& card) {
  return fmt::format("does not fit: card {} needs {} and has {}", card.card, format(card.total()),
                     format_binary(card.capacity_bytes));
}

std::string list_of(std::span<const CardId> cards) {
  return cards.size() == 1 ? fmt::format("card {}", cards.front())
                           : fmt::format("cards {}", fmt::join(cards, ", "));
}

std::vector<CardId> used_cards(const Plan& plan) {
  std::vector<CardId> used;
  for (const Stage& stage : plan.stages) used.insert(used.end(), stage.cards.begin(), stage.cards.end());
  std::ranges::sort(used);
  return used;
}

/// The best of the idle cards to take in, and the plan of one stage with it.
struct CardMore {
  CardId card = 0;
  Plan plan;
};
std::optional<CardMore> best_card_more(const Problem& problem, const Plan& chosen,
                                       std::span<const CardId> idle, Searches& searches,
                                       CollectivePricer& links) {
  constexpr std::size_t kMostTried = 8;
  std::optional<CardMore> best;
  double least = 0;
  for (const CardId card : idle.first(std::min(idle.size(), kMostTried))) {
    std::vector<CardId> cards = used_cards(chosen);
    cards.insert(std::ranges::upper_bound(cards, card), card);
    const auto plan = searches.best_of_one_stage(cards);
    if (!plan) continue;
    const double seconds = objective_seconds(problem, *plan, links);
    if (best && seconds >= least) continue;
    best = CardMore{card, *plan};
    least = seconds;
  }
  return best;
}

}  // namespace

std::vector<Alternative> alternatives_of(const Problem& problem, const Plan& chosen, StrategySet allowed,
                                         std::span<const CardId> cards, Searches& searches,
                                         CollectivePricer& links) {
  std::vector<Alternative> all;
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    const bool needs_more_cards = (strategy != PlanStrategy::kSingleCard && cards.size() < 2) ||
                                  (strategy == PlanStrategy::kHybrid && cards.size() < 3);
    const bool needs_more_layers =
        (strategy == PlanStrategy::kPipelineParallel || strategy == PlanStrategy::kHybrid) &&
        problem.model.shape.num_hidden_layers < 2;
    if (strategy == chosen.strategy() || needs_more_cards || needs_more_layers) continue;
    const auto plan = searches.roughly_best(StrategySet::only(strategy));
    if (!plan) {
      const auto used = strategy == PlanStrategy::kSingleCard ? cards.first(1) : cards;
      all.push_back({strategy, 0, std::nullopt, does_not_fit(tightest_card(problem, used))});
      continue;
    }
    std::string why = why_slower(problem, chosen, *plan, links);
    if (why == "as fast") why = "as fast, with more cards or stages";
    if (!allowed.contains(strategy)) why = "not asked for (--strategy)";
    all.push_back({strategy, plan->cards_used(), objective_rate(problem, *plan, links), std::move(why)});
  }
  return all;
}

std::optional<std::string> why_cards_are_idle(const Problem& problem, const Plan& plan, StrategySet allowed,
                                              std::span<const CardId> connected, Searches& searches,
                                              CollectivePricer& links) {
  std::vector<CardId> idle(connected.begin(), connected.end());
  for (const CardId card : used_cards(plan)) std::erase(idle, card);
  if (idle.empty()) return std::nullopt;
  std::string text =
      idle.size() == 1 ? list_of(idle) : fmt::format("{} of {} cards", idle.size(), connected.size());
  if (!allowed.tensor_parallel) return text + " idle: the strategy asked for is no faster with them";
  text += " idle: no plan is faster with them";
  const auto add = [&](std::string_view what, const Plan& other) {
    text += fmt::format("; {} is {}", what, why_slower(problem, plan, other, links));
  };
  const auto more = best_card_more(problem, plan, idle, searches, links);
  if (more && idle.size() > 1) {
    add(fmt::format("with card {}, tensor parallel over {}", more->card, more->plan.cards_used()),
        more->plan);
  }
  if (const auto all = searches.best_of_one_stage(connected)) {
    add(fmt::format("tensor parallel over all {}", connected.size()), *all);
  }
  return text;
}

}  // namespace spanker
