#include "spanker/model/config_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "spanker/base/parse_json.hpp"
#include "spanker/base/text.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/shape.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

/// The classes of transformers that are read, with the defaults of their constructors for the keys that
/// published files leave out (transformers, models/NAME/configuration_NAME.py).
struct ModelType {
  std::string_view name;
  Architecture architecture;
  bool has_experts;
  bool has_attention_bias;            ///< whether attention_bias is a key
  std::uint32_t num_key_value_heads;  ///< 0: as many as heads
  std::uint32_t head_dim;             ///< 0: hidden_size / heads
  double rms_norm_eps;
  double rope_theta;
};

constexpr ModelType kModelTypes[] = {
    {"llama", Architecture::kLlama, false, true, 0, 0, 1e-6, 1e4},
    {"mistral", Architecture::kMistral, false, false, 8, 0, 1e-6, 1e4},
    {"mixtral", Architecture::kLlama, true, false, 8, 0, 1e-5, 1e6},
    {"qwen2", Architecture::kQwen2, false, false, 32, 0, 1e-6, 1e4},
    {"qwen3", Architecture::kQwen3, false, true, 32, 128, 1e-6, 1e4},
    {"qwen3_moe", Architecture::kQwen3Moe, true, true, 4, 0, 1e-6, 1e4},
};

std::string at(std::string_view file, std::string_view key) {
  return fmt::format("{}: {}", file, shortened(key));
}

/// The keys of an object. One whose value is null counts as missing.
class ConfigKeys {
 public:
  ConfigKeys(const Json& json, std::string_view file) : json_(json), file_(file) {}

  /// Null where the key is missing.
  const Json* find(std::string_view key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  bool is_null(std::string_view key) const { return json_.contains(key) && find(key) == nullptr; }

  Result<void> read(std::string_view key, std::uint32_t& field) const {
    const Json* value = find(key);
    if (value == nullptr) return bad_input(at(file_, key), "key is missing", "a whole number");
    if (!value->is_number_integer()) return wrong(key, "value of a wrong type", "a whole number");
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > UINT32_MAX) {
      return wrong(key, "number out of range", fmt::format("0 to {}", UINT32_MAX));
    }
    field = value->get<std::uint32_t>();
    return {};
  }
  Result<void> read(std::string_view key, std::uint32_t& field, std::uint32_t fallback) const {
    field = fallback;
    return find(key) == nullptr ? Result<void>() : read(key, field);
  }
  Result<void> read(std::string_view key, double& field, double fallback) const {
    const Json* value = find(key);
    field = fallback;
    if (value == nullptr) return {};
    if (!value->is_number()) return wrong(key, "value of a wrong type", "a number");
    field = value->get<double>();
    return {};
  }
  Result<void> read(std::string_view key, bool& field, bool fallback) const {
    const Json* value = find(key);
    field = fallback;
    if (value == nullptr) return {};
    if (!value->is_boolean()) return wrong(key, "value of a wrong type", "true or false");
    field = value->get<bool>();
    return {};
  }

  /// For a key that is there.
  Failure wrong(std::string_view key, std::string what, std::string wanted) const {
    const std::string got = json_.find(key)->dump(-1, ' ', false, Json::error_handler_t::replace);
    return bad_input(at(file_, key), std::move(what), std::move(wanted), shortened(got));
  }

  std::string_view file() const { return file_; }

 private:
  const Json& json_;
  std::string_view file_;
};

Result<const ModelType*> read_model_type(const ConfigKeys& keys) {
  constexpr std::string_view kKey = "model_type";
  constexpr const char* kWanted = "llama, mistral, mixtral, qwen2, qwen3 or qwen3_moe";
  const Json* value = keys.find(kKey);
  if (value == nullptr) return bad_input(at(keys.file(), kKey), "key is missing", kWanted);
  for (const ModelType& type : kModelTypes) {
    if (*value == type.name) return &type;
  }
  return keys.wrong(kKey, "model type is not read", kWanted);
}

Result<void> read_experts(const ConfigKeys& keys, ModelShape& shape) {
  // Mixtral's name, which newer files of other models use too.
  const bool local = keys.find("num_local_experts") != nullptr;
  if (auto done = keys.read(local ? "num_local_experts" : "num_experts", shape.num_experts); !done)
    return done;
  if (auto done = keys.read("num_experts_per_tok", shape.num_experts_per_tok); !done) return done;
  std::uint32_t step = 1;
  if (auto done = keys.read("decoder_sparse_step", step, 1); !done) return done;
  if (step != 1)
    return keys.wrong("decoder_sparse_step", "dense layers beside mixtures of experts are not read", "1");
  if (const Json* dense = keys.find("mlp_only_layers"); dense != nullptr && *dense != Json::array()) {
    return keys.wrong("mlp_only_layers", "dense layers beside mixtures of experts are not read", "[]");
  }
  return {};
}

