#include "spanker/simulate/step_runner.hpp"

#include <utility>

namespace spanker {
namespace {

bool computes(StepKind kind) { return kind == StepKind::kKernel || kind == StepKind::kPassOverhead; }

}  // namespace

StepRunner::StepRunner(const ClusterRates& rates, ContentionEngine& engine)
    : rates_(rates),
      engine_(engine),
      links_(rates),
      meter_(rates),
      cards_(rates.card_count()),
      card_busy_(rates.card_count(), Seconds(0)) {}

std::uint32_t StepRunner::start(const PreparedGraph& graph) {
  const std::uint32_t number = next_instance_++;
  const auto counts = graph.wait_counts();
  Instance& instance = instances_[number];
  instance.graph = &graph;
  instance.waits.assign(counts.begin(), counts.end());
  instance.entries.resize(counts.size());
  instance.left = counts.size();
  steps_total_ += counts.size();
  for (StepId step = 0; step < counts.size(); ++step) {
    if (counts[step] == 0) begin({number, step});
  }
  return number;
}

void StepRunner::begin(StepInstance at) {
  Instance& instance = instances_.at(at.instance);
  instance.entries[at.step] = {at.instance, at.step, engine_.now(), engine_.now()};
  const Step& step = instance.graph->graph().step(at.step);
  // What takes no time waits for no card.
  if (step.kind == StepKind::kJoin ||
      (computes(step.kind) && seconds_of(instance.graph->graph(), step) == Seconds(0))) {
    ended_.push_back(at);
    return;
  }
  if (computes(step.kind)) {
    Card& card = cards_[step.card];
    card.ready.emplace(at.instance, at.step);
    if (!card.computes) compute_next(step.card);
    return;
  }
  if (const LinkMeter::Route route = route_of(step)) meter_.begin(route);
  launch(at);
}

void StepRunner::launch(StepInstance at) {
  const StepGraph& graph = instances_.at(at.instance).graph->graph();
  const Step& step = graph.step(at.step);
  switch (step.kind) {
    case StepKind::kKernel:
    case StepKind::kPassOverhead:
      engine_.compute(step.card, seconds_of(graph, step), at.tag());
      break;
    case StepKind::kSend:
      engine_.transfer(step.card, step.to, step.bytes, at.tag());
      break;
    case StepKind::kUpload:
      engine_.upload(step.card, step.bytes, at.tag());
      break;
    case StepKind::kDownload:
      engine_.download(step.card, step.bytes, at.tag());
      break;
    case StepKind::kCollective:
      engine_.at(engine_.now() + seconds_of(graph, step), at.tag());
      break;
    case StepKind::kJoin:
      break;
  }
}

Seconds StepRunner::seconds_of(const StepGraph& graph, const Step& step) {
  if (step.kind == StepKind::kPassOverhead) return rates_.card(step.card).token_overhead;
  if (step.kind == StepKind::kKernel) {
    return part_cost(step.part(), step.whole(), rates_.card(step.card)).total();
  }
  const Exchange& exchange = graph.exchanges()[step.exchange];
  return links_
      .collective(exchange.collective, exchange.algorithm, graph.group(exchange.group), exchange.payload)
      .total();
}

LinkMeter::Route StepRunner::route_of(const Step& step) {
  switch (step.kind) {
    case StepKind::kSend:
      return meter_.route(step.card, step.to);
    case StepKind::kUpload:
      return meter_.route(LinkMeter::kHost, step.card);
    case StepKind::kDownload:
      return meter_.route(step.card, LinkMeter::kHost);
    case StepKind::kKernel:
    case StepKind::kCollective:
    case StepKind::kJoin:
    case StepKind::kPassOverhead:
      break;
  }
  return nullptr;
}

void StepRunner::compute_next(CardId id) {
  Card& card = cards_[id];
  card.computes = !card.ready.empty();
  if (!card.computes) return;
  const auto [instance, step] = card.ready.extract(card.ready.begin()).value();
  const StepInstance at{instance, step};
  instances_.at(at.instance).entries[at.step].start = engine_.now();
  launch(at);
}

std::vector<std::uint32_t> StepRunner::done(Tag tag) {
  const StepInstance at = StepInstance::of(tag);
  const Instance& instance = instances_.at(at.instance);
  const Step& step = instance.graph->graph().step(at.step);
  const Seconds duration = engine_.now() - instance.entries[at.step].start;
  ended_.push_back(at);
  if (const LinkMeter::Route route = route_of(step)) meter_.end(route, step.bytes, duration);
  settle();
  if (computes(step.kind)) {
    card_busy_[step.card] += duration;
    compute_next(step.card);
  }
  return std::exchange(finished_, {});
}

void StepRunner::settle() {
  for (std::size_t next = 0; next < ended_.size(); ++next) {
    const StepInstance at = ended_[next];
    Instance& instance = instances_.at(at.instance);
    instance.entries[at.step].end = last_end_ = engine_.now();
    ++steps_done_;
    if (--instance.left == 0) finished_.push_back(at.instance);
    for (const StepId follower : instance.graph->followers(at.step)) {
      if (--instance.waits[follower] == 0) begin({at.instance, follower});
    }
  }
  ended_.clear();
}

void StepRunner::lost(Tag tag) {
  const StepInstance at = StepInstance::of(tag);
  const Step& step = instances_.at(at.instance).graph->graph().step(at.step);
  if (step.kind == StepKind::kSend) ++sends_repeated_;
  launch(at);
}

}  // namespace spanker
