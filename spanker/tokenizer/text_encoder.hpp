#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"

// Internal to this module.
namespace spanker {

/// Text to tokens, special ones apart. May be used by several threads at once.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  /// Appends to `ids` the tokens of `text`, which may be any bytes, of less than 2^31.
  virtual Result<void> encode(std::string_view text, std::vector<std::uint32_t>& ids) const = 0;
};

}  // namespace spanker
