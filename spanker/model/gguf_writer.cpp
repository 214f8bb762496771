#include "spanker/model/gguf_writer.hpp"

#include <fmt/format.h>

#include "spanker/model/gguf.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void append_string(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out += text;
}

void append_key(std::string& out, std::string_view key, GgufType type) {
  append_string(out, key);
  append(out, type);
}

template <class T>
void append_array(std::string& out, std::string_view key, GgufType type, std::span<const T> values) {
  append_key(out, key, GgufType::kArray);
  append(out, type);
  append(out, std::uint64_t{values.size()});
  for (const T value : values) append(out, value);
}

}  // namespace

std::uint64_t gguf_padded(std::uint64_t bytes) {
  return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
}

void GgufWriter::put_uint32(std::string_view key, std::uint32_t value) {
  append_key(metadata_, key, GgufType::kUint32);
  append(metadata_, value);
  ++metadata_count_;
}

void GgufWriter::put_float32(std::string_view key, float value) {
  append_key(metadata_, key, GgufType::kFloat32);
  append(metadata_, value);
  ++metadata_count_;
}

void GgufWriter::put_bool(std::string_view key, bool value) {
  append_key(metadata_, key, GgufType::kBool);
  append(metadata_, static_cast<std::uint8_t>(value));
  ++metadata_count_;
}

void GgufWriter::put_string(std::string_view key, std::string_view value) {
  append_key(metadata_, key, GgufType::kString);
  append_string(metadata_, value);
  ++metadata_count_;
}

void GgufWriter::put_strings(std::string_view key, std::span<const std::string> values) {
  append_key(metadata_, key, GgufType::kArray);
  append(metadata_, GgufType::kString);
  append(metadata_, std::uint64_t{values.size()});
  for (const std::string& value : values) append_string(metadata_, value);
  ++metadata_count_;
}

void GgufWriter::put_float32s(std::string_view key, std::span<const float> values) {
  append_array(metadata_, key, GgufType::kFloat32, values);
  ++metadata_count_;
}

void GgufWriter::put_int32s(std::string_view key, std::span<const std::int32_t> values) {
  append_array(metadata_, key, GgufType::kInt32, values);
  ++metadata_count_;
}

void GgufWriter::put_tensor(std::string_view name, const Tensor& tensor) {
  append_string(tensor_infos_, name);
  const std::uint64_t dimensions[] = {tensor.columns, tensor.rows, tensor.matrices};
  const std::uint32_t count = tensor.matrices != 1 ? 3 : tensor.rows != 1 ? 2 : 1;
  append(tensor_infos_, count);
  for (const std::uint64_t dimension : std::span(dimensions).first(count)) append(tensor_infos_, dimension);
  append(tensor_infos_, tensor.type);
  append(tensor_infos_, data_bytes_);
  data_bytes_ += gguf_padded(tensor.bytes().value);
  ++tensor_count_;
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  append(out, std::uint32_t{3});
  append(out, tensor_count_);
  append(out, metadata_count_);
  out += metadata_;
  out += tensor_infos_;
  out.resize(gguf_padded(out.size()), '\0');
  return out;
}

std::uint64_t GgufWriter::file_bytes() const { return header().size() + data_bytes_; }

void put_keys(GgufWriter& writer, const Model& model) {
  const ModelShape& shape = model.shape;
  const std::string_view architecture =
      to_string(shape.architecture == Architecture::kMistral ? Architecture::kLlama : shape.architecture);
  const auto key = [&](std::string_view name) { return fmt::format("{}.{}", architecture, name); };
  writer.put_string("general.architecture", architecture);
  writer.put_string("general.name", model.name);
  writer.put_uint32(key("block_count"), shape.num_hidden_layers);
  writer.put_uint32(key("context_length"), shape.max_position_embeddings);
  writer.put_uint32(key("embedding_length"), shape.hidden_size);
  const bool own_key = shape.architecture == Architecture::kQwen3Moe;
  writer.put_uint32(key(own_key ? "expert_feed_forward_length" : "feed_forward_length"),
                    shape.intermediate_size);
  if (shape.num_experts > 0) {
    writer.put_uint32(key("expert_count"), shape.num_experts);
    writer.put_uint32(key("expert_used_count"), shape.num_experts_per_tok);
  }
  writer.put_uint32(key("attention.head_count"), shape.num_attention_heads);
  writer.put_uint32(key("attention.head_count_kv"), shape.num_key_value_heads);
  writer.put_uint32(key("attention.key_length"), shape.head_dim);
  writer.put_uint32(key("attention.value_length"), shape.head_dim);
  writer.put_float32(key("attention.layer_norm_rms_epsilon"), static_cast<float>(shape.rms_norm_eps));
  writer.put_uint32(key("rope.dimension_count"), shape.head_dim);
  writer.put_float32(key("rope.freq_base"), static_cast<float>(shape.rope_theta));
  writer.put_uint32(key("vocab_size"), shape.vocab_size);
}

void put_model(GgufWriter& writer, const Model& model) {
  put_keys(writer, model);
  for (const NamedTensor& named : named_tensors(model)) writer.put_tensor(named.name, named.tensor);
}

}  // namespace spanker
