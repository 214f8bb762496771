#include "spanker/model/model_json.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/model/shape.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kArchitectures = {Architecture::kLlama, Architecture::kMistral, Architecture::kQwen2,
                                       Architecture::kQwen3, Architecture::kQwen3Moe};
constexpr std::array<std::string_view, 5> kModelKeys = {"name", "architecture", "shape", "tensors", "layers"};
constexpr std::array<std::string_view, 13> kShapeKeys = {
    "num_hidden_layers",   "hidden_size", "intermediate_size",   "num_attention_heads",
    "num_key_value_heads", "head_dim",    "vocab_size",          "max_position_embeddings",
    "rms_norm_eps",        "rope_theta",  "tie_word_embeddings", "num_experts",
    "num_experts_per_tok"};
constexpr std::array<std::string_view, 3> kLayersKeys = {"first_layer", "last_layer", "tensors"};

Json or_null(std::uint32_t count) { return count > 0 ? Json(count) : Json(); }

/// "blk.12.attn_q.weight" is attn_q.weight of layer 12; what is outside of the layers has none.
struct Place {
  std::optional<std::uint32_t> layer;
  std::string_view name;
};

Place place_of(std::string_view tensor) {
  constexpr std::string_view kLayer = "blk.";
  if (!tensor.starts_with(kLayer)) return {std::nullopt, tensor};
  const std::string_view number = tensor.substr(kLayer.size(), tensor.find('.', kLayer.size()));
  std::uint32_t layer = 0;
  const char* end = std::from_chars(number.data(), number.data() + number.size(), layer).ptr;
  return {layer, tensor.substr(static_cast<std::size_t>(end - tensor.data()) + 1)};
}

ModelShape read_shape(const StrictObject& object, Architecture architecture) {
  object.allow_only(kShapeKeys);
  const auto count = [&](std::string_view key) { return object.integer<std::uint32_t>(key, 1, UINT32_MAX); };
  const auto count_or_null = [&](std::string_view key) { return object.is_null(key) ? 0 : count(key); };
  ModelShape shape;
  shape.architecture = architecture;
  shape.num_hidden_layers = count("num_hidden_layers");
  shape.hidden_size = count("hidden_size");
  shape.intermediate_size = count("intermediate_size");
  shape.num_attention_heads = count("num_attention_heads");
  shape.num_key_value_heads = count("num_key_value_heads");
  shape.head_dim = count("head_dim");
  shape.vocab_size = count("vocab_size");
  shape.max_position_embeddings = count("max_position_embeddings");
  shape.rms_norm_eps = object.positive("rms_norm_eps");
  shape.rope_theta = object.positive("rope_theta");
  shape.tie_word_embeddings = object.flag("tie_word_embeddings");
  shape.num_experts = count_or_null("num_experts");
  shape.num_experts_per_tok = count_or_null("num_experts_per_tok");
  return shape;
}

/// The object of each layer's tensors.
std::vector<StrictObject> tensors_by_layer(const StrictObject& model, std::uint32_t layer_count,
                                           const std::vector<std::string_view>& names) {
  std::vector<StrictObject> layers;
  for (const StrictObject& run : model.objects("layers")) {
    run.allow_only(kLayersKeys);
    const auto next = static_cast<std::uint32_t>(layers.size());
    const auto first = run.integer<std::uint32_t>("first_layer", 0, layer_count - 1);
    if (first != next) {
      run.fail("first_layer", "layers do not follow one another",
               next < layer_count ? std::to_string(next) : "no more layers", std::to_string(first));
    }
    const auto last = run.integer<std::uint32_t>("last_layer", first, layer_count - 1);
    const StrictObject tensors = run.object("tensors");
    tensors.allow_only(names);
    if (!model.sound()) return layers;
    layers.resize(last + 1, tensors);
  }
  if (layers.size() < layer_count) {
    model.fail("layers", "layers are left out", fmt::format("{} layers", layer_count),
               std::to_string(layers.size()));
  }
  return layers;
}

void read_tensors(const StrictObject& object, Model& model) {
  const std::vector<TensorSlot> slots = tensor_slots(model);
  std::vector<std::string_view> names_outside;
  std::vector<std::string_view> names_in_a_layer;
  for (const TensorSlot& slot : slots) {
    const Place place = place_of(slot.name);
    if (slot.presence == Presence::kForbidden || place.layer.value_or(0) != 0) continue;
    (place.layer ? names_in_a_layer : names_outside).push_back(place.name);
  }
  const StrictObject outside = object.object("tensors");
  outside.allow_only(names_outside);
  const auto layers = tensors_by_layer(object, model.shape.num_hidden_layers, names_in_a_layer);
  for (const TensorSlot& slot : slots) {
    if (!object.sound()) return;
    if (slot.presence == Presence::kForbidden) continue;
    const auto [layer, name] = place_of(slot.name);
    const StrictObject& tensors = layer ? layers[*layer] : outside;
    if (slot.presence == Presence::kOptional && !tensors.has(name)) continue;
    const TensorType type = tensors.parsed(name, parse_tensor_type);
    if (!object.sound()) return;
    const auto tensor = stored_as(slot.extent, type, tensors.where(name));
    if (!tensor) return object.note(tensor.error());
    slot.store(*tensor);
  }
}

}  // namespace

Json shape_json(const ModelShape& shape) {
  return {{"num_hidden_layers", shape.num_hidden_layers},
          {"hidden_size", shape.hidden_size},
          {"intermediate_size", shape.intermediate_size},
          {"num_attention_heads", shape.num_attention_heads},
          {"num_key_value_heads", shape.num_key_value_heads},
          {"head_dim", shape.head_dim},
          {"vocab_size", shape.vocab_size},
          {"max_position_embeddings", shape.max_position_embeddings},
          {"rms_norm_eps", shape.rms_norm_eps},
          {"rope_theta", shape.rope_theta},
          {"tie_word_embeddings", shape.tie_word_embeddings},
          {"num_experts", or_null(shape.num_experts)},
          {"num_experts_per_tok", or_null(shape.num_experts_per_tok)}};
}

Json model_values_json(const Model& model) {
  Json outside = Json::object();
  std::vector<Json> layers(model.layers.size(), Json::object());
  for (const NamedTensor& named : named_tensors(model)) {
    const auto [layer, name] = place_of(named.name);
    (layer ? layers[*layer] : outside)[std::string(name)] = to_string(named.tensor.type);
  }
  Json runs = Json::array();
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (runs.empty() || runs.back()["tensors"] != layers[layer]) {
      runs.push_back({{"first_layer", layer}, {"last_layer", layer}, {"tensors", layers[layer]}});
    }
    runs.back()["last_layer"] = layer;
  }
  return {{"name", model.name},
          {"architecture", to_string(model.shape.architecture)},
          {"shape", shape_json(model.shape)},
          {"tensors", outside},
          {"layers", runs}};
}

Model read_model(const StrictObject& object) {
  object.allow_only(kModelKeys);
  const std::string name = object.text("name");
  if (name.empty()) object.fail("name", "empty", "a name");
  const auto architecture = object.choice<Architecture>("architecture", kArchitectures);
  const ModelShape shape = read_shape(object.object("shape"), architecture);
  if (auto checked = check_shape(shape, object.where("shape")); !checked) object.note(checked.error());
  if (!object.sound()) return {};
  Model model = empty_model(name, shape);
  read_tensors(object, model);
  return model;
}

}  // namespace spanker
