#include "spanker/model/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/base/text.hpp"
#include "spanker/model/config_json.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

bool is_path(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.ends_with(".gguf") || text.ends_with(".json");
}

/// The config.json that a path names, itself or by its folder; nothing where it names a GGUF file.
std::optional<std::string> config_json_path(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return (std::filesystem::path(path) / "config.json").string();
  return path.ends_with(".json") ? std::optional(path) : std::nullopt;
}

Result<Model> load_config_json(const std::string& path, TensorType quant) {
  constexpr std::size_t kMostBytes = 1 << 20;  // published ones are of a few kB
  return read_text_file(path, kMostBytes).and_then([&](const std::string& text) {
    return model_from_config_json(text, path, quant);
  });
}

Failure unknown_preset(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Preset& preset : presets()) known.push_back(preset.name);
  const std::string_view near = closest(name, known);
  return bad_input(
      "model", "no preset of that name",
      fmt::format(
          "a path to a GGUF file or a config.json (with a '/' or ending in .gguf or .json) or one of {}",
          fmt::join(known, ", ")),
      fmt::format("\"{}\"", name) + (near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
}

}  // namespace

Result<Model> load_model(const std::string& preset_or_path, std::optional<TensorType> quant) {
  const TensorType type = quant.value_or(TensorType::kQ4_0);
  if (is_path(preset_or_path)) {
    if (const auto config = config_json_path(preset_or_path)) return load_config_json(*config, type);
    if (quant) {
      return bad_input("--quant", "a GGUF file says itself how its tensors are stored",
                       "no --quant with a GGUF file", std::string(to_string(*quant)));
    }
    return GgufFiles::open(preset_or_path).and_then(model_from_gguf);
  }
  const Preset* preset = find_preset(preset_or_path);
  if (preset == nullptr) return unknown_preset(preset_or_path);
  return make_model(preset->name, preset->shape, type);
}

}  // namespace spanker
