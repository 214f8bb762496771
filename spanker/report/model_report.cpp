#include "spanker/report/model_report.hpp"

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/graph/operators.hpp"
#include "spanker/model/model_json.hpp"
#include "spanker/model/tensor_table.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

double bits_per_weight(Bytes bytes, std::uint64_t elements) {
  return 8.0 * static_cast<double>(bytes.value) / static_cast<double>(elements);
}

}  // namespace

std::string to_json(const Model& model, TensorType kv_type) {
  nlohmann::ordered_json groups = nlohmann::ordered_json::array();
  for (const TensorGroup& group : tensor_groups(model)) {
    for (const TypeTotal& total : group.types) {
      groups.push_back({{"group", group.name},
                        {"type", to_string(total.type)},
                        {"tensors", total.tensors},
                        {"elements", total.elements},
                        {"bytes", total.bytes.value}});
    }
  }
  return as_document({{"schema", "spanker.model/1"},
                      {"model", model_json(model, kv_type)},
                      {"shape", shape_json(model.shape)},
                      {"quantisation", groups}});
}

std::string to_text(const Model& model, TensorType kv_type, const Style& style) {
  const ModelShape& shape = model.shape;
  std::string text = style.bold(escape_control(model.name)) +
                     fmt::format(" ({}, {:.3g} billion parameters)\n\n", to_string(shape.architecture),
                                 static_cast<double>(parameter_count(model)) / 1e9);
  Table sizes({{"", Align::kLeft}, {"", Align::kRight}});
  sizes.add({"num_hidden_layers", std::to_string(shape.num_hidden_layers)});
  sizes.add({"hidden_size", std::to_string(shape.hidden_size)});
  sizes.add({"intermediate_size", std::to_string(shape.intermediate_size)});
  sizes.add({"num_attention_heads", std::to_string(shape.num_attention_heads)});
  sizes.add({"num_key_value_heads", std::to_string(shape.num_key_value_heads)});
  sizes.add({"head_dim", std::to_string(shape.head_dim)});
  sizes.add({"vocab_size", std::to_string(shape.vocab_size)});
  sizes.add({"max_position_embeddings", std::to_string(shape.max_position_embeddings)});
  sizes.add({"rms_norm_eps", fmt::format("{:g}", shape.rms_norm_eps)});
  sizes.add({"rope_theta", fmt::format("{:g}", shape.rope_theta)});
  sizes.add({"tie_word_embeddings", shape.tie_word_embeddings ? "true" : "false"});
  if (shape.num_experts > 0) {
    sizes.add({"num_experts", std::to_string(shape.num_experts)});
    sizes.add({"num_experts_per_tok", std::to_string(shape.num_experts_per_tok)});
  }
  text += style.bold("Shape") + "\n" + sizes.to_string(style) + "\n";

  Table groups({{"group", Align::kLeft},
                {"type", Align::kLeft},
                {"tensors", Align::kRight},
                {"stored", Align::kRight},
                {"bits per weight", Align::kRight}});
  for (const TensorGroup& group : tensor_groups(model)) {
    for (const TypeTotal& total : group.types) {
      groups.add({std::string(group.name), std::string(to_string(total.type)), std::to_string(total.tensors),
                  format(total.bytes), fmt::format("{:.4g}", bits_per_weight(total.bytes, total.elements))});
    }
  }
  text += style.bold("Quantisation") + "\n" + groups.to_string(style) + "\n";

  Table bytes({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  const auto exact = [](Bytes count) { return fmt::format("{} bytes", count.value); };
  bytes.add({"stored", format(weight_bytes(model)), exact(weight_bytes(model))});
  bytes.add(
      {"read per decoded token", format(decode_weight_bytes(model)), exact(decode_weight_bytes(model))});
  bytes.add({fmt::format("KV cache per position ({})", to_string(kv_type)),
             format(kv_bytes_per_token(shape, kv_type)), exact(kv_bytes_per_token(shape, kv_type))});
  return text + style.bold("Bytes") + "\n" + bytes.to_string(style);
}

}  // namespace spanker
