#pragma once

#include <nlohmann/json.hpp>

#include "spanker/base/strict_object.hpp"
#include "spanker/model/model.hpp"

// For the modules that write and read JSON: not a public header.
namespace spanker {

/// The hyperparameters but for the architecture, in HF's names (docs/commands.md, `inspect --json`).
nlohmann::ordered_json shape_json(const ModelShape& shape);

/// name, architecture, shape, and how every tensor is stored: `tensors` of the model, and `layers`, each
/// entry a run of layers that are stored alike. The tensors' dimensions follow from the shape.
nlohmann::ordered_json model_values_json(const Model& model);

/// The model that model_values_json wrote. A shape that cannot be, layers that do not follow one another and
/// tensors that are missing, foreign or cannot be stored so are faults. Where there is a fault the model is
/// not to be used.
Model read_model(const StrictObject& object);

}  // namespace spanker
