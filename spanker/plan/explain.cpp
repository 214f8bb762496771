#include "spanker/plan/explain.hpp"

#include <algorithm>
#include <cassert>
#include <future>

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/plan/capacity.hpp"
#include "spanker/plan/tightest_card.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

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

void warn_of_context(const Problem& problem, std::vector<std::string>& warnings) {
  const std::uint64_t trained = problem.model.shape.max_position_embeddings;
  if (problem.workload.context > trained) {
    warnings.push_back(fmt::format("context {} is longer than the {} positions {} was made for",
                                   problem.workload.context, trained, problem.model.name));
  }
}

/// Streamed data and checkpoints share the host link with the tokens, but are not part of their price.
void warn_of_host_link(const Problem& problem, const Prediction& prediction,
                       std::vector<std::string>& warnings) {
  Seconds busy{0};
  for (const HostUse& use : prediction.host_budget) {
    if (use.what != "load") busy += use.seconds;
  }
  const Seconds working = prediction.session - prediction.load.seconds;
  if (busy <= working) return;
  warnings.push_back(
      fmt::format("host link: what crosses it beside the load takes {}, longer than the {} that prompt and "
                  "{} tokens take; "
                  "it sets the pace, at {:.4g} tokens/s",
                  format(busy), format(working), problem.workload.generate,
                  static_cast<double>(problem.workload.generate) / busy.count()));
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

std::vector<std::string> warnings_of(const Problem& problem) {
  std::vector<std::string> warnings = problem.cluster.warnings;
  warn_of_context(problem, warnings);
  warn_of_cut_off_cards(problem, Network(problem.cluster).connected_cards(), warnings);
  return warnings;
}

Answer priced(const Problem& problem, const Plan& plan) {
  Answer given;
  given.plan = plan;
  given.prediction = predict(problem, plan);
  given.memory = plan_memory(problem, plan);
  given.bottleneck = largest_term(given.prediction.decode);
  given.warnings = warnings_of(problem);
  warn_of_host_link(problem, given.prediction, given.warnings);
  return given;
}

std::variant<Answer, NoPlan> answer(const Problem& problem, StrategySet allowed) {
  const std::vector<CardId> connected = Network(problem.cluster).connected_cards();
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  Searches searches(problem, links);
  const auto plan = searches.best(allowed);
  if (!plan) {
    NoPlan none = no_plan(problem, allowed, connected);
    none.warnings = warnings_of(problem);
    return none;
  }
  assert(validate(problem, *plan).has_value());
  // Passes of a whole prompt have prices of their own: nothing to share with the searches here.
  auto prefill_choice = std::async([&] { return prefill_choice_of(problem, *plan); });
  Answer found = priced(problem, *plan);
  if (auto idle = why_cards_are_idle(problem, *plan, allowed, connected, searches, links)) {
    found.warnings.push_back(std::move(*idle));
  }
  found.sensitivity = sensitivity_of(problem, allowed, *plan, links);
  found.alternatives = alternatives_of(problem, *plan, allowed, connected, searches, links);
  found.prefill_choice = prefill_choice.get();
  return found;
}

}  // namespace spanker
