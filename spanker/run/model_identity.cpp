#include "spanker/run/model_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace spanker {
namespace {

constexpr std::size_t kSample = 256;

/// FNV-1a (Fowler, Noll, Vo), 64 bits.
class Hash {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) hash_ = (hash_ ^ static_cast<std::uint8_t>(byte)) * 0x100000001B3;
  }
  void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) hash_ = (hash_ ^ (number & 0xFF)) * 0x100000001B3;
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace

std::string model_identity(const GgufFiles& files) {
  Hash hash;
  for (const GgufFile& file : files.parts()) {
    hash.add(file.header());
    for (const GgufTensor& tensor : file.tensors()) {
      hash.add(tensor.name);
      hash.add(tensor.bytes.value);
      const std::span<const std::byte> data = file.data(tensor);
      const std::size_t sample = std::min(kSample, data.size());
      hash.add(data.first(sample));
      hash.add(data.subspan((data.size() - sample) / 2, sample));
      hash.add(data.last(sample));
    }
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace spanker
