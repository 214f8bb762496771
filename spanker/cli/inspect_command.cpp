#include <CLI/CLI.hpp>
#include <memory>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/report/model_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker inspect model.gguf
  spanker inspect llama-3-8b --quant q8_0 --json)";

struct Flags {
  std::string model;
  std::string quant;
  bool json = false;
};

Outcome run_inspect(const Flags& flags, const Style& style) {
  const auto model = model_from_flags(flags.model, flags.quant);
  if (!model) return Outcome::failed(model.error());
  constexpr TensorType kKvType = TensorType::kF16;
  return Outcome::fine(flags.json ? to_json(*model, kKvType) : to_text(*model, kKvType, style));
}

}  // namespace

void add_inspect_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("inspect", "Shape, quantisation and bytes per token of a model");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  command->add_option("MODEL", flags->model, "Preset name, or path to a GGUF file or a config.json")
      ->required();
  command->add_option("--quant", flags->quant,
                      "Weight type of a preset or a config.json: q4_0 (default), q8_0, f16, ...");
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->callback([flags, &context] { context.outcome = run_inspect(*flags, context.style); });
}

}  // namespace spanker
