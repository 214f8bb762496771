#include "spanker/plan/price.hpp"

#include <algorithm>
#include <iterator>

namespace spanker {
namespace {

constexpr std::uint64_t kTokenIdBytes = 4;

void keep_slower(Cost& slowest, const Cost& cost) {
  if (cost.total() > slowest.total()) slowest = cost;
}

}  // namespace

Bytes uploaded_bytes(const Problem& problem, std::uint64_t rows) {
  if (problem.workload.embedding == EmbeddingPlace::kCards) return Bytes(kTokenIdBytes * rows);
  const Payload vectors{rows * problem.model.shape.hidden_size, problem.workload.link_type};
  return vectors.unit_bytes() * vectors.units();
}

Bytes downloaded_bytes(std::uint64_t streams) { return Bytes(kTokenIdBytes * streams); }

GatherGroup gather_group(CardId sampling_card, std::span<const CardId> cards, std::uint64_t elements,
                         TensorType type) {
  GatherGroup group;
  if (cards.front() != sampling_card) group.cards.push_back(sampling_card);
  std::ranges::copy(cards, std::back_inserter(group.cards));
  const std::uint64_t block = block_shape(type).elements;
  const std::uint64_t padded = (elements + block - 1) / block * block;
  group.payload = {padded * group.cards.size(), type};
  return group;
}

Cost StageParts::all_layers(std::span<const std::uint32_t> counts) const {
  Cost cost = embedding + logits;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) cost += layers[kind] * counts[kind];
  return cost;
}

Cost PassPricer::attention(CardId card, const LayerTensors& layer, HeadShare share) const {
  const ModelShape& shape = problem_.model.shape;
  const auto part = attention_operators(shape, layer, share, pass_);
  const CardRates& rates = rates_.card(card);
  if (rates.serial_share == 0) return operators_cost(part, rates);
  const HeadShare all{shape.num_attention_heads, shape.num_key_value_heads};
  return parts_cost(part, attention_operators(shape, layer, all, pass_), rates);
}

Cost PassPricer::ffn(CardId card, const LayerTensors& layer, std::uint64_t columns) const {
  const auto part = ffn_operators(layer, columns, pass_);
  const CardRates& rates = rates_.card(card);
  if (rates.serial_share == 0) return operators_cost(part, rates);
  return parts_cost(part, ffn_operators(layer, problem_.model.shape.intermediate_size, pass_), rates);
}

Cost PassPricer::logits(CardId card, std::uint64_t rows) const {
  const auto part = logits_operators(problem_.model, rows, pass_);
  const auto whole = logits_operators(problem_.model, problem_.model.shape.vocab_size, pass_);
  return parts_cost(part, whole, rates_.card(card));
}

StageParts PassPricer::stage_parts(std::span<const CardId> cards, std::span<const CardShare> shares,
                                   StageEnds ends) const {
  StageParts parts;
  for (const LayerTensors& layer : problem_.layers.kinds) {
    Cost slowest_attention;
    Cost slowest_ffn;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      keep_slower(slowest_attention, attention(cards[i], layer, shares[i].heads));
      keep_slower(slowest_ffn, ffn(cards[i], layer, shares[i].ffn_columns));
    }
    parts.layers.push_back(slowest_attention + slowest_ffn);
  }
  for (std::size_t i = 0; i < cards.size(); ++i) {
    if (ends.first && problem_.workload.embedding == EmbeddingPlace::kCards) {
      keep_slower(parts.embedding,
                  operator_cost(embedding_operator(problem_.model, pass_), rates_.card(cards[i])));
    }
    if (ends.last) keep_slower(parts.logits, logits(cards[i], shares[i].vocabulary_rows));
  }
  return parts;
}

Payload PassPricer::activations() const {
  return {pass_.rows() * problem_.model.shape.hidden_size, problem_.workload.link_type};
}

CollectiveChoice PassPricer::all_reduce(std::span<const CardId> cards) const {
  return links_.cheapest(Collective::kAllReduce, cards, activations());
}

Cost PassPricer::all_reduce(std::span<const CardId> cards, Algorithm algorithm) const {
  return links_.collective(Collective::kAllReduce, algorithm, cards, activations());
}

