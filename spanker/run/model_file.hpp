#pragma once

#include <string>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/model.hpp"
#include "spanker/run/model_rope.hpp"

namespace spanker {

/// A model that can be run: its GGUF files, mapped into memory, and what they say of it.
struct ModelFile {
  GgufFiles files;
  Model model;
  Rope rope;

  /// `path` is that of a GGUF file, or of any part of one that is split. Fails as GgufFiles::open,
  /// model_from_gguf and rope_of do, and with kBadInput naming the file and the tensor where the model is a
  /// mixture of experts or has weights of a type that weight_type_of refuses.
  static Result<ModelFile> open(const std::string& path);
};

}  // namespace spanker
