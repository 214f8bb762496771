#include "spanker/simulate/cluster_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace spanker {
namespace {

std::uint64_t pair_key(CardId from, CardId to) { return std::uint64_t{from} << 32 | to; }

/// Uniform in [-1, 1).
double between_minus_one_and_one(SplitMix64& random) {
  return std::ldexp(static_cast<double>(random.next() >> 11), -52) - 1;
}

template <class Slot>
std::uint32_t take_slot(std::vector<Slot>& slots, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    slots.emplace_back();
    return static_cast<std::uint32_t>(slots.size() - 1);
  }
  const std::uint32_t slot = free.back();
  free.pop_back();
  return slot;
}

}  // namespace

ClusterEngine::ClusterEngine(const Cluster& cluster, const EngineSettings& settings, EngineDriver& driver,
                             ParentLine& parent)
    : rates_(cluster, Bound::kValue),
      settings_(settings),
      changes_(settings.changes),
      driver_(driver),
      parent_(parent),
      cards_(cluster.card_count) {
  std::ranges::stable_sort(changes_, {}, &TimedChange::at);
  SplitMix64 seeds(settings.seed);
  for (Card& card : cards_) card.jitter = SplitMix64(seeds.next());
}

std::string ClusterEngine::run(MakeFlowSimulator* make_flow_simulator) {
  build_network(flow_network_);
  flows_ = make_flow_simulator(flow_network_, *this);
  for (; next_change_ < changes_.size() && changes_[next_change_].at == Seconds(0); ++next_change_) {
    apply(changes_[next_change_].change);
  }
  start_next_change();
  driver_.start(*this);
  flows_->run();

  // What is under way always ends, so that nothing can be: this would be a fault of ours or of SimGrid's.
  const bool flows_left =
      std::ranges::any_of(flow_slots_, [](const Flow& flow) { return flow.state != Flow::State::kFree; });
  const bool timers_left =
      std::ranges::any_of(timer_slots_, [](const Timer& timer) { return timer.kind != Timer::Kind::kFree; });
  if (flows_left || timers_left) fail("the simulator stopped although activities are under way");
  is_over_ = true;
  std::vector<WaitingActivity> waiting;
  for (const Waiting& each : waiting_) {
    const Obstacle card_lost{Obstacle::Kind::kCardLost, 0, each.card};
    waiting.push_back({each.tag, each.is_compute ? card_lost : *obstacle(routes_[each.route])});
  }
  return driver_.finish(*this, waiting);
}

void ClusterEngine::build_network(FlowNetwork& network) {
  const LinkRates& host = rates_.host_link();
  host_links_each_way_ = rates_.host_link_is_shared() ? 1 : cards_.size();
  links_.resize(2 * host_links_each_way_, {.bandwidth = host.bandwidth});
  network.links.resize(links_.size(), host.bandwidth);
  for (CardId card = 0; card < rates_.card_count(); ++card) {
    const LinkIndex to_card = rates_.host_link_is_shared() ? 0 : card;
    const auto from_card = static_cast<LinkIndex>(host_links_each_way_ + to_card);
    for (const LinkIndex link : {to_card, from_card}) {
      routes_.push_back({.from = card, .to = card, .links = {link}, .latency = host.latency});
    }
  }

  std::vector<LinkId> route;
  for (const auto& [from, to] : settings_.pairs) {
    if (from == to || !route_index_.emplace(pair_key(from, to), routes_.size()).second) continue;
    Route built{.from = from, .to = to};
    route.clear();
    if (rates_.network().append_route(from, to, route)) {
      for (const LinkId id : route) {
        built.links.push_back(add_link(id, network));
        built.latency += rates_.link(id).latency;
      }
    }
    routes_.push_back(std::move(built));
  }
  network.most_routes = routes_.size();
}

ClusterEngine::LinkIndex ClusterEngine::add_link(LinkId id, FlowNetwork& network) {
  const auto [found, is_new] = link_index_.emplace(id, static_cast<LinkIndex>(links_.size()));
  if (is_new) {
    const LinkRates rates = rates_.link(id);
    links_.push_back({.bandwidth = rates.bandwidth, .id = id});
    network.links.push_back(rates.bandwidth);
  }
  return found->second;
}

void ClusterEngine::check_card(CardId card) const {
  if (card >= cards_.size()) fail(fmt::format("there is no card {}", card));
}

void ClusterEngine::check_is_running() const {
  if (is_over_) fail("something was started after the end");
}

void ClusterEngine::compute(CardId id, Seconds nominal, Tag tag) {
  check_is_running();
  check_card(id);
  Card& card = cards_[id];
  if (!(nominal >= Seconds(0) && std::isfinite(nominal.count()))) {
    fail(fmt::format("card {} is to compute for {} s", id, nominal.count()));
  }
  const double factor = 1 + settings_.jitter * between_minus_one_and_one(card.jitter);
  if (card.lost) {
    waiting_.push_back({.tag = tag, .card = id, .is_compute = true});
    return;
  }
  if (card.computes) fail(fmt::format("card {} is to compute two things at once", id));
  card.computes = true;
  card.tag = tag;
  card.left = nominal * factor;
  card.counted = now();
  schedule_end(id);
}

