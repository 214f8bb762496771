#pragma once

#include <string>
#include <vector>

#include "spanker/measure/run_work.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// What another engine is expected to do with a question: one decoded token.
struct EnginePrediction {
  EngineSchedule schedule = EngineSchedule::kRootStar;
  RunSeconds value;
  RunSeconds low;   ///< every range at its pessimistic end
  RunSeconds high;  ///< every range at its optimistic end
  Bytes root_sent;
  Bytes root_received;
};

/// Schema "spanker.engine/1".
std::string to_json(const Problem& problem, const EnginePrediction& prediction);
std::string to_text(const Problem& problem, const EnginePrediction& prediction, const Style& style);

}  // namespace spanker
