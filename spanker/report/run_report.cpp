#include "spanker/report/run_report.hpp"

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string rate(const std::optional<double>& tokens_per_second) {
  return tokens_per_second ? fmt::format("{:.4g} tokens/s", *tokens_per_second) : "-";
}

std::string summary(const RunReport& report, const Style& style) {
  const Workload& workload = report.problem.workload;
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  table.add({"load", format(report.load), "every card's weights from the file"});
  table.add({"prefill", format(report.prefill),
             fmt::format("{} tokens, {}", workload.prompt,
                         rate(static_cast<double>(workload.prompt) / report.prefill.count()))});
  table.add({"first token", format(report.time_to_first_token), "from the prompt"});
  table.add({"decode", rate(report.tokens_per_second()),
             report.decoded == 0 ? "no token after the first"
                                 : fmt::format("{} tokens in {}", report.decoded, format(report.decode))});
  if (report.predicted_tokens_per_second) {
    table.add({"predicted", rate(report.predicted_tokens_per_second),
               fmt::format("for {} at context {}, the mean of this run",
                           escape_control(report.problem.cluster.name), report.predicted_context)});
  }
  if (report.lateness) {
    table.add({"lateness", format(*report.lateness), "at most, behind the pace of cards and links"});
  }
  return table.to_string(style);
}

std::string kinds_table(const RunReport& report, const Style& style) {
  const bool has_predictions = report.predicted_tokens_per_second.has_value();
  std::vector<Table::Column> columns = {
      {"step", Align::kLeft}, {"times", Align::kRight}, {"measured", Align::kRight}, {"", Align::kRight}};
  if (has_predictions) columns.push_back({"predicted", Align::kRight});
  Seconds all{0};
  for (const RunKind& kind : report.kinds) all += kind.measured;
  Table table(std::move(columns));
  for (const RunKind& kind : report.kinds) {
    std::vector<std::string> cells = {std::string(kind.kind), std::to_string(kind.times),
                                      format(kind.measured),
                                      fmt::format("{:.1f} %", 100 * kind.measured / all)};
    if (has_predictions) cells.push_back(kind.predicted ? format(*kind.predicted) : "-");
    table.add(std::move(cells));
  }
  return table.to_string(style);
}

}  // namespace

std::string to_json(const RunReport& report) {
  Json predicted;
  if (report.predicted_tokens_per_second) {
    predicted = {{"tokens_per_second", *report.predicted_tokens_per_second},
                 {"context", report.predicted_context}};
  }
  Json kinds = Json::array();
  for (const RunKind& kind : report.kinds) {
    Json entry = {{"kind", kind.kind}, {"times", kind.times}, {"measured_seconds", kind.measured.count()}};
    entry["predicted_seconds"] = kind.predicted ? Json(kind.predicted->count()) : Json(nullptr);
    kinds.push_back(std::move(entry));
  }
  return as_document({{"schema", "spanker.run/1"},
                      {"model", model_json(report.problem.model, report.problem.workload.kv_type)},
                      {"strategy", to_string(report.plan.strategy())},
                      {"cards", report.plan.cards_used()},
                      {"threads", report.threads},
                      {"prompt_tokens", report.prompt_tokens},
                      {"tokens", report.tokens},
                      {"text", or_null(report.text)},
                      {"ending", report.ending},
                      {"load_seconds", report.load.count()},
                      {"prefill_seconds", report.prefill.count()},
                      {"time_to_first_token_seconds", report.time_to_first_token.count()},
                      {"decode_seconds", report.decode.count()},
                      {"tokens_per_second", or_null(report.tokens_per_second())},
                      {"lateness_seconds", report.lateness ? Json(report.lateness->count()) : Json(nullptr)},
                      {"predicted", predicted},
                      {"kinds", kinds}});
}

std::string to_text(const RunReport& report, const Style& style) {
  std::string text =
      style.bold(escape_control(report.problem.model.name)) +
      fmt::format(": {} on {} {} with {} {}, {} tokens{}\n\n", to_string(report.plan.strategy()),
                  report.plan.cards_used(), report.plan.cards_used() == 1 ? "card" : "cards", report.threads,
                  report.threads == 1 ? "thread" : "threads", report.tokens.size(),
                  report.ending == "interrupted" ? ", interrupted" : "");
  text += summary(report, style);
  if (!report.kinds.empty()) {
    text += "\n" + style.bold("Where a decoded token's time goes") + "\n" + kinds_table(report, style);
  }
  return text;
}

}  // namespace spanker
