#include <CLI/CLI.hpp>
#include <cstring>
#include <memory>

#include "spanker/base/file.hpp"
#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/model/synth.hpp"
#include "spanker/report/synth_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(The file has the preset's shape, random weights and a made-up tokenizer that encodes any text: as large and as
much work as the real model, only that what it says makes no sense. The same PRESET, --quant and --seed give the
same bytes on every machine.

Examples:
  spanker synth tinyllama-1.1b tiny.gguf
  spanker synth qwen2.5-0.5b qwen.gguf --quant q8_0 --seed 7
  spanker plan tiny.gguf --cards 4)";

struct Flags {
  std::string model;
  std::string path;
  std::string quant = "q4_0";
  std::uint64_t seed = 1;
  bool json = false;
};

/// Whether `model` is a path of a file that holds weights already.
bool is_gguf(const std::string& model) {
  if (model.ends_with(".gguf")) return true;
  if (model.find('/') == std::string::npos) return false;
  const auto file = MappedFile::open(model);
  constexpr std::string_view kMagic = "GGUF";
  return file && file->bytes().size() >= kMagic.size() &&
         std::memcmp(file->bytes().data(), kMagic.data(), kMagic.size()) == 0;
}

Outcome run_synth(const Flags& flags, const CommandContext& context) {
  if (is_gguf(flags.model)) {
    return Outcome::failed({ErrorKind::kBadInput, flags.model, "a GGUF file has weights already",
                            "a preset's name", "a GGUF file"});
  }
  const auto model = model_from_flags(flags.model, flags.quant);
  if (!model) return Outcome::failed(model.error());

  const Seconds start = context.progress.now();
  const auto bytes = [&] {
    const InterruptWatch watch;
    ProgressBar bar(context.progress);
    return write_synthetic_gguf(*model, flags.seed, flags.path, [&](Bytes done, Bytes total) {
      bar.update(done, total);
      return !watch.interrupted();
    });
  }();
  if (!bytes) return Outcome::failed(bytes.error());
  const SynthReport report{flags.path, *model, flags.seed, *bytes, context.progress.now() - start};
  return Outcome::fine(flags.json ? to_json(report) : to_text(report, context.style));
}

}  // namespace

void add_synth_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("synth", "Write a GGUF file of a preset's shape with random weights");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  command->add_option("PRESET", flags->model, "Preset name")->required();
  command->add_option("OUT", flags->path, "Path of the file to write; what is there is replaced")->required();
  command->add_option("--quant", flags->quant, "How matrices are stored: q4_0 (default), q8_0, f16 or f32");
  command->add_option("--seed", flags->seed, "Which random weights; default 1")
      ->check(whole_number(UINT64_MAX));
  command->add_flag("--json", flags->json, "One JSON object instead of a table");
  command->callback([flags, &context] { context.outcome = run_synth(*flags, context); });
}

}  // namespace spanker