void ClusterEngine::schedule_end(CardId id) {
  Card& card = cards_[id];
  card.timer = start_timer({Timer::Kind::kCompute, id}, card.counted + card.left / card.speed);
}

void ClusterEngine::transfer(CardId from, CardId to, Bytes bytes, Tag tag) {
  check_is_running();
  check_card(from);
  check_card(to);
  if (from == to) {
    start_timer({Timer::Kind::kInstant, tag}, now());
  } else {
    start_transfer(find_route(from, to), bytes, tag, false);
  }
}

void ClusterEngine::upload(CardId card, Bytes bytes, Tag tag) {
  check_is_running();
  check_card(card);
  start_transfer(2 * card, bytes, tag, false);
}

void ClusterEngine::download(CardId card, Bytes bytes, Tag tag) {
  check_is_running();
  check_card(card);
  start_transfer(2 * card + 1, bytes, tag, false);
}

void ClusterEngine::at(Seconds time, Tag tag) {
  check_is_running();
  if (!std::isfinite(time.count())) fail("a timer is to fire at no time");
  start_timer({Timer::Kind::kDriver, tag}, std::max(time, now()));
}

ClusterEngine::RouteIndex ClusterEngine::find_route(CardId from, CardId to) const {
  const auto found = route_index_.find(pair_key(from, to));
  if (found == route_index_.end()) {
    fail(fmt::format("a transfer from card {} to card {} was not announced", from, to));
  }
  return found->second;
}

bool ClusterEngine::is_lost(CardId card) const {
  check_card(card);
  return cards_[card].lost;
}

std::optional<Obstacle> ClusterEngine::obstacle(CardId from, CardId to) const {
  if (from == to) return std::nullopt;
  return obstacle(routes_[find_route(from, to)]);
}

std::optional<Obstacle> ClusterEngine::obstacle(const Route& route) const {
  for (const CardId card : {route.from, route.to}) {
    if (cards_[card].lost) return Obstacle{Obstacle::Kind::kCardLost, 0, card};
  }
  if (route.links.empty()) return Obstacle{Obstacle::Kind::kNoRoute, 0, 0};
  for (const LinkIndex link : route.links) {
    if (links_[link].down > 0) return Obstacle{Obstacle::Kind::kLinkDown, links_[link].id, 0};
  }
  return std::nullopt;
}

void ClusterEngine::start_transfer(RouteIndex index, Bytes bytes, Tag tag, bool is_traffic) {
  const Route& route = routes_[index];
  if (obstacle(route)) {
    if (!is_traffic) waiting_.push_back({.tag = tag, .route = index, .bytes = bytes});
    return;
  }
  const std::uint32_t slot = take_slot(flow_slots_, free_flows_);
  flow_slots_[slot] = {tag, bytes, index, 0, Flow::State::kMoving, is_traffic};
  if (bytes.value > 0) {
    start_flow(slot);
  } else {
    start_latency(slot);
  }
}

void ClusterEngine::start_flow(std::uint32_t slot) {
  Flow& flow = flow_slots_[slot];
  Route& route = routes_[flow.route];
  if (!route.has_flow_route) {
    route.flow_route = flows_->add_route(route.links);
    route.has_flow_route = true;
  }
  flow.state = Flow::State::kMoving;
  flows_->start_flow(slot, route.flow_route, flow.bytes);
}

std::uint32_t ClusterEngine::start_timer(Timer timer, Seconds time) {
  const std::uint32_t slot = take_slot(timer_slots_, free_timers_);
  timer_slots_[slot] = timer;
  flows_->start_timer(slot, time);
  return slot;
}

void ClusterEngine::cancel_timer(std::uint32_t slot) {
  flows_->cancel_timer(slot);
  timer_slots_[slot] = {};
  free_timers_.push_back(slot);
}

void ClusterEngine::flow_ended(std::uint32_t slot, bool completed) {
  if (!completed && flow_slots_[slot].state != Flow::State::kLost) {
    fail("the simulator lost a transfer over links that are up");
  }
  const Flow& flow = flow_slots_[slot];
  if (completed && routes_[flow.route].latency > Seconds(0)) {
    start_latency(slot);
  } else {
    end_flow(slot);
  }
}

/// The last byte is on its way; it holds up nobody.
void ClusterEngine::start_latency(std::uint32_t slot) {
  Flow& flow = flow_slots_[slot];
  flow.state = Flow::State::kInLatency;
  flow.timer = start_timer({Timer::Kind::kLatency, slot}, now() + routes_[flow.route].latency);
}