Seconds PassPricer::least_all_reduce(std::size_t cards) const {
  return links_.least_all_reduce(cards, activations());
}

CollectiveChoice PassPricer::broadcast(std::span<const CardId> cards) const {
  return links_.cheapest(Collective::kBroadcast, cards, activations());
}

Cost PassPricer::broadcast(std::span<const CardId> cards, Algorithm algorithm) const {
  return links_.collective(Collective::kBroadcast, algorithm, cards, activations());
}

Cost PassPricer::boundary(CardId from, CardId to) const { return links_.transfer(from, to, activations()); }

CollectiveChoice PassPricer::gather(CardId sampling_card, std::span<const CardId> cards,
                                    std::uint64_t largest_rows) const {
  const auto group =
      gather_group(sampling_card, cards, pass_.streams * largest_rows, problem_.workload.link_type);
  return links_.cheapest(Collective::kGather, group.cards, group.payload);
}

Cost PassPricer::gather(CardId sampling_card, std::span<const CardId> cards, std::uint64_t largest_rows,
                        Algorithm algorithm) const {
  const auto group =
      gather_group(sampling_card, cards, pass_.streams * largest_rows, problem_.workload.link_type);
  return links_.collective(Collective::kGather, algorithm, group.cards, group.payload);
}

Cost PassPricer::pass_overhead(CardId sampling_card) const {
  const LinkRates& host = rates_.host_link();
  Cost cost;
  cost.overhead = rates_.card(sampling_card).token_overhead;
  cost.host_link = 2 * host.latency + uploaded_bytes(problem_, pass_.rows()) / host.bandwidth +
                   downloaded_bytes(pass_.streams) / host.bandwidth;
  return cost;
}

Cost PassPrice::total() const {
  Cost cost = overhead;
  for (const Cost& boundary : boundaries) cost += boundary;
  for (const Cost& stage : stages) cost += stage;
  return cost;
}

PassPrice price_pass(const Problem& problem, const PassPricer& pricer, const Plan& plan,
                     CollectivesOf collectives) {
  PassPrice price;
  price.overhead = pricer.pass_overhead(plan.sampling_card());
  const Stage* previous = nullptr;
  for (const Stage& stage : plan.stages) {
    const StageEnds ends{&stage == &plan.stages.front(), &stage == &plan.stages.back()};
    const auto shares = card_shares(problem.model.shape, stage.shares);
    if (previous != nullptr)
      price.boundaries.push_back(pricer.boundary(previous->cards.back(), stage.cards.front()));
    previous = &stage;

    Cost cost = pricer.stage_parts(stage.cards, shares, ends)
                    .all_layers(problem.layers.count(stage.first_layer, stage.last_layer));
    const Cost all_reduce = collectives != nullptr
                                ? pricer.all_reduce(stage.cards, (stage.*collectives).all_reduce)
                                : pricer.all_reduce(stage.cards).cost;
    cost += all_reduce * (2.0 * stage.layer_count());
    cost += collectives != nullptr ? pricer.broadcast(stage.cards, (stage.*collectives).broadcast)
                                   : pricer.broadcast(stage.cards).cost;
    if (ends.last) {
      const std::uint64_t rows = std::ranges::max(stage.shares.vocabulary_rows);
      cost += collectives != nullptr ? pricer.gather(plan.sampling_card(), stage.cards, rows, plan.gather)
                                     : pricer.gather(plan.sampling_card(), stage.cards, rows).cost;
    }
    price.stages.push_back(cost);
  }
  return price;
}

void choose_collectives(Plan& plan, const PassPricer& decode, const PassPricer& prefill) {
  for (Stage& stage : plan.stages) {
    stage.decode = {decode.all_reduce(stage.cards).algorithm, decode.broadcast(stage.cards).algorithm};
    stage.prefill = {prefill.all_reduce(stage.cards).algorithm, prefill.broadcast(stage.cards).algorithm};
  }
  const Stage& last = plan.stages.back();
  plan.gather = decode.gather(plan.sampling_card(), last.cards, std::ranges::max(last.shares.vocabulary_rows))
                    .algorithm;
}

}  // namespace spanker
