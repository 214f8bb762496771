#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/base/result.hpp"

namespace spanker {

/// Which elements of a head are turned together.
enum class RopePairing {
  kAdjacent,  ///< 2i and 2i + 1: llama in GGUF files ("norm")
  kHalves,    ///< i and i + dimensions / 2: qwen2, qwen3 ("neox")
};

struct RopeShape {
  std::size_t dimensions;  ///< elements of a head that are turned, from the first on; even
  RopePairing pairing;
  double base = 10000;        ///< rope_theta
  double position_scale = 1;  ///< positions are divided by it (linear scaling)
};

/// Rotary position embedding ("RoFormer", Su and others, 2021): at position p pair i is turned by the angle
/// p / position_scale / (factors[i] * base^(2i / dimensions)).
class Rope {
 public:
  /// `factors`, one a pair or empty (all 1), are what Llama 3 models store as rope_freqs.weight. Fails with
  /// kBadInput if the dimensions are odd or 0, if there are factors for another number of pairs, or if a
  /// number is not positive and finite.
  static Result<Rope> make(const RopeShape& shape, std::span<const float> factors);

  /// Cosine and sine of each pair, for positions first, first + 1, ...: [count][dimensions / 2][2].
  std::vector<float> angles(std::size_t first_position, std::size_t count) const;

  /// Turns heads of one token, head_size (at least `dimensions`) elements each, in place. `angles` are those
  /// of its position: dimensions elements from what `angles()` returned.
  void rotate(std::span<float> heads, std::size_t head_size, const float* angles) const;

  std::size_t dimensions() const { return 2 * frequencies_.size(); }

 private:
  RopePairing pairing_{};
  std::vector<double> frequencies_;  ///< radians a position
};

}  // namespace spanker
