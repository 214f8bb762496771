#include "spanker/plan/explain.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/plan/capacity.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/shares.hpp"
#include "spanker/plan/validate.hpp"

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

/// "3.9 times as slow", "52 % slower".
std::string slower_by(double ratio) {
  const double percent = (ratio - 1) * 100;
  if (ratio >= 10) return fmt::format("{:.0f} times as slow", ratio);
  if (ratio >= 2) return fmt::format("{:.1f} times as slow", ratio);
  return percent >= 10 ? fmt::format("{:.0f} % slower", percent) : fmt::format("{:.1f} % slower", percent);
}

/// "3.9 times as slow: reading weights and KV cache takes 229 ms more".
std::string why_slower(const Cost& chosen, const Cost& other) {
  const CostTerm* worst = &cost_terms().front();
  for (const CostTerm& term : cost_terms()) {
    if (other.*term.seconds - chosen.*term.seconds > other.*worst->seconds - chosen.*worst->seconds)
      worst = &term;
  }
  return fmt::format("{}: {} takes {} more per token", slower_by(other.total() / chosen.total()),
                     meaning(worst->name), format(other.*worst->seconds - chosen.*worst->seconds));
}

/// The card that lacks most memory when `cards` hold all layers together, each part as evenly as it goes.
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

std::string does_not_fit(const CardMemory& card) {
  return fmt::format("does not fit: card {} needs {} and has {}", card.card, format(card.total()),
                     format_binary(card.capacity_bytes));
}

std::vector<Alternative> alternatives_of(const Problem& problem, const Plan& chosen, StrategySet allowed,
                                         std::span<const CardId> cards) {
  std::vector<Alternative> all;
  const Cost chosen_cost = decode_cost(problem, chosen, Bound::kValue);
  for (const PlanStrategy strategy : {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                      PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid}) {
    const bool needs_more_cards = (strategy != PlanStrategy::kSingleCard && cards.size() < 2) ||
                                  (strategy == PlanStrategy::kHybrid && cards.size() < 3);
    const bool needs_more_layers =
        (strategy == PlanStrategy::kPipelineParallel || strategy == PlanStrategy::kHybrid) &&
        problem.model.shape.num_hidden_layers < 2;
    if (strategy == chosen.strategy() || needs_more_cards || needs_more_layers) continue;
    const auto plan = search(problem, StrategySet::only(strategy));
    if (!plan) {
      const auto used = strategy == PlanStrategy::kSingleCard ? cards.first(1) : cards;
      all.push_back({strategy, 0, std::nullopt, does_not_fit(tightest_card(problem, used))});
      continue;
    }
    const Cost cost = decode_cost(problem, *plan, Bound::kValue);
    std::string why = cost.total() > chosen_cost.total() ? why_slower(chosen_cost, cost)
                                                         : "as fast, with more cards or stages";
    if (!allowed.contains(strategy)) why = "not asked for (--strategy)";
    all.push_back({strategy, plan->cards_used(), 1 / cost.total().count(), std::move(why)});
  }
  return all;
}

std::string list_of(std::span<const CardId> cards) {
  return cards.size() == 1 ? fmt::format("card {}", cards.front())
                           : fmt::format("cards {}", fmt::join(cards, ", "));
}

void warn_of_cut_off_cards(const Problem& problem, std::span<const CardId> connected,
                           std::vector<std::string>& warnings) {
  std::vector<CardId> cut_off;
  for (CardId card = 0; card < problem.cluster.card_count; ++card) {
    if (!std::ranges::binary_search(connected, card)) cut_off.push_back(card);
  }
  if (!cut_off.empty()) {
    warnings.push_back(fmt::format("{} left out: only links that are not up lead there", list_of(cut_off)));
  }
}

