#include "spanker/tokenizer/byte_characters.hpp"

#include <array>
#include <cstdint>

#include "spanker/base/utf8.hpp"

namespace spanker {
namespace {

constexpr std::uint32_t kFirstOfOthers = 0x100;

constexpr bool is_visible(std::uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
}

constexpr std::size_t count_others() {
  std::size_t count = 0;
  for (std::uint32_t byte = 0; byte < 256; ++byte) count += is_visible(byte) ? 0 : 1;
  return count;
}

constexpr std::array<char, count_others()> other_bytes() {
  std::array<char, count_others()> bytes{};
  std::size_t count = 0;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    if (!is_visible(byte)) bytes[count++] = static_cast<char>(byte);
  }
  return bytes;
}

constexpr auto kOtherBytes = other_bytes();

}  // namespace

std::optional<std::string> bytes_of_characters(std::string_view name) {
  std::string bytes;
  while (!name.empty()) {
    const auto [kind, length, character] = read_utf8(name);
    if (kind != Utf8Kind::kWhole) return std::nullopt;
    if (character < 0x100 && is_visible(character)) {
      bytes += static_cast<char>(character);
    } else if (character >= kFirstOfOthers && character - kFirstOfOthers < kOtherBytes.size()) {
      bytes += kOtherBytes[character - kFirstOfOthers];
    } else {
      return std::nullopt;
    }
    name.remove_prefix(length);
  }
  return bytes;
}

}  // namespace spanker
