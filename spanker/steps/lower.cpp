#include "spanker/steps/lower.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace spanker {
namespace {

/// Appends the steps of one pass. `last_` is what each card did last, kNoIndex where nothing yet.
class Lowering {
 public:
  Lowering(const Problem& problem, const Plan& plan, const Pass& pass, CollectivesOf collectives)
      : problem_(problem),
        plan_(plan),
        pass_(pass),
        collectives_(collectives),
        rates_(problem.cluster, Bound::kValue),
        links_(rates_),
        pricer_(problem, rates_, links_, pass),
        last_(problem.cluster.card_count, kNoIndex) {}

  StepGraph run(std::uint64_t most_sends) {
    choose_algorithms();
    expands_all_ = sends() <= most_sends;
    upload();
    const Stage* previous = nullptr;
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) {
      const Stage& stage = plan_.stages[i];
      if (previous != nullptr) boundary(*previous, stage);
      lower_stage(stage, algorithms_[i]);
      previous = &stage;
    }
    finish();
    return std::move(graph_);
  }

 private:
  bool is_first(const Stage& stage) const { return &stage == &plan_.stages.front(); }
  bool is_last(const Stage& stage) const { return &stage == &plan_.stages.back(); }

  void choose_algorithms() {
    for (const Stage& stage : plan_.stages) {
      algorithms_.push_back(collectives_ != nullptr
                                ? stage.*collectives_
                                : StageCollectives{pricer_.all_reduce(stage.cards).algorithm,
                                                   pricer_.broadcast(stage.cards).algorithm});
    }
    const Stage& last = plan_.stages.back();
    const std::uint64_t rows = std::ranges::max(last.shares.vocabulary_rows);
    gather_group_ =
        gather_group(plan_.sampling_card(), last.cards, pass_.streams * rows, problem_.workload.link_type);
    gather_ = collectives_ != nullptr ? plan_.gather
                                      : pricer_.gather(plan_.sampling_card(), last.cards, rows).algorithm;
  }