void warn_of_idle_cards(const Problem& problem, const Plan& plan, StrategySet allowed,
                        std::span<const CardId> connected, std::vector<std::string>& warnings) {
  std::vector<CardId> idle(connected.begin(), connected.end());
  for (const Stage& stage : plan.stages) {
    for (const CardId card : stage.cards) std::erase(idle, card);
  }
  if (idle.empty()) return;
  const std::string who =
      idle.size() == 1 ? list_of(idle) : fmt::format("{} of {} cards", idle.size(), connected.size());
  if (!allowed.tensor_parallel) {
    warnings.push_back(who + " idle: the strategy asked for is no faster with them");
    return;
  }
  std::string reason;
  if (const auto all = search_one_stage(problem, connected)) {
    reason = fmt::format(
        "; tensor parallel over all {} is {}", connected.size(),
        why_slower(decode_cost(problem, plan, Bound::kValue), decode_cost(problem, *all, Bound::kValue)));
  }
  warnings.push_back(who + " idle: no plan is faster with them" + reason);
}

void warn_of_context(const Problem& problem, std::vector<std::string>& warnings) {
  const std::uint64_t trained = problem.model.shape.max_position_embeddings;
  if (problem.workload.context > trained) {
    warnings.push_back(fmt::format("context {} is longer than the {} positions {} was made for",
                                   problem.workload.context, trained, problem.model.name));
  }
}

std::optional<std::uint32_t> smallest_cluster(const Problem& problem, StrategySet allowed) {
  const std::uint32_t step = problem.cluster.topology == Topology::kTorus ? problem.cluster.torus_columns : 1;
  const auto fits = [&](std::uint32_t cards) {
    auto cluster = with_card_count(problem.cluster, cards);
    return cluster && can_hold(problem.with_cluster(std::move(*cluster)), allowed);
  };
  // More cards hold more: gallop to a count that fits, then halve the gap.
  std::uint32_t too_few = problem.cluster.card_count;
  std::uint32_t stride = step;
  while (too_few + stride <= kMostCardsTried && !fits(too_few + stride)) {
    too_few += stride;
    stride *= 2;
  }
  std::uint32_t enough = too_few + stride;
  if (enough > kMostCardsTried) return std::nullopt;
  while (enough - too_few > step) {
    const std::uint32_t middle = too_few + (enough - too_few) / step / 2 * step;
    (fits(middle) ? enough : too_few) = middle;
  }
  return enough;
}

NoPlan no_plan(const Problem& problem, StrategySet allowed, std::span<const CardId> connected) {
  NoPlan answer;
  const bool one_card_only = !allowed.tensor_parallel && !allowed.pipeline_parallel && !allowed.hybrid;
  const auto cards = one_card_only ? connected.first(1) : connected;
  answer.tightest = tightest_card(problem, cards);
  answer.reason = fmt::format(
      "{} with context {} and {} does not fit on {} {}: card {} needs {} and has {}", problem.model.name,
      problem.workload.context,
      problem.workload.streams == 1 ? "1 stream" : fmt::format("{} streams", problem.workload.streams),
      cards.size(), cards.size() == 1 ? "card" : "cards", answer.tightest.card,
      format(answer.tightest.total()), format_binary(answer.tightest.capacity_bytes));
  if (!one_card_only) answer.smallest_cards = smallest_cluster(problem, allowed);
  return answer;
}

}  // namespace

std::variant<Answer, NoPlan> answer(const Problem& problem, StrategySet allowed) {
  const std::vector<CardId> connected = Network(problem.cluster).connected_cards();
  std::vector<std::string> warnings = problem.cluster.warnings;
  warn_of_context(problem, warnings);
  warn_of_cut_off_cards(problem, connected, warnings);

  const auto plan = search(problem, allowed);
  if (!plan) {
    NoPlan none = no_plan(problem, allowed, connected);
    none.warnings = std::move(warnings);
    return none;
  }
  assert(validate(problem, *plan).has_value());
  warn_of_idle_cards(problem, *plan, allowed, connected, warnings);
  Answer found;
  found.plan = *plan;
  found.prediction = predict(problem, *plan);
  found.memory = plan_memory(problem, *plan);
  found.bottleneck = largest_term(found.prediction.decode);
  found.sensitivity = sensitivity_of(problem, allowed, found.prediction.tokens_per_second());
  found.alternatives = alternatives_of(problem, *plan, allowed, connected);
  found.warnings = std::move(warnings);
  return found;
}

}  // namespace spanker
