#pragma once

#include <compare>
#include <cstdint>

namespace spanker {

/// Which graph a pass runs: a prompt of `size` tokens, or a token of each of `size` streams.
struct PassShape {
  enum class Kind : std::uint8_t { kPrefill, kDecode };
  Kind kind = Kind::kDecode;
  std::uint64_t size = 1;

  auto operator<=>(const PassShape&) const = default;
};

}  // namespace spanker
