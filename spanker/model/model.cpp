#include "spanker/model/model.hpp"

#include <algorithm>

#include "spanker/model/tensor_table.hpp"

namespace spanker {

std::string_view to_string(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
      return "llama";
    case Architecture::kMistral:
      return "mistral";
    case Architecture::kQwen2:
      return "qwen2";
    case Architecture::kQwen3:
      return "qwen3";
    case Architecture::kQwen3Moe:
      return "qwen3moe";
  }
  return {};
}

Bytes Tensor::row_bytes() const {
  const BlockShape block = block_shape(type);
  return Bytes(columns / block.elements * block.bytes);
}

std::uint64_t parameter_count(const Model& model) {
  std::uint64_t count = 0;
  for (const NamedTensor& named : named_tensors(model)) count += named.tensor.elements();
  return count;
}

Bytes weight_bytes(const Model& model) {
  Bytes bytes;
  for (const NamedTensor& named : named_tensors(model)) bytes += named.tensor.bytes();
  return bytes;
}

namespace {

/// Read for a token of a tensor, or of a stack of experts: no token uses more than one matrix of what is no
/// stack.
Bytes read_bytes(const Model& model, const Tensor& tensor) {
  return tensor.matrix_bytes() * std::min<std::uint64_t>(tensor.matrices, model.shape.experts_per_token());
}

}  // namespace

Bytes decode_weight_bytes(const Model& model) {
  Bytes bytes = model.token_embedding.row_bytes();
  for (const NamedTensor& named : named_tensors(model)) {
    const bool looked_up_only = named.purpose == TensorPurpose::kTokenEmbedding && model.output.has_value();
    if (looked_up_only) continue;
    bytes += read_bytes(model, named.tensor);
  }
  return bytes;
}

Bytes decode_layer_bytes(const Model& model) {
  Bytes bytes;
  for (const NamedTensor& named : named_tensors(model)) {
    if (named.name.starts_with("blk.")) bytes += read_bytes(model, named.tensor);
  }
  return Bytes(bytes.value / std::max<std::size_t>(1, model.layers.size()));
}

}  // namespace spanker
