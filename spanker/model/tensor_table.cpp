#include "spanker/model/tensor_table.hpp"

#include <fmt/format.h>

#include <map>

namespace spanker {
namespace {

Extent vector(std::uint64_t elements) { return {TensorForm::kVector, elements}; }
Extent matrix(std::uint64_t columns, std::uint64_t rows, std::uint64_t matrices = 1) {
  return {TensorForm::kMatrix, columns, rows, matrices};
}

/// Calls visit(name, purpose, extent, presence, place) for every place of a model, const or not; `place` is a
/// Tensor or an optional Tensor. The one list of what tensors a model can have.
template <class SomeModel, class Visit>
void visit_places(SomeModel& model, Visit visit) {
  using enum TensorPurpose;
  using enum Presence;
  const ModelShape& shape = model.shape;
  const std::uint64_t hidden = shape.hidden_size;
  const std::uint64_t ffn = shape.intermediate_size;
  const std::uint64_t head = shape.head_dim;
  const std::uint64_t queries = shape.num_attention_heads * head;
  const std::uint64_t keys = shape.num_key_value_heads * head;
  const std::uint64_t vocabulary = shape.vocab_size;
  const Presence bias = shape.architecture == Architecture::kQwen2 ? kRequired : kOptional;
  const bool has_head_norms =
      shape.architecture == Architecture::kQwen3 || shape.architecture == Architecture::kQwen3Moe;
  const Presence head_norm = has_head_norms ? kRequired : kForbidden;
  const std::uint64_t experts = shape.experts();
  const Presence router = shape.num_experts > 0 ? kRequired : kForbidden;
  const std::string_view stack = shape.num_experts > 0 ? "_exps" : "";

  visit("token_embd.weight", kTokenEmbedding, matrix(hidden, vocabulary), kRequired, model.token_embedding);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    auto& layer = model.layers[i];
    const auto visit_in_layer = [&](std::string_view name, auto&&... rest) {
      visit(fmt::format("blk.{}.{}", i, name), rest...);
    };
    visit_in_layer("attn_norm.weight", kNorm, vector(hidden), kRequired, layer.attention_norm);
    visit_in_layer("attn_q.weight", kAttention, matrix(hidden, queries), kRequired, layer.query);
    visit_in_layer("attn_k.weight", kAttention, matrix(hidden, keys), kRequired, layer.key);
    visit_in_layer("attn_v.weight", kAttention, matrix(hidden, keys), kRequired, layer.value);
    visit_in_layer("attn_output.weight", kAttention, matrix(queries, hidden), kRequired,
                   layer.attention_output);
    visit_in_layer("attn_q.bias", kAttention, vector(queries), bias, layer.query_bias);
    visit_in_layer("attn_k.bias", kAttention, vector(keys), bias, layer.key_bias);
    visit_in_layer("attn_v.bias", kAttention, vector(keys), bias, layer.value_bias);
    visit_in_layer("attn_output.bias", kAttention, vector(hidden), kOptional, layer.attention_output_bias);
    visit_in_layer("attn_q_norm.weight", kNorm, vector(head), head_norm, layer.query_norm);
    visit_in_layer("attn_k_norm.weight", kNorm, vector(head), head_norm, layer.key_norm);
    visit_in_layer("ffn_norm.weight", kNorm, vector(hidden), kRequired, layer.ffn_norm);
    visit_in_layer("ffn_gate_inp.weight", kFfn, Extent{TensorForm::kRouter, hidden, experts}, router,
                   layer.router);
    visit_in_layer(fmt::format("ffn_gate{}.weight", stack), kFfn, matrix(hidden, ffn, experts), kRequired,
                   layer.gate);
    visit_in_layer(fmt::format("ffn_up{}.weight", stack), kFfn, matrix(hidden, ffn, experts), kRequired,
                   layer.up);
    visit_in_layer(fmt::format("ffn_down{}.weight", stack), kFfn, matrix(ffn, hidden, experts), kRequired,
                   layer.down);
  }
  visit("output_norm.weight", kNorm, vector(hidden), kRequired, model.output_norm);
  visit("output.weight", kOutput, matrix(hidden, vocabulary),
        shape.tie_word_embeddings ? kForbidden : kRequired, model.output);
  visit("rope_freqs.weight", kAttention, vector(head / 2), kOptional, model.rope_frequencies);
}

const Tensor* present(const Tensor& tensor) { return &tensor; }
const Tensor* present(const std::optional<Tensor>& tensor) { return tensor ? &*tensor : nullptr; }

void point_at(TensorSlot& slot, Tensor& place) { slot.tensor = &place; }
void point_at(TensorSlot& slot, std::optional<Tensor>& place) { slot.optional_tensor = &place; }

}  // namespace

