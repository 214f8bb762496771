#pragma once

#include <optional>
#include <string>

#include "spanker/plan/predict.hpp"
#include "spanker/report/table.hpp"
#include "spanker/simulate/replan.hpp"
#include "spanker/simulate/simulate.hpp"

namespace spanker {

/// A simulation and what it is compared with.
struct SimulationReport {
  const Problem& problem;
  const Plan& plan;
  const Scenario& scenario;
  Prediction prediction;
  Simulation simulation;
  std::optional<Replan> replan;
  std::vector<std::string> warnings;
};

/// The value below which a share `share` (0 to 1) of them lies, by the nearest rank; 0 where there are none.
Seconds percentile(std::vector<Seconds> values, double share);

/// One JSON object, schema "spanker.simulate/1" (docs/commands.md), ended by a newline.
std::string to_json(const SimulationReport& report);

/// Tables for people. `compare`: also predicted beside simulated by kind of step.
std::string to_text(const SimulationReport& report, bool compare, const Style& style);

}  // namespace spanker
