#include "spanker/report/plan_words.hpp"

namespace spanker {

std::string_view spoken(PlanStrategy strategy) {
  switch (strategy) {
    case PlanStrategy::kSingleCard:
      return "one card";
    case PlanStrategy::kTensorParallel:
      return "tensor parallel";
    case PlanStrategy::kPipelineParallel:
      return "pipeline";
    case PlanStrategy::kHybrid:
      return "hybrid";
  }
  return "unknown";
}

}  // namespace spanker
