#include "spanker/run/pass_runner.hpp"

#include <algorithm>

#include "spanker/plan/memory.hpp"

namespace spanker {
namespace {

WireType wire_type_of(TensorType type) {
  if (type == TensorType::kF32) return WireType::kF32;
  return type == TensorType::kF16 ? WireType::kF16 : WireType::kQ8_0;
}

/// The ranks that cards have in a communicator whose ranks are these cards.
std::vector<std::uint32_t> ranks_of(std::span<const CardId> cards, std::span<const CardId> among) {
  std::vector<std::uint32_t> ranks;
  for (const CardId card : cards) {
    ranks.push_back(static_cast<std::uint32_t>(std::ranges::find(among, card) - among.begin()));
  }
  return ranks;
}

const Stage& stage_of(const Plan& plan, CardId card) {
  return *std::ranges::find_if(plan.stages, [&](const Stage& stage) {
    return std::ranges::find(stage.cards, card) != stage.cards.end();
  });
}

}  // namespace

PassRunner::PassRunner(const Problem& problem, const Plan& plan, const StepGraph& graph, Card& card,
                       Endpoint& endpoint, const Ways& ways)
    : graph_(&graph),
      card_(&card),
      endpoint_(&endpoint),
      ways_(ways),
      program_(card_program(graph, card.shard().card)),
      wire_(wire_type_of(problem.workload.link_type)),
      is_alone_(stage_of(plan, card.shard().card).cards.size() == 1),
      looks_up_(problem.workload.embedding == EmbeddingPlace::kCards) {}

Result<PassRunner> PassRunner::make(const Problem& problem, const Plan& plan, const StepGraph& graph,
                                    Card& card, const Communicator& world, const Ways& ways) {
  PassRunner runner(problem, plan, graph, card, world.endpoint(), ways);
  const std::vector<Shard> shards = shards_of(problem, plan);
  std::vector<CardId> cards;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    cards.push_back(shards[i].card);
    if (i < plan.stages.front().cards.size()) runner.embedding_rows_.push_back(shards[i].embedding_rows);
    // In a pipeline the sampling card is the gather's first rank, and has no rows.
    if (shards[i].gathers_logits) runner.logit_counts_.push_back(shards[i].output_rows.count);
  }
  for (const auto& part : runner.program_) {
    const auto* call = std::get_if<ExchangeCall>(&part);
    if (call == nullptr) continue;
    const std::uint32_t index = graph.exchanges()[call->exchange].group;
    if (runner.groups_.contains(index)) continue;
    auto group = world.group(ranks_of(graph.group(index), cards));
    if (!group) return tl::unexpected(group.error());
    runner.groups_.emplace(index, std::move(*group));
  }
  return runner;
}

Result<void> PassRunner::run(StepClock& clock) {
  for (const auto& part : program_) {
    if (const auto* kernels = std::get_if<KernelRun>(&part)) {
      run_kernels(*kernels, clock);
      endpoint_->transport().poll();
      continue;
    }
    const std::uint32_t index = std::get<ExchangeCall>(part).exchange;
    const Seconds start = clock.now();
    if (auto done = run_exchange(graph_->exchanges()[index]); !done) return done;
    clock.note_exchange(index, start, clock.now());
  }
  return {};
}

