#pragma once

#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The model that Hugging Face's config.json describes: model_type llama, mistral, mixtral, qwen2, qwen3 or
/// qwen3_moe (docs/models.md lists the keys and what holds where one is missing). Matrices stored as `quant`,
/// norms, biases and routers as F32, whatever torch_dtype and quantization_config say. `file` is the path of
/// the text; its folder gives the name where the text has none. Fails with kBadInput naming the file and the
/// byte or key: no JSON object, a key twice, values nested too deeply, missing or wrong values, another
/// model_type, biases of the network, layers that are dense beside mixtures of experts, a shape that cannot
/// be, and where make_model does.
Result<Model> model_from_config_json(std::string_view text, std::string_view file, TensorType quant);

}  // namespace spanker
