#include "spanker/model/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "spanker/base/text.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

bool is_path(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.ends_with(".gguf");
}

Failure unknown_preset(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Preset& preset : presets()) known.push_back(preset.name);
  const std::string_view near = closest(name, known);
  return bad_input(
      "model", "no preset of that name",
      fmt::format("a path to a GGUF file (with a '/' or ending in .gguf) or one of {}",
                  fmt::join(known, ", ")),
      fmt::format("\"{}\"", name) + (near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
}

}  // namespace

Result<Model> load_model(const std::string& preset_or_path, std::optional<TensorType> quant) {
  if (is_path(preset_or_path)) {
    if (quant) {
      return bad_input("--quant", "a GGUF file says itself how its tensors are stored",
                       "no --quant with a file", std::string(to_string(*quant)));
    }
    return GgufFiles::open(preset_or_path).and_then(model_from_gguf);
  }
  const Preset* preset = find_preset(preset_or_path);
  if (preset == nullptr) return unknown_preset(preset_or_path);
  return make_model(preset->name, preset->shape, quant.value_or(TensorType::kQ4_0));
}

}  // namespace spanker
