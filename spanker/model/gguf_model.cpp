#include "spanker/model/gguf_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "spanker/base/text.hpp"
#include "spanker/model/shape.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

Result<Architecture> read_architecture(const GgufFile& file) {
  const auto name = file.string("general.architecture");
  if (!name) return tl::unexpected(name.error());
  for (const auto known : {Architecture::kLlama, Architecture::kMistral, Architecture::kQwen2,
                           Architecture::kQwen3, Architecture::kQwen3Moe}) {
    if (*name == to_string(known)) return known;
  }
  return bad_input(fmt::format("{}: general.architecture", file.name()), "architecture is not read",
                   "llama, mistral, qwen2, qwen3 or qwen3moe", fmt::format("\"{}\"", *name));
}

/// The keys of one architecture.
class Keys {
 public:
  Keys(const GgufFile& file, std::string_view architecture) : file_(file), architecture_(architecture) {}

  std::string name(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }
  bool has(std::string_view key) const { return file_.find(name(key)) != nullptr; }

  /// Into `field`; `fallback` where the key is missing.
  Result<void> read(std::string_view key, std::uint32_t& field, std::uint32_t fallback) const {
    field = fallback;
    return has(key) ? read(key, field) : Result<void>();
  }
  Result<void> read(std::string_view key, std::uint32_t& field) const {
    return store(file_.uint32(name(key)), field);
  }
  Result<void> read(std::string_view key, double& field, double fallback) const {
    field = fallback;
    return has(key) ? read(key, field) : Result<void>();
  }
  Result<void> read(std::string_view key, double& field) const {
    return store(file_.number(name(key)), field);
  }

  /// A number, or an array of one number for each layer, all the same.
  Result<void> read_alike(std::string_view key, std::uint32_t layers, std::uint32_t& field) const {
    const GgufValue* value = file_.find(name(key));
    if (value == nullptr || value->type != GgufType::kArray) return read(key, field);
    const auto counts = file_.integers(name(key));
    if (!counts) return tl::unexpected(counts.error());
    if (counts->size() != layers) {
      return wrong(key, "array of a wrong length", fmt::format("one number for each of {} layers", layers),
                   std::to_string(counts->size()));
    }
    if (std::ranges::adjacent_find(*counts, std::ranges::not_equal_to()) != counts->end()) {
      return wrong(key, "layers that differ are not read", "the same number for all layers",
                   "different ones");
    }
    if (counts->empty() || counts->front() < 0 || counts->front() > UINT32_MAX) {
      return wrong(key, "number out of range", fmt::format("0 to {}", UINT32_MAX),
                   counts->empty() ? "none" : std::to_string(counts->front()));
    }
    field = static_cast<std::uint32_t>(counts->front());
    return {};
  }

  Failure wrong(std::string_view key, std::string what, std::string wanted, std::string got) const {
    return bad_input(fmt::format("{}: {}", file_.name(), name(key)), std::move(what), std::move(wanted),
                     std::move(got));
  }

 private:
  template <class T>
  static Result<void> store(const Result<T>& value, T& field) {
    if (!value) return tl::unexpected(value.error());
    field = *value;
    return {};
  }

  const GgufFile& file_;
  std::string_view architecture_;
};

Result<void> read_head_dim(const Keys& keys, ModelShape& shape) {
  if (!keys.has("attention.key_length")) {
    // Zero heads are refused with the rest of the shape.
    const std::uint32_t heads = std::max(shape.num_attention_heads, 1u);
    if (shape.hidden_size % heads != 0) {
      return keys.wrong("attention.head_count",
                        "embedding_length is not a multiple of it, and there is no key_length",
                        fmt::format("a divisor of {}", shape.hidden_size), std::to_string(heads));
    }
    shape.head_dim = shape.hidden_size / heads;
  } else if (auto done = keys.read("attention.key_length", shape.head_dim); !done) {
    return done;
  }
  // Heads that differ in the two lengths, or are rotated in part, belong to architectures that are not read.
  for (const std::string_view key : {"attention.value_length", "rope.dimension_count"}) {
    std::uint32_t length = 0;
    if (auto done = keys.read(key, length, shape.head_dim); !done) return done;
    if (length != shape.head_dim) {
      return keys.wrong(key, "differs from the key length", std::to_string(shape.head_dim),
                        std::to_string(length));
    }
  }
  return {};
}

