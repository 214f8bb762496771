#include "spanker/report/synth_report.hpp"

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

/// The embedding table is stored as all matrices that are large.
std::string_view quant_of(const SynthReport& report) { return to_string(report.model.token_embedding.type); }

}  // namespace

std::string to_json(const SynthReport& report) {
  return as_document({{"schema", "spanker.synth/1"},
                      {"path", report.path},
                      {"model", model_json(report.model, TensorType::kF16)},
                      {"quant", quant_of(report)},
                      {"seed", report.seed},
                      {"bytes", report.bytes.value},
                      {"seconds", report.time.count()}});
}

std::string to_text(const SynthReport& report, const Style& style) {
  Table table({{"", Align::kLeft}, {"", Align::kLeft}});
  table.add({"weights", fmt::format("random {}, seed {}", quant_of(report), report.seed)});
  table.add({"vocabulary", fmt::format("{} tokens, made up", report.model.shape.vocab_size)});
  table.add({"size", fmt::format("{}, {} bytes", format(report.bytes), report.bytes.value)});
  table.add({"written in", format(report.time)});
  return style.bold(escape_control(report.path)) +
         fmt::format(": {}, untrained\n\n", escape_control(report.model.name)) + table.to_string(style);
}

}  // namespace spanker
