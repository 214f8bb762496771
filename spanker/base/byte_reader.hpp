#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "spanker/base/result.hpp"

namespace spanker {

static_assert(std::endian::native == std::endian::little, "files are little-endian and are read in place");

/// Reads little-endian values from bytes that may be wrong. Every read is checked against what is left and
/// fails with kBadInput that names the file, the offset and the thing wanted; after a failure the position is
/// unchanged.
class ByteReader {
 public:
  /// `file` is named in errors. Both must outlive the reader.
  ByteReader(std::span<const std::byte> bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }

  /// A number; `what` names it in the error. Not a bool: a byte that is neither 0 nor 1 would be none.
  template <class T>
  requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) Result<T> read(std::string_view what) {
    auto raw = read_bytes(sizeof(T), what);
    if (!raw) return tl::unexpected(raw.error());
    T value;
    std::memcpy(&value, raw->data(), sizeof(T));
    return value;
  }

  /// `count` bytes, in place.
  Result<std::span<const std::byte>> read_bytes(std::uint64_t count, std::string_view what);

  /// "file: byte N", where the next read would start.
  std::string here() const;

 private:
  std::span<const std::byte> bytes_;
  std::string_view file_;
  std::size_t offset_ = 0;
};

}  // namespace spanker