Result<void> read_vocab_size(const GgufFiles& files, const Keys& keys, ModelShape& shape) {
  const GgufFile& file = files.metadata();
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  if (keys.has("vocab_size")) return keys.read("vocab_size", shape.vocab_size);
  std::uint64_t size = 0;
  if (file.find(kTokens) != nullptr) {
    const auto tokens = file.array_length(kTokens);
    if (!tokens) return tl::unexpected(tokens.error());
    size = *tokens;
  } else if (const PlacedTensor* table = files.find_tensor("token_embd.weight");
             table != nullptr && table->tensor->dimensions.size() > 1) {
    size = table->tensor->dimensions[1];
  }
  shape.vocab_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, UINT32_MAX));
  return {};
}

/// Experts, and the width of one, or of the network of a dense layer.
Result<void> read_ffn(const Keys& keys, ModelShape& shape) {
  if (auto done = keys.read("expert_count", shape.num_experts, 0); !done) return done;
  if (shape.num_experts > 0) {
    if (auto done = keys.read("expert_used_count", shape.num_experts_per_tok); !done) return done;
  }
  for (const std::string_view key : {"expert_shared_count", "leading_dense_block_count"}) {
    std::uint32_t count = 0;
    if (auto done = keys.read(key, count, 0); !done) return done;
    if (count > 0) {
      return keys.wrong(key, "layers that are more than one mixture of experts are not read", "0",
                        std::to_string(count));
    }
  }
  // In qwen3moe, feed_forward_length is the width of dense layers, of which there are none.
  const bool own_key = shape.architecture == Architecture::kQwen3Moe;
  return keys.read_alike(own_key ? "expert_feed_forward_length" : "feed_forward_length",
                         shape.num_hidden_layers, shape.intermediate_size);
}

Result<ModelShape> read_shape(const GgufFiles& files, Architecture architecture) {
  const GgufFile& file = files.metadata();
  ModelShape shape;
  shape.architecture = architecture;
  const Keys keys(file, to_string(architecture));
  const auto read = [&]() -> Result<void> {
    if (auto done = keys.read("block_count", shape.num_hidden_layers); !done) return done;
    if (auto done = keys.read("embedding_length", shape.hidden_size); !done) return done;
    if (auto done = keys.read("context_length", shape.max_position_embeddings); !done) return done;
    const std::uint32_t layers = shape.num_hidden_layers;
    if (auto done = read_ffn(keys, shape); !done) return done;
    if (auto done = keys.read_alike("attention.head_count", layers, shape.num_attention_heads); !done)
      return done;
    shape.num_key_value_heads = shape.num_attention_heads;
    if (keys.has("attention.head_count_kv")) {
      auto done = keys.read_alike("attention.head_count_kv", layers, shape.num_key_value_heads);
      if (!done) return done;
    }
    if (auto done = keys.read("attention.layer_norm_rms_epsilon", shape.rms_norm_eps); !done) return done;
    if (auto done = keys.read("rope.freq_base", shape.rope_theta, 10000.0); !done) return done;
    if (auto done = read_head_dim(keys, shape); !done) return done;
    return read_vocab_size(files, keys, shape);
  };
  if (auto done = read(); !done) return tl::unexpected(done.error());
  shape.tie_word_embeddings = files.find_tensor("output.weight") == nullptr;
  if (auto sound = check_shape(shape, file.name()); !sound) return tl::unexpected(sound.error());
  return shape;
}

std::string model_name(const GgufFile& file) {
  const auto name = file.string("general.name");
  if (name && !name->empty()) return escape_control(*name);
  return escape_control(std::filesystem::path(file.name()).stem().string());
}

