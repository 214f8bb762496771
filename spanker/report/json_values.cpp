#include "spanker/report/json_values.hpp"

#include "spanker/graph/operators.hpp"

namespace spanker {

nlohmann::ordered_json model_json(const Model& model, TensorType kv_type) {
  return {{"name", model.name},
          {"architecture", to_string(model.shape.architecture)},
          {"parameters", parameter_count(model)},
          {"weight_bytes", weight_bytes(model).value},
          {"decode_weight_bytes", decode_weight_bytes(model).value},
          {"kv_bytes_per_token", kv_bytes_per_token(model.shape, kv_type).value}};
}

nlohmann::ordered_json question_json(const Problem& problem) {
  const Workload& workload = problem.workload;
  return {{"model", model_json(problem.model, workload.kv_type)},
          {"cluster",
           {{"name", problem.cluster.name},
            {"cards", problem.cluster.card_count},
            {"topology", to_string(problem.cluster.topology)}}},
          {"workload",
           {{"context", workload.context},
            {"prompt", workload.prompt},
            {"generate", workload.generate},
            {"streams", workload.streams},
            {"objective", to_string(workload.objective)},
            {"kv_dtype", to_string(workload.kv_type)},
            {"link_dtype", to_string(workload.link_type)},
            {"embedding", to_string(workload.embedding)}}}};
}

std::string as_document(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace spanker
