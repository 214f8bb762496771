#include "spanker/report/engine_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {

std::string to_json(const Problem& problem, const EnginePrediction& prediction) {
  nlohmann::ordered_json json = {{"schema", "spanker.engine/1"}};
  json.update(question_json(problem));
  json["schedule"] = to_string(prediction.schedule);
  json["prediction"] = {{"seconds_per_token", prediction.value.total()},
                        {"tokens_per_second", 1 / prediction.value.total()},
                        {"tokens_per_second_low", 1 / prediction.low.total()},
                        {"tokens_per_second_high", 1 / prediction.high.total()},
                        {"compute_seconds", prediction.value.compute},
                        {"transfer_seconds", prediction.value.transfer}};
  json["root_sent_bytes"] = prediction.root_sent.value;
  json["root_received_bytes"] = prediction.root_received.value;
  json["warnings"] = warnings_of(problem);
  return as_document(json);
}

std::string to_text(const Problem& problem, const EnginePrediction& prediction, const Style& style) {
  const std::uint32_t cards = problem.cluster.card_count;
  std::string text =
      style.bold(fmt::format("{} on {} {} of {} by {}", escape_control(problem.model.name), cards,
                             cards == 1 ? "card" : "cards", escape_control(problem.cluster.name),
                             to_string(prediction.schedule))) +
      "\n\n";
  Table table({{"", Align::kLeft}, {"a token", Align::kRight}, {"range", Align::kLeft}});
  const auto add = [&](std::string name, double (*part)(const RunSeconds&)) {
    table.add({std::move(name), format(Seconds(part(prediction.value))),
               fmt::format("{} to {}", format(Seconds(part(prediction.high))),
                           format(Seconds(part(prediction.low))))});
  };
  add("compute", [](const RunSeconds& seconds) { return seconds.compute; });
  add("transfer", [](const RunSeconds& seconds) { return seconds.transfer; });
  add("total", [](const RunSeconds& seconds) { return seconds.total(); });
  text += table.to_string(style);
  text += fmt::format(
      "\n{:.4g} tokens/s ({:.4g} to {:.4g}) at context {}; the root sends {} and receives {} a token\n",
      1 / prediction.value.total(), 1 / prediction.low.total(), 1 / prediction.high.total(),
      problem.workload.context, format(prediction.root_sent), format(prediction.root_received));
  if (const auto warnings = warnings_of(problem); !warnings.empty()) {
    text += "\n" + style.bold("Warnings") + "\n";
    for (const std::string& warning : warnings) text += "  " + style.warning(escape_control(warning)) + "\n";
  }
  return text;
}

}  // namespace spanker