std::string at(const GgufFile& file, std::string_view tensor) {
  return fmt::format("{}: tensor {}", file.name(), tensor);
}

Failure unexpected_tensor(const GgufFile& file, std::string_view name, bool has_experts) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has("attn_qkv")) {
    return bad_input(at(file, name), "fused query, key and value tensors are not read",
                     "separate attn_q, attn_k and attn_v");
  }
  if (has("_shexp")) return bad_input(at(file, name), "shared experts are not read", "routed experts alone");
  const bool of_ffn = has(".ffn_gate.") || has(".ffn_up.") || has(".ffn_down.");
  if (has_experts && of_ffn && name.ends_with(".weight")) {
    // "blk.0.ffn_gate.7.weight" was written before experts were stacked, "blk.0.ffn_gate.weight" is dense.
    const bool one_expert = std::ranges::count(name, '.') == 4;
    return bad_input(at(file, name),
                     one_expert ? "experts in a tensor each are not read"
                                : "dense layers beside mixtures of experts are not read",
                     "all experts of a layer in ffn_gate_exps, ffn_up_exps and ffn_down_exps");
  }
  return bad_input(at(file, name), "tensor does not belong to the model that the file's keys describe");
}

/// That there is no tensor but those of the slots.
Result<void> check_names(const GgufFiles& files, const std::vector<TensorSlot>& slots, bool has_experts) {
  std::set<std::string_view> expected;
  for (const TensorSlot& slot : slots) {
    if (slot.presence != Presence::kForbidden) expected.insert(slot.name);
  }
  for (const GgufFile& file : files.parts()) {
    for (const GgufTensor& tensor : file.tensors()) {
      if (!expected.contains(tensor.name)) return unexpected_tensor(file, tensor.name, has_experts);
    }
  }
  return {};
}

bool has_dimensions(const GgufTensor& tensor, const Extent& extent) {
  const std::uint64_t wanted[] = {extent.columns, extent.rows, extent.matrices, 1};
  for (std::size_t i = 0; i < std::size(wanted); ++i) {
    // Trailing dimensions of 1 say nothing.
    const std::uint64_t dimension = i < tensor.dimensions.size() ? tensor.dimensions[i] : 1;
    if (dimension != wanted[i]) return false;
  }
  return true;
}

std::string to_string(const Extent& extent) {
  if (extent.form == TensorForm::kVector) return std::to_string(extent.columns);
  std::string text = fmt::format("{} x {}", extent.columns, extent.rows);
  return extent.matrices == 1 ? text : fmt::format("{} x {}", text, extent.matrices);
}

Result<Tensor> read_tensor(const PlacedTensor& placed, const Extent& extent) {
  const auto& [file, tensor] = placed;
  const std::string where = at(*file, tensor->name);
  if (!has_dimensions(*tensor, extent)) {
    return bad_input(where, "wrong dimensions", to_string(extent),
                     fmt::format("{}", fmt::join(tensor->dimensions, " x ")));
  }
  return stored_as(extent, tensor->type, where);
}

}  // namespace

Result<Model> model_from_gguf(const GgufFiles& files) {
  const auto architecture = read_architecture(files.metadata());
  if (!architecture) return tl::unexpected(architecture.error());
  const auto shape = read_shape(files, *architecture);
  if (!shape) return tl::unexpected(shape.error());

  Model model = empty_model(model_name(files.metadata()), *shape);
  const std::vector<TensorSlot> slots = tensor_slots(model);
  if (auto known = check_names(files, slots, shape->num_experts > 0); !known)
    return tl::unexpected(known.error());
  for (const TensorSlot& slot : slots) {
    const PlacedTensor* placed = files.find_tensor(slot.name);
    if (placed == nullptr) {
      if (slot.presence != Presence::kRequired) continue;
      return bad_input(at(files.metadata(), slot.name), "tensor is missing", to_string(slot.extent));
    }
    const auto tensor = read_tensor(*placed, slot.extent);
    if (!tensor) return tl::unexpected(tensor.error());
    slot.store(*tensor);
  }
  return model;
}

}  // namespace spanker
