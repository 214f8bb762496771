#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/base/result.hpp"
#include "spanker/model/gguf.hpp"

namespace spanker {

/// A tensor and the file that holds it.
struct PlacedTensor {
  const GgufFile* file;
  const GgufTensor* tensor;

  /// Its stored bytes, in place.
  std::span<const std::byte> data() const { return file->data(*tensor); }
};

/// All the files of one model: one, or the parts that llama.cpp's gguf-split makes of it. Each part says
/// split.no (from 0), split.count and split.tensors.count (of all parts); the first has all other keys. On
/// disk part 0 of 3 is PREFIX-00001-of-00003.gguf. Move-only.
class GgufFiles {
 public:
  /// Maps and parses the file, and where it is a part, any, all the others beside it. Fails as
  /// MappedFile::open, GgufFile::parse and join do, and with kBadInput where a part's name does not say which
  /// part it is.
  static Result<GgufFiles> open(const std::string& path);

  /// Of all parts, at least one, in order; their bytes must outlive the result. Fails with kBadInput naming
  /// the file and the key or tensor: parts that are missing, repeated or in disorder, that disagree on a
  /// count, that have a tensor twice, or not as many as they say.
  static Result<GgufFiles> join(std::vector<GgufFile> parts);

  GgufFiles(GgufFiles&&) = default;
  GgufFiles& operator=(GgufFiles&&) = default;

  const std::vector<GgufFile>& parts() const { return parts_; }
  /// The part whose keys describe the model.
  const GgufFile& metadata() const { return parts_.front(); }
  /// Null where no part has one of that name.
  const PlacedTensor* find_tensor(std::string_view name) const;

  /// MappedFile::release, where the files were opened here; nothing where their bytes are the caller's.
  void release(std::span<const std::byte> part) const;

 private:
  explicit GgufFiles(std::vector<GgufFile> parts) : parts_(std::move(parts)) {}

  std::vector<MappedFile> mapped_;
  std::vector<GgufFile> parts_;
  std::map<std::string_view, PlacedTensor> tensors_;  // keys lie in parts_
};

}  // namespace spanker
