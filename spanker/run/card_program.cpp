#include "spanker/run/card_program.hpp"

#include <algorithm>

namespace spanker {
namespace {

bool begins_a_run(OperatorKind op) {
  switch (op) {
    case OperatorKind::kEmbedding:
    case OperatorKind::kAttentionNorm:
    case OperatorKind::kFfnNorm:
    case OperatorKind::kOutputNorm:
      return true;
    case OperatorKind::kQkv:
    case OperatorKind::kAttention:
    case OperatorKind::kAttentionOutput:
    case OperatorKind::kRouter:
    case OperatorKind::kGateUp:
    case OperatorKind::kDown:
    case OperatorKind::kLogits:
      return false;
  }
  return false;
}

}  // namespace

CardProgram card_program(const StepGraph& graph, CardId card) {
  CardProgram program;
  for (StepId id = 0; id < graph.size(); ++id) {
    const Step& step = graph.step(id);
    if (step.exchange != kNoIndex) {
      const Exchange& exchange = graph.exchanges()[step.exchange];
      const auto group = graph.group(exchange.group);
      const bool takes_part = std::ranges::find(group, card) != group.end();
      if (takes_part && id == exchange.first_step) program.push_back(ExchangeCall{step.exchange});
      continue;
    }
    if (step.kind != StepKind::kKernel || step.card != card) continue;
    if (begins_a_run(step.op)) program.push_back(KernelRun{});
    std::get<KernelRun>(program.back()).steps.push_back(id);
  }
  return program;
}

}  // namespace spanker