  /// No more are needed to expand everything.
  std::uint64_t sends() const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) {
      const Stage& stage = plan_.stages[i];
      const auto ranks = static_cast<std::uint32_t>(stage.cards.size());
      if (ranks < 2) continue;
      count +=
          most_transfers(Collective::kBroadcast, algorithms_[i].broadcast, ranks) +
          2 * stage.layer_count() * most_transfers(Collective::kAllReduce, algorithms_[i].all_reduce, ranks);
    }
    return count + most_transfers(Collective::kGather, gather_,
                                  static_cast<std::uint32_t>(gather_group_.cards.size()));
  }

  StepId add_after(std::span<const CardId> cards, const Step& step) {
    std::vector<StepId> waits;
    for (const CardId card : cards) {
      if (last_[card] != kNoIndex) waits.push_back(last_[card]);
    }
    // Cards that came out of one join share it.
    std::ranges::sort(waits);
    waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
    return graph_.add(step, waits);
  }

  void upload() {
    Step step;
    step.kind = StepKind::kUpload;
    step.card = plan_.sampling_card();
    step.bytes = uploaded_bytes(problem_, pass_.rows());
    const StepId id = graph_.add(step, {});
    for (const CardId card : plan_.stages.front().cards) last_[card] = id;
  }

  void finish() {
    Step step;
    step.kind = StepKind::kPassOverhead;
    step.card = plan_.sampling_card();
    const CardId samples[] = {step.card};
    last_[step.card] = add_after(samples, step);
    step.kind = StepKind::kDownload;
    step.bytes = downloaded_bytes(pass_.streams);
    last_[step.card] = add_after(samples, step);
  }

  template <class Operators>
  void kernels(CardId card, std::uint32_t layer, const Operators& operators, const Operators& wholes) {
    for (std::size_t i = 0; i < operators.size(); ++i) {
      const Operator& op = operators[i];
      if (op.bytes.value == 0 && op.ops.value == 0) continue;
      Step step;
      step.kind = StepKind::kKernel;
      step.op = op.kind;
      step.layer = layer;
      step.card = card;
      step.bytes = op.bytes;
      step.ops = op.ops;
      step.whole_bytes = wholes[i].bytes;
      step.whole_ops = wholes[i].ops;
      last_[card] = add_after({&card, 1}, step);
    }
  }

  void boundary(const Stage& from, const Stage& to) {
    const CardId ends[] = {from.cards.back(), to.cards.front()};
    Exchange exchange;
    exchange.use = ExchangeUse::kBoundary;
    exchange.layer = to.first_layer;
    exchange.collective = Collective::kBroadcast;
    exchange.algorithm = Algorithm::kTree;
    exchange.payload = pricer_.activations();
    add_exchange(exchange, ends);
  }

  void lower_stage(const Stage& stage, const StageCollectives& algorithms) {
    if (is_first(stage) && problem_.workload.embedding == EmbeddingPlace::kCards) {
      for (const CardId card : stage.cards) {
        const std::array row = {embedding_operator(problem_.model, pass_)};
        kernels(card, kNoIndex, row, row);
      }
    }
    Exchange exchange;
    exchange.payload = pricer_.activations();
    exchange.use = ExchangeUse::kStageInput;
    exchange.layer = stage.first_layer;
    exchange.collective = Collective::kBroadcast;
    exchange.algorithm = algorithms.broadcast;
    add_exchange(exchange, stage.cards);

    const ModelShape& shape = problem_.model.shape;
    const HeadShare all_heads{shape.num_attention_heads, shape.num_key_value_heads};
    const auto shares = card_shares(shape, stage.shares);
    exchange.collective = Collective::kAllReduce;
    exchange.algorithm = algorithms.all_reduce;
    for (std::uint32_t layer = stage.first_layer; layer <= stage.last_layer; ++layer) {
      const LayerTensors& tensors = problem_.model.layers[layer];
      exchange.layer = layer;
      const auto attention = attention_operators(shape, tensors, all_heads, pass_);
      for (std::size_t i = 0; i < stage.cards.size(); ++i) {
        kernels(stage.cards[i], layer, attention_operators(shape, tensors, shares[i].heads, pass_),
                attention);
      }
      exchange.use = ExchangeUse::kAttentionOutput;
      add_exchange(exchange, stage.cards);
      const auto ffn = ffn_operators(tensors, shape.intermediate_size, pass_);
      for (std::size_t i = 0; i < stage.cards.size(); ++i) {
        kernels(stage.cards[i], layer, ffn_operators(tensors, shares[i].ffn_columns, pass_), ffn);
      }
      exchange.use = ExchangeUse::kFfnOutput;
      add_exchange(exchange, stage.cards);
    }
    if (!is_last(stage)) return;
    const auto logits = logits_operators(problem_.model, shape.vocab_size, pass_);
    for (std::size_t i = 0; i < stage.cards.size(); ++i) {
      kernels(stage.cards[i], kNoIndex, logits_operators(problem_.model, shares[i].vocabulary_rows, pass_),
              logits);
    }
    exchange.use = ExchangeUse::kLogits;
    exchange.collective = Collective::kGather;
    exchange.algorithm = gather_;
    exchange.payload = gather_group_.payload;
    add_exchange(exchange, gather_group_.cards);
  }

  void add_exchange(Exchange exchange, std::span<const CardId> cards) {
    if (cards.size() < 2) return;
    exchange.group = graph_.add_group(cards);
    exchange.expanded = expands_all_ || cards.size() <= kMostExpandedCards;
    const std::uint32_t index = graph_.begin_exchange(exchange);
    Step step;
    step.exchange = index;
    if (!exchange.expanded) {
      step.kind = StepKind::kCollective;
      const StepId whole = add_after(cards, step);
      for (const CardId card : cards) last_[card] = whole;
      graph_.end_exchange();
      return;
    }
    const StepId start = add_after(cards, step);
    const StepId end = add_rounds(index, schedule_of(exchange, cards.size()), cards, start);
    for (const CardId card : cards) last_[card] = end;
    graph_.end_exchange();
  }

  /// A round's sends wait for the join that the one before ends in. Returns the last join.
  StepId add_rounds(std::uint32_t index, const Schedule& schedule, std::span<const CardId> cards,
                    StepId start) {
    const Bytes unit = graph_.exchanges()[index].payload.unit_bytes();
    Step join;
    join.exchange = index;
    StepId last_join = start;
    std::vector<StepId> sends;
    for (std::size_t round = 0; round < schedule.round_count(); ++round) {
      sends.clear();
      for (const Transfer& transfer : schedule.round(round)) {
        Step send = join;
        send.kind = StepKind::kSend;
        send.card = cards[transfer.from];
        send.to = cards[transfer.to];
        send.bytes = unit * transfer.units;
        sends.push_back(graph_.add(send, {&last_join, 1}));
      }
      last_join = graph_.add(join, sends);
      graph_.end_round();
    }
    return last_join;
  }

  const Schedule& schedule_of(const Exchange& exchange, std::size_t ranks) {
    const std::tuple key(exchange.collective, exchange.algorithm, ranks, exchange.payload.units());
    const auto [entry, is_new] = schedules_.try_emplace(key);
    if (is_new) {
      entry->second = make_schedule(exchange.collective, exchange.algorithm,
                                    static_cast<std::uint32_t>(ranks), exchange.payload.units());
    }
    return entry->second;
  }

  const Problem& problem_;
  const Plan& plan_;
  const Pass pass_;
  const CollectivesOf collectives_;
  const ClusterRates rates_;
  CollectivePricer links_;
  const PassPricer pricer_;
  std::vector<StageCollectives> algorithms_;
  GatherGroup gather_group_;
  Algorithm gather_ = Algorithm::kDirect;
  bool expands_all_ = true;
  std::map<std::tuple<Collective, Algorithm, std::size_t, std::uint64_t>, Schedule> schedules_;
  std::vector<StepId> last_;
  StepGraph graph_;
};

}  // namespace

StepGraph lower_pass(const Problem& problem, const Plan& plan, const Pass& pass, CollectivesOf collectives,
                     std::uint64_t most_sends) {
  return Lowering(problem, plan, pass, collectives).run(most_sends);
}

StepGraph lower_decode(const Problem& problem, const Plan& plan, std::uint64_t streams) {
  return lower_pass(problem, plan, problem.decode(streams), streams == 1 ? &Stage::decode : nullptr);
}

StepGraph lower_prefill(const Problem& problem, const Plan& plan) {
  return lower_pass(problem, plan, problem.prefill(), &Stage::prefill);
}

}  // namespace spanker