Result<void> read_rope_theta(const ConfigKeys& keys, double fallback, double& theta) {
  // transformers 5 puts it among the rope_parameters.
  const Json* rope = keys.find("rope_parameters");
  if (rope == nullptr) return keys.read("rope_theta", theta, fallback);
  if (!rope->is_object()) return keys.wrong("rope_parameters", "value of a wrong type", "an object");
  return ConfigKeys(*rope, at(keys.file(), "rope_parameters")).read("rope_theta", theta, fallback);
}

Result<void> read_heads(const ConfigKeys& keys, const ModelType& type, ModelShape& shape) {
  if (auto done = keys.read("num_attention_heads", shape.num_attention_heads); !done) return done;
  // Zero heads are refused with the rest of the shape.
  const std::uint32_t heads = std::max(shape.num_attention_heads, 1u);
  const bool as_many = type.num_key_value_heads == 0 || keys.is_null("num_key_value_heads");
  const std::uint32_t key_value_heads = as_many ? heads : type.num_key_value_heads;
  if (auto done = keys.read("num_key_value_heads", shape.num_key_value_heads, key_value_heads); !done)
    return done;
  if (type.head_dim == 0 && keys.find("head_dim") == nullptr && shape.hidden_size % heads != 0) {
    return keys.wrong("num_attention_heads", "hidden_size is not a multiple of it, and there is no head_dim",
                      fmt::format("a divisor of {}", shape.hidden_size));
  }
  return keys.read("head_dim", shape.head_dim, type.head_dim > 0 ? type.head_dim : shape.hidden_size / heads);
}

Result<ModelShape> read_shape(const ConfigKeys& keys, const ModelType& type) {
  ModelShape shape;
  shape.architecture = type.architecture;
  const bool own_key = type.architecture == Architecture::kQwen3Moe;
  const auto read = [&]() -> Result<void> {
    if (auto done = keys.read("num_hidden_layers", shape.num_hidden_layers); !done) return done;
    if (auto done = keys.read("hidden_size", shape.hidden_size); !done) return done;
    if (auto done =
            keys.read(own_key ? "moe_intermediate_size" : "intermediate_size", shape.intermediate_size);
        !done)
      return done;
    if (auto done = read_heads(keys, type, shape); !done) return done;
    if (auto done = keys.read("vocab_size", shape.vocab_size); !done) return done;
    if (auto done = keys.read("max_position_embeddings", shape.max_position_embeddings); !done) return done;
    if (auto done = keys.read("rms_norm_eps", shape.rms_norm_eps, type.rms_norm_eps); !done) return done;
    if (auto done = read_rope_theta(keys, type.rope_theta, shape.rope_theta); !done) return done;
    if (auto done = keys.read("tie_word_embeddings", shape.tie_word_embeddings, false); !done) return done;
    if (type.has_experts) return read_experts(keys, shape);
    return {};
  };
  if (auto done = read(); !done) return tl::unexpected(done.error());
  if (auto sound = check_shape(shape, keys.file()); !sound) return tl::unexpected(sound.error());
  return shape;
}

/// "Qwen/Qwen3-8B" or the folder's name.
std::string model_name(const ConfigKeys& keys, const ModelType& type) {
  namespace fs = std::filesystem;
  const auto last_part = [](const fs::path& path) {
    const fs::path part = path.has_filename() ? path.filename() : path.parent_path().filename();
    return part == "." || part == ".." ? std::string() : part.string();
  };
  std::string name;
  if (const Json* from = keys.find("_name_or_path"); from != nullptr && from->is_string()) {
    name = last_part(fs::path(from->get<std::string>()));
  }
  std::error_code ignored;
  if (name.empty()) name = last_part(fs::absolute(keys.file(), ignored).lexically_normal().parent_path());
  if (name.empty()) name = type.name;
  return escape_control(shortened(name));
}

}  // namespace

Result<Model> model_from_config_json(std::string_view text, std::string_view file, TensorType quant) {
  const auto json = parse_json_object(text, file, "a config.json");
  if (!json) return tl::unexpected(json.error());
  const ConfigKeys keys(*json, file);
  const auto type = read_model_type(keys);
  if (!type) return tl::unexpected(type.error());
  const auto shape = read_shape(keys, **type);
  if (!shape) return tl::unexpected(shape.error());
  bool mlp_bias = false;
  bool attention_bias = false;
  if (auto done = keys.read("mlp_bias", mlp_bias, false); !done) return tl::unexpected(done.error());
  if (mlp_bias) return keys.wrong("mlp_bias", "networks with biases are not read", "false");
  if ((*type)->has_attention_bias) {
    if (auto done = keys.read("attention_bias", attention_bias, false); !done)
      return tl::unexpected(done.error());
  }

  auto model = make_model(file, *shape, quant);  // whose errors name the file so
  if (!model) return model;
  model->name = model_name(keys, **type);
  if (!attention_bias) return model;
  for (const TensorSlot& slot : tensor_slots(*model)) {
    if (slot.name.ends_with(".bias")) slot.store({TensorType::kF32, slot.extent.columns});
  }
  return model;
}

}  // namespace spanker
