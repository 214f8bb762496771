#include "spanker/report/tile_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "spanker/base/format_quantity.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

struct TileAnswer {
  MatmulTraffic traffic;
  Strategy strategy;
  StrategySeconds seconds;
};

TileAnswer answer_for(const TileQuestion& question, MatmulTraffic traffic) {
  return {traffic,
          pick_strategy(traffic, question.sails, question.local_bandwidth, question.intercard_bandwidth),
          strategy_seconds(traffic, question.sails, question.local_bandwidth, question.intercard_bandwidth)};
}

nlohmann::ordered_json answer_json(const TileAnswer& answer) {
  const auto seconds = [](Seconds time) {
    return std::isfinite(time.count()) ? nlohmann::ordered_json(time.count()) : nlohmann::ordered_json();
  };
  return {{"strategy", to_string(answer.strategy)},
          {"tensor_parallel_seconds", seconds(answer.seconds.tensor_parallel)},
          {"model_parallel_seconds", seconds(answer.seconds.model_parallel)},
          {"weight_bytes", answer.traffic.weight_bytes},
          {"activation_bytes", answer.traffic.activation_bytes}};
}

std::string time_text(Seconds time) { return std::isfinite(time.count()) ? format(time) : "never"; }

}  // namespace

std::string to_json(const TileQuestion& question) {
  nlohmann::ordered_json json = {{"schema", "spanker.tile/1"}};
  json.update(answer_json(answer_for(question, MatmulTraffic::of_tile(question.tile))));
  json["matmul"] = answer_json(answer_for(question, MatmulTraffic::of_matmul(question.tile)));
  return as_document(json);
}

std::string to_text(const TileQuestion& question, const Style& style) {
  const TileAnswer rule = answer_for(question, MatmulTraffic::of_tile(question.tile));
  const TileAnswer matmul = answer_for(question, MatmulTraffic::of_matmul(question.tile));
  const TileShape& tile = question.tile;
  std::string text =
      style.bold(fmt::format("Y[{0} x {1}] = X[{0} x {2}] W[{2} x {1}], {3} bytes per element, on {4} {5}",
                             tile.m, tile.n, tile.k, tile.bytes_per_element, question.sails,
                             question.sails == 1 ? "sail" : "sails")) +
      "\n\n";
  Table table({{"", Align::kLeft},
               {"counts as weights", Align::kRight},
               {"moves between cards", Align::kRight},
               {"tensor parallel", Align::kRight},
               {"model parallel", Align::kRight},
               {"answer", Align::kLeft}});
  const auto add = [&](std::string name, const TileAnswer& answer) {
    table.add({std::move(name), format(Bytes(answer.traffic.weight_bytes)),
               format(Bytes(answer.traffic.activation_bytes)), time_text(answer.seconds.tensor_parallel),
               time_text(answer.seconds.model_parallel), std::string(to_string(answer.strategy))});
  };
  add("tile rule (X, m x k)", rule);
  add("matmul (W, k x n)", matmul);
  text += table.to_string(style);
  if (rule.strategy != matmul.strategy) {
    text += fmt::format(
        "\nThey differ because the tile rule counts X as the weights, and m cancels out of it. What is read "
        "from\n"
        "memory is W ({} against {}): tensor parallel divides that by the number of cards. The planner "
        "counts W.\n",
        format(Bytes(matmul.traffic.weight_bytes)), format(Bytes(rule.traffic.weight_bytes)));
  }
  return text;
}

}  // namespace spanker
