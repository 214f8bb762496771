#include "spanker/plan/plan.hpp"

#include <algorithm>

namespace spanker {

std::string_view to_string(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return "latency";
    case Objective::kThroughput:
      return "throughput";
    case Objective::kFirstToken:
      return "first-token";
    case Objective::kSession:
      return "session";
  }
  return "unknown";
}

std::string_view to_string(EmbeddingPlace place) {
  switch (place) {
    case EmbeddingPlace::kCards:
      return "cards";
    case EmbeddingPlace::kHost:
      return "host";
  }
  return "unknown";
}

std::string_view to_string(PlanStrategy strategy) {
  switch (strategy) {
    case PlanStrategy::kSingleCard:
      return "single_card";
    case PlanStrategy::kTensorParallel:
      return "tensor_parallel";
    case PlanStrategy::kPipelineParallel:
      return "pipeline_parallel";
    case PlanStrategy::kHybrid:
      return "hybrid";
  }
  return "unknown";
}

PlanStrategy Plan::strategy() const {
  const bool wide = std::ranges::any_of(stages, [](const Stage& stage) { return stage.cards.size() > 1; });
  if (stages.size() == 1) return wide ? PlanStrategy::kTensorParallel : PlanStrategy::kSingleCard;
  return wide ? PlanStrategy::kHybrid : PlanStrategy::kPipelineParallel;
}

std::uint32_t Plan::cards_used() const {
  std::size_t count = 0;
  for (const Stage& stage : stages) count += stage.cards.size();
  return static_cast<std::uint32_t>(count);
}

}  // namespace spanker
