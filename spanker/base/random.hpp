#pragma once

#include <cstdint>

namespace spanker {

/// A sequence of 64-bit numbers that look random and are the same on every machine, whatever the compiler:
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with the
/// mixing constants of Vigna's public domain splitmix64.c). Equally likely, period 2^64. Not for secrets.
class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    return mixed ^ mixed >> 31;
  }

  /// A sequence of this seed goes on as this one.
  constexpr std::uint64_t seed_from_here() const { return state_; }

 private:
  std::uint64_t state_;
};

}  // namespace spanker
