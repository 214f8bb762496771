#pragma once

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The model that GGUF files hold: architectures llama (Mixtral too), mistral, qwen2, qwen3 and qwen3moe
/// (docs/models.md lists the keys and tensors). Every tensor's presence and dimensions are checked against
/// the shape. Fails with kBadInput naming the file and the key or tensor: another architecture, shared
/// experts, layers that are dense beside such with experts, fused q/k/v, a missing,
/// unexpected or wrongly shaped tensor, a shape that cannot be.
Result<Model> model_from_gguf(const GgufFiles& files);

}  // namespace spanker
