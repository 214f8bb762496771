#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace spanker::testing {

/// Packs GGUF bytes by hand, right or wrong, apart from the production writer.
class GgufBytes {
 public:
  /// `width` bytes of a number, lowest first.
  GgufBytes& number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  GgufBytes& u32(std::uint64_t value) { return number(value, 4); }
  GgufBytes& u64(std::uint64_t value) { return number(value, 8); }
  GgufBytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  GgufBytes& text(std::string_view value) { return u64(value.size()).raw(value); }
  GgufBytes& header(std::uint64_t tensors, std::uint64_t metadata, std::uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(tensors).u64(metadata);
  }
  GgufBytes& key(std::string_view name, std::uint32_t type) { return text(name).u32(type); }
  GgufBytes& string_key(std::string_view name, std::string_view value) { return key(name, 8).text(value); }
  GgufBytes& u32_key(std::string_view name, std::uint32_t value) { return key(name, 4).u32(value); }
  GgufBytes& tensor(std::string_view name, std::initializer_list<std::uint64_t> dimensions,
                    std::uint32_t type, std::uint64_t offset) {
    text(name).u32(dimensions.size());
    for (const std::uint64_t dimension : dimensions) u64(dimension);
    return u32(type).u64(offset);
  }
  /// Zeros up to a multiple of `alignment`.
  GgufBytes& pad(std::size_t alignment = 32) {
    return zeros((alignment - bytes_.size() % alignment) % alignment);
  }
  GgufBytes& zeros(std::size_t count) { return raw(std::string(count, '\0')); }

  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> span() const { return std::as_bytes(std::span(bytes_)); }
  const std::string& str() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace spanker::testing