std::string_view to_string(TensorPurpose purpose) {
  switch (purpose) {
    case TensorPurpose::kTokenEmbedding:
      return "token embedding";
    case TensorPurpose::kAttention:
      return "attention";
    case TensorPurpose::kFfn:
      return "ffn";
    case TensorPurpose::kNorm:
      return "norms";
    case TensorPurpose::kOutput:
      return "output";
  }
  return {};
}

std::vector<NamedTensor> named_tensors(const Model& model) {
  std::vector<NamedTensor> tensors;
  visit_places(model, [&](std::string name, TensorPurpose purpose, Extent, Presence, const auto& place) {
    if (const Tensor* tensor = present(place)) tensors.push_back({std::move(name), purpose, *tensor});
  });
  return tensors;
}

Result<Tensor> stored_as(const Extent& extent, TensorType type, std::string_view where) {
  const bool is_vector = extent.form == TensorForm::kVector;
  const bool plain_float = type == TensorType::kF32 || type == TensorType::kF16;
  if (is_vector ? !plain_float : !can_store_weights(type)) {
    return bad_input(std::string(where), "wrong type",
                     is_vector ? "f32 or f16" : "a floating-point or quantised type",
                     std::string(to_string(type)));
  }
  const std::uint32_t block = block_shape(type).elements;
  if (extent.columns % block != 0) {
    return bad_input(std::string(where), fmt::format("cannot be stored as {}", to_string(type)),
                     fmt::format("columns a multiple of {}", block),
                     fmt::format("{} columns", extent.columns));
  }
  return Tensor{type, extent.columns, extent.rows, extent.matrices};
}

Model empty_model(std::string_view name, const ModelShape& shape) {
  Model model;
  model.name = name;
  model.shape = shape;
  model.layers.resize(shape.num_hidden_layers);
  for (LayerTensors& layer : model.layers) layer.experts_per_token = shape.experts_per_token();
  return model;
}

std::vector<TensorSlot> tensor_slots(Model& model) {
  std::vector<TensorSlot> slots;
  visit_places(model, [&](std::string name, TensorPurpose, Extent extent, Presence presence, auto& place) {
    slots.push_back({std::move(name), extent, presence});
    point_at(slots.back(), place);
  });
  return slots;
}

std::vector<TensorGroup> tensor_groups(const Model& model) {
  std::map<TensorPurpose, std::map<TensorType, TypeTotal>> totals;
  for (const NamedTensor& named : named_tensors(model)) {
    const TensorType type = named.tensor.type;
    TypeTotal& total = totals[named.purpose].try_emplace(type, TypeTotal{type, 0, 0, Bytes(0)}).first->second;
    ++total.tensors;
    total.elements += named.tensor.elements();
    total.bytes += named.tensor.bytes();
  }
  std::vector<TensorGroup> groups;
  for (const auto& [purpose, by_type] : totals) {
    groups.push_back({to_string(purpose), {}});
    for (const auto& [type, total] : by_type) groups.back().types.push_back(total);
  }
  return groups;
}

}  // namespace spanker
