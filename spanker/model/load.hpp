#pragma once

#include <optional>
#include <string>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The model named by MODEL on a command line: a preset's name, or a path (what contains a '/' or ends in
/// ".gguf" or ".json"). A path that ends in ".json" is a config.json, one of a folder means the config.json
/// in it, and any other is a GGUF file, or any part of one that is split. The matrices of a preset and of a
/// config.json are stored as `quant` (q4_0 where absent), their vectors as F32; `quant` with a GGUF is an
/// error, since the file says how it is stored. kIo where a file cannot be read, kBadInput otherwise.
Result<Model> load_model(const std::string& preset_or_path, std::optional<TensorType> quant);

}  // namespace spanker
