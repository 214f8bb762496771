#pragma once

#include <span>
#include <string_view>

#include "spanker/model/model.hpp"

namespace spanker {

/// A published model's shape, and where it was published.
struct Preset {
  std::string_view name;    ///< as on the command line: "tinyllama-1.1b"
  std::string_view source;  ///< the config.json that the shape was taken from
  ModelShape shape;
};

/// Sorted by name.
std::span<const Preset> presets();
/// Null where there is none of that name.
const Preset* find_preset(std::string_view name);

/// The tensor table of a model of that shape: matrices stored as `quant`, norms, biases and routers as F32.
/// Fails with kBadInput where `check_shape` does, where `quant` is a plain integer type, and where a matrix'
/// columns are not a multiple of the type's block.
Result<Model> make_model(std::string_view name, const ModelShape& shape, TensorType quant);

}  // namespace spanker