void PassRunner::run_kernels(const KernelRun& kernels, StepClock& clock) {
  const std::size_t rows = card_->tokens().size();
  const OperatorKind last = graph_->step(kernels.steps.back()).op;
  // Logits are those of the last row alone.
  const std::size_t first_row = last == OperatorKind::kLogits ? rows - 1 : 0;
  const Seconds start = clock.now();
  std::vector<Seconds> times(kernels.steps.size(), Seconds(0));
  Seconds before = start;
  const auto add_time = [&](std::size_t i) {
    const Seconds after = clock.now();
    times[i] += after - before;
    before = after;
  };
  // One operator after another on a few rows, so that what lies between them takes little memory.
  for (std::size_t row = first_row; row < rows; row += kActivationTileRows) {
    const RowTile tile{row, std::min<std::size_t>(kActivationTileRows, rows - row)};
    for (std::size_t i = 0; i < kernels.steps.size(); ++i) {
      const Step& step = graph_->step(kernels.steps[i]);
      card_->run(step.op, step.layer, tile);
      add_time(i);
      // Many rows take so long that others ask meanwhile.
      if (tile.count > 1) endpoint_->transport().poll();
    }
  }
  const bool makes_sums = last == OperatorKind::kAttentionOutput || last == OperatorKind::kDown;
  if (is_alone_ && makes_sums) {
    card_->add_partial_to_residual();
    add_time(times.size() - 1);
  }
  if (ways_.pace != nullptr) return wait_for_pace(kernels, clock);
  Seconds next = start;
  for (std::size_t i = 0; i < times.size(); ++i) {
    clock.note_step(kernels.steps[i], next, next + times[i]);
    next += times[i];
  }
}

void PassRunner::wait_for_pace(const KernelRun& kernels, StepClock& clock) {
  for (const StepId id : kernels.steps) {
    const Step& step = graph_->step(id);
    const Seconds start = clock.now();
    ways_.pace->clock.spend(operator_cost(card_->work_of(step.op, step.layer), ways_.pace->rates).total());
    clock.note_step(id, start, clock.now());
  }
  ways_.pace->clock.wait([&] { endpoint_->transport().poll(); });
}

Result<void> PassRunner::run_exchange(const Exchange& exchange) {
  Communicator& group = groups_.at(exchange.group);
  const auto add_up = [&](Interval share) -> Result<void> {
    if (share.count == 0) std::ranges::fill(card_->partial(), 0.0f);
    auto done = ways_.native_all_reduce
                    ? group.native_all_reduce(card_->partial(), ReduceOp::kSum)
                    : group.all_reduce(card_->partial(), ReduceOp::kSum, exchange.algorithm, wire_);
    if (done) card_->add_partial_to_residual();
    return done;
  };
  switch (exchange.use) {
    case ExchangeUse::kStageInput:
      if (exchange.layer == 0 && looks_up_) return share_embedding(group, exchange.algorithm);
      return group.broadcast(card_->residual(), 0, exchange.algorithm, wire_);
    case ExchangeUse::kBoundary:
      return group.broadcast(card_->residual(), 0, exchange.algorithm, wire_);
    case ExchangeUse::kAttentionOutput:
      return add_up(card_->shard().query_heads);
    case ExchangeUse::kFfnOutput:
      return add_up(card_->shard().ffn_columns);
    case ExchangeUse::kLogits:
      return group.gather(card_->logits(), logit_counts_, 0, exchange.algorithm, wire_);
  }
  return {};
}

Result<void> PassRunner::share_embedding(Communicator& group, Algorithm algorithm) {
  const std::span<const std::uint32_t> tokens = card_->tokens();
  for (std::uint32_t owner = 0; owner < group.size(); ++owner) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < tokens.size(); ++row) {
      if (embedding_rows_[owner].contains(tokens[row])) rows.push_back(row);
    }
    if (rows.empty()) continue;
    if (rows.size() == tokens.size()) return group.broadcast(card_->residual(), owner, algorithm, wire_);
    const std::size_t hidden = card_->residual_row(0).size();
    const std::span<float> packed = card_->partial().first(rows.size() * hidden);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(card_->residual_row(rows[i]),
                        packed.begin() + static_cast<std::ptrdiff_t>(i * hidden));
    }
    if (auto done = group.broadcast(packed, owner, algorithm, wire_); !done) return done;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(packed.subspan(i * hidden, hidden), card_->residual_row(rows[i]).begin());
    }
  }
  return {};
}

}  // namespace spanker
