#include "spanker/run/model_file.hpp"

#include <fmt/format.h>

#include "spanker/model/gguf_model.hpp"
#include "spanker/model/tensor_table.hpp"
#include "spanker/run/weight_tensor.hpp"

namespace spanker {
namespace {

Result<void> check_runnable(const GgufFiles& files, const Model& model) {
  if (model.shape.num_experts > 0) {
    return bad_input(files.metadata().name(), "mixtures of experts cannot be run", "a dense model",
                     fmt::format("{} experts", model.shape.num_experts));
  }
  for (const NamedTensor& named : named_tensors(model)) {
    const std::string& file = files.find_tensor(named.name)->file->name();
    const auto type = weight_type_of(named.tensor.type, fmt::format("{}: tensor {}", file, named.name));
    if (!type) return tl::unexpected(type.error());
  }
  return {};
}

}  // namespace

Result<ModelFile> ModelFile::open(const std::string& path) {
  auto files = GgufFiles::open(path);
  if (!files) return tl::unexpected(files.error());
  auto model = model_from_gguf(*files);
  if (!model) return tl::unexpected(model.error());
  if (auto sound = check_runnable(*files, *model); !sound) return tl::unexpected(sound.error());
  auto rope = rope_of(*files, *model);
  if (!rope) return tl::unexpected(rope.error());
  return ModelFile{std::move(*files), std::move(*model), std::move(*rope)};
}

}  // namespace spanker
