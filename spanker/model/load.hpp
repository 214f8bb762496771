#pragma once

#include <optional>
#include <string>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The model named by MODEL on a command line: a preset's name, or a path to a GGUF file (what contains a '/'
/// or ends in ".gguf" is a path). A preset's matrices are stored as `quant` (q4_0 where absent), its vectors
/// as F32; `quant` with a GGUF is an error, since the file says how it is stored. kIo where a file cannot be
/// read, kBadInput otherwise.
Result<Model> load_model(const std::string& preset_or_path, std::optional<TensorType> quant);

}  // namespace spanker
