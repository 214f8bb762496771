#pragma once

#include <string>

namespace spanker {

/// A number that a prediction rests on: its value, the range it was seen in and where it comes from.
/// Invariant of every profile that was read: low <= value <= high. `source` may be empty (nobody said).
template <class T>
struct Ranged {
  T value{};
  T low{};
  T high{};
  std::string source;

  bool operator==(const Ranged&) const = default;
};

}  // namespace spanker
