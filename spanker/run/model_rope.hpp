#pragma once

#include "spanker/base/result.hpp"
#include "spanker/kernels/rope.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The rotary embedding of a model: of adjacent elements in llama and mistral, for which converters have
/// ordered the rows of the query and key matrices; of halves in qwen2 and qwen3. With rope_freqs.weight as
/// factors where there is one, and the linear scaling (A.rope.scaling.factor, or A.rope.scale_linear in older
/// files) that the file tells. Fails with kBadInput naming the file and the key or tensor where there is
/// another scaling than a linear one, and as Rope::make does.
Result<Rope> rope_of(const GgufFiles& files, const Model& model);

}  // namespace spanker
