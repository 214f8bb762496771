#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"

namespace spanker {

/// The whole of a small text file. Fails with kIo where it cannot be read or is a directory, with kBadInput
/// where it is longer than `max_bytes` or not valid UTF-8.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

/// Writes a file piece by piece so that a reader sees the old file or the whole new one: to a temporary file
/// in the same folder (its name and ".XXXXXX"), which takes the place of the old one in commit(). Until then
/// the old file is as it was. An object that is destroyed before, after a failure too, leaves nothing behind.
/// Every failure is kIo and names `path`. Move-only.
class AtomicFileWriter {
 public:
  /// What is there but is not a regular file is not replaced: that is a failure.
  static Result<AtomicFileWriter> create(const std::string& path);

  AtomicFileWriter(AtomicFileWriter&& other) noexcept;
  AtomicFileWriter& operator=(AtomicFileWriter&&) = delete;
  ~AtomicFileWriter();

  /// Takes the room of the whole file at once, so that a full disk is told before the work and not after it.
  /// `size` is what will have been written at commit(). Does nothing where the file system cannot.
  Result<void> reserve(Bytes size);
  /// Appends, without a buffer of its own.
  Result<void> write(std::span<const std::byte> bytes);
  /// Syncs and renames; nothing can be written after it.
  Result<void> commit();

 private:
  AtomicFileWriter(std::string path, std::string temporary, int descriptor);
  bool close();

  std::string path_;
  std::string temporary_;  // empty once there is none
  int descriptor_;
};

/// Writes `content` to `path` as AtomicFileWriter does.
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

  /// Lets the system have back the memory of the whole pages of `part` of bytes(). Whoever touches them again
  /// reads them from the file again.
  void release(std::span<const std::byte> part) const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace spanker
