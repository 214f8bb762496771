#include "spanker/cost/chain_round.hpp"

#include <algorithm>

namespace spanker {

ChainRoundPricer::ChainRoundPricer(const ClusterRates& rates)
    : topology_(rates.topology()), card_count_(rates.card_count()), latency_(1, Seconds(0)) {
  for (Direction& each : directions_) each.bytes.assign(card_count_ + 1, 0);
  if (rates.network().link_count() == 0) return;
  const LinkRates link = rates.link(0);
  bandwidth_ = link.bandwidth;
  // Summed up hop by hop, as along a route.
  while (latency_.size() < card_count_) latency_.push_back(latency_.back() + link.latency);
}

ChainRoundPricer::Run ChainRoundPricer::run_of(const Flow& flow) const {
  const auto above = [&](CardId from, CardId to) { return to >= from ? to - from : to + card_count_ - from; };
  const std::uint32_t up = above(flow.from, flow.to);
  const bool upward = topology_ == Topology::kLine ? flow.to >= flow.from : up <= card_count_ - up;
  if (upward) return {true, flow.from, up};
  return {false, (flow.to + 1) % card_count_, above(flow.to, flow.from)};
}

void ChainRoundPricer::Direction::add(std::uint32_t from, std::uint32_t to, std::uint64_t more) {
  first = std::min(first, from);
  end = std::max(end, to);
  bytes[from] += more;
  bytes[to] -= more;  // modulo 2^64, as the sums are
}

void ChainRoundPricer::Direction::sum() {
  std::uint64_t sum = 0;
  for (std::uint32_t card = first; card < end; ++card) {
    bytes[card] = sum += bytes[card];
    most = std::max(most, sum);
  }
  bytes[end] = 0;
}

void ChainRoundPricer::Direction::clear() {
  for (std::uint32_t card = first; card < end; ++card) bytes[card] = 0;
  first = static_cast<std::uint32_t>(bytes.size()) - 1;
  end = 0;
  most = 0;
}

void ChainRoundPricer::load(std::span<const Flow> flows) {
  for (Direction& each : directions_) each.clear();
  runs_.clear();
  for (const Flow& flow : flows) {
    const Run run = runs_.emplace_back(run_of(flow));
    const std::uint32_t end = run.first + run.hops;
    Direction& direction = directions_[run.upward];
    direction.add(run.first, std::min(end, card_count_), flow.bytes.value);
    if (end > card_count_) direction.add(0, end - card_count_, flow.bytes.value);
  }
  for (Direction& each : directions_) each.sum();
}

std::uint64_t ChainRoundPricer::most_bytes(const Run& run) const {
  const Direction& direction = directions_[run.upward];
  std::uint64_t most = 0;
  std::uint32_t card = run.first;
  for (std::uint32_t hop = 0; hop < run.hops && most < direction.most; ++hop) {
    most = std::max(most, direction.bytes[card]);
    if (++card == card_count_) card = 0;
  }
  return most;
}

Cost ChainRoundPricer::slowest(std::span<const Flow> flows) {
  load(flows);
  const auto cost_of = [&](const Run& run, std::uint64_t bytes) {
    Cost cost;
    cost.link_latency = latency_[run.hops];
    cost.link_bandwidth = Bytes(bytes) / bandwidth_;
    return cost;
  };
  Cost slowest;
  for (const Run& run : runs_) {
    if (cost_of(run, directions_[run.upward].most).total() <= slowest.total()) continue;
    const Cost cost = cost_of(run, most_bytes(run));
    if (cost.total() > slowest.total()) slowest = cost;
  }
  return slowest;
}

}  // namespace spanker
