#pragma once

/// The library in one header: what a program needs to choose a strategy for a tile, to read clusters and
/// models, to plan, to simulate, to turn text into tokens and back, to run collectives between cards, and to run a
/// plan. Link `spanker::spanker`, within this build or after `find_package(spanker 0.1)`.
///
/// The tests build and run this example:
///
/// ```cpp
/// #include <spanker/spanker.hpp>
///
/// #include <iostream>
///
/// // Failures are values; each tells where it happened, what was wanted and what was found.
/// int fail(const spanker::Error& error) {
///   std::cerr << spanker::to_line(error) << '\n';
///   return 1;
/// }
///
/// int main() {
///   // One matmul tile over four sails.
///   const spanker::TileShape tile{.m = 1, .n = 5632, .k = 2048, .bytes_per_element = 2};
///   const auto strategy = spanker::pick_strategy(tile, 4, spanker::kLocalDdrBwBytesPerSec,
///                                                spanker::kIntercardBwBytesPerSec);
///   std::cout << "tile: " << spanker::to_string(strategy) << '\n';
///
///   // A whole model over the same four sails.
///   const auto cluster = spanker::load_cluster("sails-rev-a");
///   if (!cluster) return fail(cluster.error());
///   const auto model = spanker::load_model("tinyllama-1.1b", spanker::TensorType::kQ4_0);
///   if (!model) return fail(model.error());
///   const spanker::Workload workload{.context = 1024, .prompt = 128};
///   const auto problem = spanker::Problem::make(*model, *cluster, workload);
///   if (!problem) return fail(problem.error());
///
///   const auto plan = spanker::search(*problem);
///   if (!plan) return fail({spanker::ErrorKind::kInfeasible, "tinyllama-1.1b", "fits no plan", "", ""});
///   const spanker::Prediction prediction = spanker::predict(*problem, *plan);
///   std::cout << "plan: " << spanker::to_string(plan->strategy()) << " on " << plan->cards_used()
///             << " cards, " << prediction.tokens_per_second() << " tokens/s\n";
/// }
/// ```

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/cluster/bandwidth_model.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/cluster/link.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/collective/schedule.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/comm/local_cards.hpp"
#include "spanker/cost/tile_rule.hpp"
#include "spanker/measure/fit.hpp"
#include "spanker/measure/measured_runs.hpp"
#include "spanker/measure/validation.hpp"
#include "spanker/model/load.hpp"
#include "spanker/model/model.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/plan/frontier.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/run/generate.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/run/run_cards.hpp"
#include "spanker/run/sampler.hpp"
#include "spanker/simulate/replan.hpp"
#include "spanker/simulate/simulate.hpp"
#include "spanker/steps/lower.hpp"
#include "spanker/steps/predict_steps.hpp"
#include "spanker/steps/step_graph.hpp"
#include "spanker/steps/timeline.hpp"
#include "spanker/tokenizer/text_stream.hpp"
#include "spanker/tokenizer/tokenizer.hpp"
