#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "spanker/base/result.hpp"

namespace spanker {

/// The whole of a small text file. Fails with kIo where it cannot be read or is a directory, with kBadInput
/// where it is longer than `max_bytes` or not valid UTF-8.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

/// Writes `content` to `path` so that a reader sees the old file or the whole new one: to a temporary file in
/// the same folder, synced, then renamed. On failure (kIo) the old file is as it was and the temporary one is
/// gone. What is there but is not a regular file is not replaced: that is a failure.
Result<void> write_file_atomically(const std::string& path, std::string_view content);

/// A file mapped into memory, read-only, for as long as the object lives. Move-only.
class MappedFile {
 public:
  /// Fails with kIo where the file cannot be opened or mapped, or is not a regular file. An empty file maps
  /// to no bytes.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace spanker
