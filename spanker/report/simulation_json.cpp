#include <nlohmann/json.hpp>

#include "spanker/report/json_values.hpp"
#include "spanker/report/simulation_report.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

Json percentiles_json(const std::vector<Seconds>& values) {
  if (values.empty()) return nullptr;
  return {{"p50", percentile(values, 0.50).count()},
          {"p95", percentile(values, 0.95).count()},
          {"p99", percentile(values, 0.99).count()}};
}

Json links_json(const Simulation& simulation) {
  Json links = Json::array();
  for (const LinkUse& use : simulation.links) {
    links.push_back({{"link", use.name},
                     {"busy", use.carrying / simulation.makespan},
                     {"bytes", use.bytes.value},
                     {"delay_seconds", use.delay.count()}});
  }
  return links;
}

Json cards_json(const Simulation& simulation) {
  Json cards = Json::array();
  for (std::size_t card = 0; card < simulation.card_busy.size(); ++card) {
    cards.push_back({{"card", card}, {"busy", simulation.card_busy[card]}});
  }
  return cards;
}

Json kinds_json(const Simulation& simulation) {
  Json kinds = Json::array();
  for (const KindComparison& each : simulation.kinds) {
    kinds.push_back({{"kind", each.kind},
                     {"times", each.times},
                     {"predicted_seconds", each.predicted.count()},
                     {"simulated_seconds", each.simulated.count()}});
  }
  return kinds;
}

Json unfinished_json(const Simulation& simulation) {
  Json steps = Json::array();
  for (const UnfinishedStep& each : simulation.unfinished) {
    steps.push_back({{"step", each.what}, {"because", each.because}});
  }
  return steps;
}

Json replan_json(const std::optional<Replan>& replan) {
  if (!replan) return nullptr;
  Json json = {{"feasible", replan->plan.has_value()}};
  json["strategy"] = replan->plan ? Json(to_string(replan->plan->strategy())) : Json();
  json["cards_used"] = replan->plan ? Json(replan->plan->cards_used()) : Json();
  json["tokens_per_second_before"] = replan->tokens_per_second_before;
  json["tokens_per_second_after"] = replan->tokens_per_second_after;
  json["tokens_affected"] = replan->tokens_affected;
  json["load_seconds"] = replan->load.count();
  return json;
}

}  // namespace

std::string to_json(const SimulationReport& report) {
  const Simulation& simulation = report.simulation;
  Json json = {{"schema", "spanker.simulate/1"}};
  json.update(question_json(report.problem));
  json["plan"] = {{"strategy", to_string(report.plan.strategy())}, {"cards_used", report.plan.cards_used()}};
  json["outcome"] = to_string(simulation.outcome);
  json["tokens_per_second"] = simulation.tokens_per_second;
  json["closed_form_tokens_per_second"] = report.prediction.throughput.tokens_per_second;
  json["makespan_seconds"] = simulation.makespan.count();
  json["time_to_first_token_seconds"] =
      simulation.first_tokens.empty() ? Json() : Json(percentile(simulation.first_tokens, 0.5).count());
  json["closed_form_time_to_first_token_seconds"] = report.prediction.time_to_first_token().count();
  json["first_token_seconds"] = percentiles_json(simulation.first_tokens);
  json["token_seconds"] = percentiles_json(simulation.token_seconds);
  json["tokens_decoded"] = simulation.tokens_decoded;
  json["tokens_wanted"] = simulation.tokens_wanted;
  json["steps_done"] = simulation.steps_done;
  json["steps_total"] = simulation.steps_total;
  json["sends_repeated"] = simulation.sends_repeated;
  json["collapsed_collectives"] = simulation.collapsed;
  json["cards"] = cards_json(simulation);
  json["links"] = links_json(simulation);
  json["compared_batch"] = simulation.compared_batch;
  json["kinds"] = kinds_json(simulation);
  json["unfinished"] = unfinished_json(simulation);
  json["replan"] = replan_json(report.replan);
  json["warnings"] = report.warnings;
  return as_document(json);
}

}  // namespace spanker
