#include "spanker/steps/step_graph.hpp"

#include <algorithm>
#include <cassert>

namespace spanker {

std::string_view to_string(StepKind kind) {
  switch (kind) {
    case StepKind::kUpload:
      return "upload";
    case StepKind::kKernel:
      return "kernel";
    case StepKind::kSend:
      return "send";
    case StepKind::kCollective:
      return "collective";
    case StepKind::kJoin:
      return "join";
    case StepKind::kPassOverhead:
      return "pass_overhead";
    case StepKind::kDownload:
      return "download";
  }
  return "unknown";
}

std::string_view to_string(ExchangeUse use) {
  switch (use) {
    case ExchangeUse::kBoundary:
      return "boundary";
    case ExchangeUse::kStageInput:
      return "stage_input";
    case ExchangeUse::kAttentionOutput:
      return "attention_all_reduce";
    case ExchangeUse::kFfnOutput:
      return "ffn_all_reduce";
    case ExchangeUse::kLogits:
      return "logits_gather";
  }
  return "unknown";
}

std::span<const StepId> StepGraph::waits_for(StepId id) const {
  const std::size_t begin = id == 0 ? 0 : wait_ends_[id - 1];
  return std::span(waits_).subspan(begin, wait_ends_[id] - begin);
}

StepGraph::Range StepGraph::round(const Exchange& exchange, std::uint32_t index) const {
  // The join that starts the exchange belongs to no round.
  const StepId begin = index == 0 ? exchange.first_step + 1 : round_ends_[exchange.first_round + index - 1];
  return {begin, round_ends_[exchange.first_round + index]};
}

StepId StepGraph::add(const Step& step, std::span<const StepId> waits_for) {
  const auto id = static_cast<StepId>(steps_.size());
  assert(std::ranges::all_of(waits_for, [id](StepId other) { return other < id; }));
  steps_.push_back(step);
  waits_.insert(waits_.end(), waits_for.begin(), waits_for.end());
  wait_ends_.push_back(waits_.size());
  return id;
}

std::uint32_t StepGraph::add_group(std::span<const CardId> cards) {
  const auto known = std::ranges::find_if(
      groups_, [&](const std::vector<CardId>& group) { return std::ranges::equal(group, cards); });
  const auto index = static_cast<std::uint32_t>(known - groups_.begin());
  if (known == groups_.end()) groups_.emplace_back(cards.begin(), cards.end());
  return index;
}

std::uint32_t StepGraph::begin_exchange(Exchange exchange) {
  exchange.first_step = static_cast<StepId>(steps_.size());
  exchange.first_round = static_cast<std::uint32_t>(round_ends_.size());
  exchange.rounds = 0;
  exchanges_.push_back(exchange);
  return static_cast<std::uint32_t>(exchanges_.size() - 1);
}

void StepGraph::end_round() {
  round_ends_.push_back(static_cast<StepId>(steps_.size()));
  ++exchanges_.back().rounds;
}

void StepGraph::end_exchange() { exchanges_.back().end_step = static_cast<StepId>(steps_.size()); }

}  // namespace spanker