void ClusterEngine::end_flow(std::uint32_t slot) {
  const Flow flow = std::exchange(flow_slots_[slot], {});
  free_flows_.push_back(slot);
  if (flow.state != Flow::State::kLost && !flow.is_traffic) driver_.done(*this, flow.tag);
}

void ClusterEngine::timer_fired(std::uint32_t slot) {
  const Timer timer = std::exchange(timer_slots_[slot], {});
  free_timers_.push_back(slot);
  switch (timer.kind) {
    case Timer::Kind::kFree:
      break;
    case Timer::Kind::kCompute: {
      Card& card = cards_[timer.value];
      card.computes = false;
      driver_.done(*this, card.tag);
      break;
    }
    case Timer::Kind::kLatency:
      end_flow(static_cast<std::uint32_t>(timer.value));
      break;
    case Timer::Kind::kDriver:
      driver_.timer(*this, timer.value);
      break;
    case Timer::Kind::kInstant:
      driver_.done(*this, timer.value);
      break;
    case Timer::Kind::kChange: {
      const ClusterChange& change = changes_[next_change_++].change;
      start_next_change();
      apply(change);
      // The cluster is as it will be before the driver hears of anything.
      for (const auto& [tag, obstacle] : std::exchange(losses_, {})) driver_.lost(*this, tag, obstacle);
      driver_.cluster_changed(*this, change);
      break;
    }
  }
}

/// One after the other: timers of one instant fire in any order.
void ClusterEngine::start_next_change() {
  if (next_change_ < changes_.size()) start_timer({Timer::Kind::kChange}, changes_[next_change_].at);
}

void ClusterEngine::apply(const ClusterChange& change) {
  std::visit([this](const auto& each) { apply_one(each); }, change);
}

void ClusterEngine::apply_one(const LinkStateChange& change) {
  const auto found = link_index_.find(*network().find_link(change.from, change.to));
  if (found == link_index_.end()) return;  // nothing crosses it
  Link& link = links_[found->second];
  if (link.taken_down == !change.up) return;
  link.taken_down = !change.up;
  if (change.up) {
    --link.down;
    start_what_waits();
  } else {
    ++link.down;
    lose_what_is_blocked();
  }
}

void ClusterEngine::apply_one(const LinkSpeedChange& change) {
  const auto found = link_index_.find(*network().find_link(change.from, change.to));
  if (found == link_index_.end()) return;
  flows_->set_bandwidth(found->second, links_[found->second].bandwidth * change.factor);
}

void ClusterEngine::apply_one(const HostLinkSpeedChange& change) {
  for (LinkIndex link = 0; link < 2 * host_links_each_way_; ++link) {
    flows_->set_bandwidth(link, links_[link].bandwidth * change.factor);
  }
}

void ClusterEngine::apply_one(const CardSpeedChange& change) {
  Card& card = cards_[change.card];
  if (card.computes) {
    card.left = std::max(Seconds(0), card.left - (now() - card.counted) * card.speed);
    card.counted = now();
    cancel_timer(card.timer);
  }
  card.speed = change.factor;
  if (card.computes) schedule_end(change.card);
}

void ClusterEngine::apply_one(const CardLoss& change) {
  Card& card = cards_[change.card];
  if (card.lost) return;
  card.lost = true;
  if (card.computes) {
    card.computes = false;
    cancel_timer(card.timer);
    losses_.emplace_back(card.tag, Obstacle{Obstacle::Kind::kCardLost, 0, change.card});
  }
  for (const auto& [id, link] : link_index_) {
    const auto [from, to] = network().ends(id);
    if (from == change.card || to == change.card) ++links_[link].down;
  }
  lose_what_is_blocked();
}

void ClusterEngine::apply_one(const HostTraffic& change) {
  start_transfer(2 * change.card, change.bytes, 0, true);
}

void ClusterEngine::lose_what_is_blocked() {
  for (std::uint32_t slot = 0; slot < flow_slots_.size(); ++slot) {
    Flow& flow = flow_slots_[slot];
    if (flow.state != Flow::State::kInLatency && flow.state != Flow::State::kMoving) continue;
    const auto in_the_way = obstacle(routes_[flow.route]);
    if (!in_the_way) continue;
    if (!flow.is_traffic) losses_.emplace_back(flow.tag, *in_the_way);
    if (std::exchange(flow.state, Flow::State::kLost) == Flow::State::kMoving) {
      flows_->cancel_flow(slot);
    } else {
      cancel_timer(flow.timer);
      end_flow(slot);
    }
  }
}

void ClusterEngine::start_what_waits() {
  for (const Waiting& each : std::exchange(waiting_, {})) {
    if (each.is_compute) {
      waiting_.push_back(each);
    } else {
      start_transfer(each.route, each.bytes, each.tag, false);
    }
  }
}

}  // namespace spanker
