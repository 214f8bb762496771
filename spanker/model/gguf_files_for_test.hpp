#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spanker/model/gguf_files.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker::testing {

/// A whole model in one file of these bytes, which must outlive it.
inline Result<GgufFiles> one_gguf(std::span<const std::byte> bytes, std::string name) {
  auto file = GgufFile::parse(bytes, std::move(name));
  if (!file) return tl::unexpected(file.error());
  return GgufFiles::join({*file});
}

/// What the writer says, and zeros as the tensors' data.
inline std::string whole_file(const GgufWriter& writer) {
  std::string bytes = writer.header();
  bytes.resize(writer.file_bytes());
  return bytes;
}

inline std::string gguf_of(const Model& model) {
  GgufWriter writer;
  put_model(writer, model);
  return whole_file(writer);
}

/// The same in `count` parts, as gguf-split makes them: about as many tensors in each.
inline std::vector<std::string> split_gguf_of(const Model& model, std::uint32_t count) {
  const std::vector<NamedTensor> tensors = named_tensors(model);
  std::vector<std::string> parts;
  for (std::uint32_t no = 0; no < count; ++no) {
    GgufWriter writer;
    if (no == 0) put_keys(writer, model);
    writer.put_uint32("split.no", no);
    writer.put_uint32("split.count", count);
    writer.put_uint32("split.tensors.count", static_cast<std::uint32_t>(tensors.size()));
    for (std::size_t i = tensors.size() * no / count; i < tensors.size() * (no + 1) / count; ++i) {
      writer.put_tensor(tensors[i].name, tensors[i].tensor);
    }
    parts.push_back(whole_file(writer));
  }
  return parts;
}

}  // namespace spanker::testing
