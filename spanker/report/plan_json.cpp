#include <nlohmann/json.hpp>

#include "spanker/model/model.hpp"
#include "spanker/report/json_values.hpp"
#include "spanker/report/plan_report.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

Json question_json(const Problem& problem, bool feasible) {
  Json json = {{"schema", "spanker.plan/1"}, {"feasible", feasible}};
  json.update(question_json(problem));
  return json;
}

Json stage_json(const ModelShape& shape, const Stage& stage) {
  std::vector<std::uint32_t> key_value_heads;
  for (const CardShare& share : card_shares(shape, stage.shares)) {
    key_value_heads.push_back(share.heads.key_value_heads);
  }
  // A card alone reduces nothing.
  const auto algorithm = [&](Algorithm used) {
    return stage.cards.size() > 1 ? Json(to_string(used)) : Json();
  };
  return {{"first_layer", stage.first_layer},
          {"last_layer", stage.last_layer},
          {"cards", stage.cards},
          {"query_heads", stage.shares.query_heads},
          {"key_value_heads", key_value_heads},
          {"ffn_columns", stage.shares.ffn_columns},
          {"vocabulary_rows", stage.shares.vocabulary_rows},
          {"all_reduce", algorithm(stage.decode.all_reduce)},
          {"broadcast", algorithm(stage.decode.broadcast)},
          {"prefill_all_reduce", algorithm(stage.prefill.all_reduce)},
          {"prefill_broadcast", algorithm(stage.prefill.broadcast)}};
}

Json plan_json(const ModelShape& shape, const Plan& plan) {
  Json stages = Json::array();
  for (const Stage& stage : plan.stages) stages.push_back(stage_json(shape, stage));
  const bool gathers = plan.cards_used() > 1;
  return {{"strategy", to_string(plan.strategy())},
          {"cards_used", plan.cards_used()},
          {"stages", stages},
          {"gather", gathers ? Json(to_string(plan.gather)) : Json()}};
}

Json prediction_json(const Workload& workload, const Prediction& prediction) {
  Json breakdown;
  for (const CostTerm& term : cost_terms()) breakdown[term.name] = (prediction.decode.*term.seconds).count();
  return {{"decode",
           {{"seconds_per_token", prediction.decode.total().count()},
            {"tokens_per_second", prediction.tokens_per_second()},
            {"tokens_per_second_low", prediction.tokens_per_second_low()},
            {"tokens_per_second_high", prediction.tokens_per_second_high()},
            {"breakdown", breakdown}}},
          {"prefill",
           {{"seconds", prediction.prefill.total().count()},
            {"tokens_per_second", prediction.prefill_tokens_per_second(workload)}}},
          {"time_to_first_token_seconds", prediction.time_to_first_token().count()},
          {"throughput",
           {{"streams", prediction.throughput.streams},
            {"micro_batches", prediction.throughput.micro_batches},
            {"tokens_per_second", prediction.throughput.tokens_per_second}}},
          {"load",
           {{"bytes", prediction.load.bytes.value},
            {"seconds", prediction.load.seconds.count()},
            {"relayed", prediction.load.relayed}}},
          {"session_seconds", prediction.session.count()}};
}

Json memory_json(const std::vector<CardMemory>& memory) {
  Json cards = Json::array();
  for (const CardMemory& card : memory) {
    cards.push_back({{"card", card.card},
                     {"weight_bytes", card.weight_bytes.value},
                     {"kv_bytes", card.kv_bytes.value},
                     {"activation_bytes", card.activation_bytes.value},
                     {"total_bytes", card.total().value},
                     {"capacity_bytes", card.capacity_bytes.value}});
  }
  return cards;
}

Json host_budget_json(const Prediction& prediction) {
  Json uses = Json::array();
  for (const HostUse& use : prediction.host_budget) {
    uses.push_back({{"what", use.what},
                    {"bytes", use.bytes.value},
                    {"seconds", use.seconds.count()},
                    {"share_of_session", use.seconds / prediction.session}});
  }
  return uses;
}

Json prefill_choice_json(const std::optional<PrefillChoice>& choice) {
  if (!choice) return nullptr;
  Json crossings = Json::array();
  for (const PrefillChoice::Crossing& each : choice->crossings) {
    crossings.push_back(
        {{"prompt", each.prompt}, {"strategy", to_string(each.strategy)}, {"cards_used", each.cards_used}});
  }
  return {{"differs", choice->differs()},         {"strategy", to_string(choice->strategy)},
          {"cards_used", choice->cards_used},     {"seconds", choice->seconds.count()},
          {"seconds_here", choice->here.count()}, {"crossings", crossings}};
}

Json reasons_json(const Answer& answer) {
  Json sensitivity = Json::array();
  for (const Sensitivity& item : answer.sensitivity) {
    sensitivity.push_back({{"change", item.change},
                           {"tokens_per_second", item.tokens_per_second},
                           {"gain", item.gain},
                           {"note", item.note.empty() ? Json() : Json(item.note)}});
  }
  Json alternatives = Json::array();
  for (const Alternative& item : answer.alternatives) {
    alternatives.push_back(
        {{"strategy", to_string(item.strategy)},
         {"cards_used", item.cards_used},
         {"tokens_per_second", item.tokens_per_second ? Json(*item.tokens_per_second) : Json()},
         {"why_not", item.why_not}});
  }
  return {{"bottleneck", answer.bottleneck},
          {"sensitivity", sensitivity},
          {"alternatives", alternatives},
          {"warnings", answer.warnings}};
}

}  // namespace

std::string to_json(const Problem& problem, const Answer& answer) {
  Json json = question_json(problem, true);
  json["plan"] = plan_json(problem.model.shape, answer.plan);
  json["prediction"] = prediction_json(problem.workload, answer.prediction);
  json["memory"] = memory_json(answer.memory);
  json["host_budget"] = host_budget_json(answer.prediction);
  json["prefill_choice"] = prefill_choice_json(answer.prefill_choice);
  json.update(reasons_json(answer));
  return as_document(json);
}

namespace {

Json tightest_json(const CardMemory& card) {
  return {
      {"card", card.card}, {"need_bytes", card.total().value}, {"capacity_bytes", card.capacity_bytes.value}};
}

}  // namespace

std::string to_json(const Problem& problem, const NoPlan& answer) {
  Json json = question_json(problem, false);
  json["reason"] = answer.reason;
  json["tightest"] = tightest_json(answer.tightest);
  json["smallest_cards"] = answer.smallest_cards ? Json(*answer.smallest_cards) : Json();
  json["best"] = nullptr;
  json["warnings"] = answer.warnings;
  return as_document(json);
}

std::string to_json(const Problem& problem, const OutOfReach& answer, const std::string& reason) {
  Json json = question_json(problem, false);
  json["reason"] = reason;
  json["tightest"] = tightest_json(answer.fullest);
  json["smallest_cards"] = nullptr;
  json["best"] = {{"tokens_per_second", answer.tokens_per_second},
                  {"cards_used", answer.cards_used},
                  {"limiting_term", answer.limiting_term}};
  json["warnings"] = problem.cluster.warnings;
  return as_document(json);
}

}  // namespace spanker
