#include "spanker/run/model_rope.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "spanker/run/weight_tensor.hpp"

namespace spanker {
namespace {

RopePairing pairing_of(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
    case Architecture::kMistral:
      return RopePairing::kAdjacent;
    case Architecture::kQwen2:
    case Architecture::kQwen3:
    case Architecture::kQwen3Moe:
      return RopePairing::kHalves;
  }
  return RopePairing::kAdjacent;
}

/// By which a linear scaling divides positions.
Result<double> position_scale(const GgufFile& file, std::string_view architecture) {
  const auto key = [&](std::string_view name) { return fmt::format("{}.rope.{}", architecture, name); };
  if (const std::string type = key("scaling.type"); file.find(type) != nullptr) {
    const auto name = file.string(type);
    if (!name) return tl::unexpected(name.error());
    if (*name == "none") return 1.0;
    if (*name != "linear") {
      return bad_input(fmt::format("{}: {}", file.name(), type), "rotary scaling cannot be run",
                       "none or linear", fmt::format("\"{}\"", *name));
    }
  }
  for (const std::string& name : {key("scaling.factor"), key("scale_linear")}) {
    if (file.find(name) == nullptr) continue;
    const auto factor = file.number(name);
    // Some converters write 0 for none.
    if (!factor || *factor != 0) return factor;
  }
  return 1.0;
}

}  // namespace

Result<Rope> rope_of(const GgufFiles& files, const Model& model) {
  const GgufFile& file = files.metadata();
  const auto scale = position_scale(file, to_string(model.shape.architecture));
  if (!scale) return tl::unexpected(scale.error());
  std::vector<float> factors;
  if (model.rope_frequencies) {
    auto read = elements_of(files, "rope_freqs.weight", {0, model.shape.head_dim / 2});
    if (!read) return tl::unexpected(read.error());
    factors = std::move(*read);
  }
  const RopeShape shape{model.shape.head_dim, pairing_of(model.shape.architecture), model.shape.rope_theta,
                        *scale};
  return Rope::make(shape, factors).map_error([&](Error error) {
    error.where = file.name() + ": " + error.where;
    return error;
  });
}

}  // namespace spanker
