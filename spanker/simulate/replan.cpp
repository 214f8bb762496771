#include "spanker/simulate/replan.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "spanker/plan/predict.hpp"

namespace spanker {
namespace {

template <class T>
void scale(Ranged<T>& range, double factor) {
  range.value = T(range.value.value * factor);
  range.low = T(range.low.value * factor);
  range.high = T(range.high.value * factor);
}

void scale(Ranged<Seconds>& range, double factor) {
  range.value *= factor;
  range.low *= factor;
  range.high *= factor;
}

/// Applies faults one after another.
class Aftermath {
 public:
  explicit Aftermath(const Cluster& cluster) : before_(cluster), network_(cluster), after_(cluster) {}

  void operator()(const LinkStateFault& fault) {
    for_directions(fault.link, [&](LinkSpec& link, const LinkSpec&) { link.state = fault.state; });
  }
  void operator()(const LinkBandwidthFault& fault) {
    for_directions(fault.link, [&](LinkSpec& link, const LinkSpec& usual) {
      link.bandwidth = usual.bandwidth;
      scale(link.bandwidth, fault.bandwidth.from(usual.bandwidth.value).value / usual.bandwidth.value.value);
    });
  }
  void operator()(const CardLostFault& fault) {
    lost_.insert(fault.card);
    for (LinkId id = 0; id < network_.link_count(); ++id) {
      const auto [from, to] = network_.ends(id);
      if (from == fault.card || to == fault.card) link_after(from, to).state = LinkState::kDown;
    }
  }
  void operator()(const CardSlowFault& fault) {
    CardSpec spec = before_.card_at(fault.card);
    scale(spec.memory_bandwidth, 1 / fault.slowdown);
    if (spec.compute) scale(*spec.compute, 1 / fault.slowdown);
    scale(spec.step_overhead, fault.slowdown);
    scale(spec.token_overhead, fault.slowdown);
    after_.card_overrides[fault.card] = spec;
  }
  void operator()(const HostLinkFault& fault) {
    const BytesPerSecond usual = before_.host_link.bandwidth.value;
    after_.host_link.bandwidth = before_.host_link.bandwidth;
    scale(after_.host_link.bandwidth, fault.bandwidth.from(usual).value / usual.value);
  }
  void operator()(const HostLoadFault& /*passes*/) {}

  std::optional<Cluster> cluster() {
    // Links of lost cards stay down, whatever came later.
    for (const CardId card : std::exchange(lost_, {})) (*this)(CardLostFault{card});
    if (Network(after_).connected_cards().size() > 1) return after_;
    for (CardId card = 0; card < after_.card_count; ++card) {
      if (!lost_.contains(card)) return alone(card);
    }
    return std::nullopt;
  }

 private:
  template <class Change>
  void for_directions(const FaultyLink& link, Change change) {
    const auto once = [&](CardId from, CardId to) {
      change(link_after(from, to), network_.link(network_.find_link(from, to).value()));
    };
    once(link.from, link.to);
    if (!link.one_way) once(link.to, link.from);
  }

  LinkSpec& link_after(CardId from, CardId to) {
    const LinkSpec& usual = network_.link(network_.find_link(from, to).value());
    return after_.link_overrides.try_emplace({from, to}, usual).first->second;
  }

  Cluster alone(CardId card) const {
    Cluster one = after_;
    one.card_count = 1;
    one.card = after_.card_at(card);
    one.card_overrides.clear();
    one.link_overrides.clear();
    if (one.topology == Topology::kTorus) one.torus_columns = 1;
    return one;
  }

  const Cluster& before_;
  const Network network_;
  Cluster after_;
  std::set<CardId> lost_;
};

}  // namespace

std::optional<Cluster> cluster_after(const Cluster& cluster, const std::vector<Fault>& faults) {
  Aftermath aftermath(cluster);
  for (const Fault& fault : faults) std::visit(aftermath, fault.what);
  return aftermath.cluster();
}

Result<Replan> replan(const Problem& problem, const Plan& plan, StrategySet strategies,
                      const Scenario& scenario, const Simulation& disturbed,
                      const EngineProgressCallback& progress) {
  Replan result;
  result.tokens_affected = disturbed.tokens_wanted - disturbed.tokens_decoded;
  Scenario undisturbed;
  undisturbed.tokens = std::max<std::uint64_t>(scenario.tokens, 2);
  const auto before = simulate(problem, plan, undisturbed, progress);
  if (!before) return tl::unexpected(before.error());
  result.tokens_per_second_before = before->tokens_per_second;

  auto left = cluster_after(problem.cluster, scenario.faults);
  if (!left) return result;
  const Problem again = problem.with_cluster(std::move(*left));
  result.plan = search(again, strategies);
  if (!result.plan) return result;
  result.load = predict(again, *result.plan).load.seconds;
  const auto after = simulate(again, *result.plan, undisturbed, progress);
  if (!after) return tl::unexpected(after.error());
  result.tokens_per_second_after = after->tokens_per_second;
  return result;
}

}  // namespace spanker
