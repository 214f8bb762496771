#pragma once

#include <cstdint>

namespace spanker {

/// `count` things from `first` on.
struct Interval {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  bool contains(std::uint64_t index) const { return index >= first && index - first < count; }

  bool operator==(const Interval&) const = default;
};

}  // namespace spanker
