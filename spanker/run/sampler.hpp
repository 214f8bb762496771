#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/base/result.hpp"

namespace spanker {

/// How the next token is chosen. The defaults choose the likeliest, always.
struct SamplingOptions {
  double temperature = 0;   ///< logits are divided by it; 0: the token of the largest logit
  std::uint32_t top_k = 0;  ///< only so many of the largest logits; 0: all
  double top_p = 1;         ///< only the likeliest tokens that together are at least so likely
  std::uint64_t seed = 1;
};

/// The most logits that are sampled from.
inline constexpr std::size_t kMostLogits = std::size_t{1} << 23;

/// Chooses tokens by their logits: first the temperature, then top_k, then top_p, in the order of Hugging
/// Face's generate(); what remains is chosen from in proportion to softmax(logits / temperature). Of equal
/// logits the smaller index counts as the larger. At least one token remains.
///
/// The same options and logits give the same tokens on every machine: the weights are whole numbers,
/// multiples of 2^-40 of the likeliest token's and within 2^-29 of softmax, and no sum depends on its order.
/// A token that is less than 2^-40 as likely as the likeliest is never chosen.
class Sampler {
 public:
  /// Fails with kBadInput naming the option where the temperature is negative or not finite, or top_p not
  /// above 0 and at most 1.
  static Result<Sampler> make(const SamplingOptions& options);

  /// The index of the next token in `logits`, one for each token of the vocabulary. Fails with kBadInput
  /// where there are none or more than kMostLogits, and where one is not finite, which it names.
  Result<std::uint32_t> sample(std::span<const float> logits);

  /// A sampler of this seed goes on as this one.
  std::uint64_t seed_from_here() const { return random_.seed_from_here(); }

 private:
  explicit Sampler(const SamplingOptions& options) : options_(options), random_(options.seed) {}

  /// Below `bound`, each equally likely.
  std::uint64_t random_below(std::uint64_t bound);
  /// The tokens to choose from, the likeliest first where that order is known; their weights are set.
  void keep_candidates(std::span<const float> logits, float largest);

  SamplingOptions options_;
  SplitMix64 random_;
  std::vector<std::uint64_t> weights_;     // by token, of candidates alone
  std::vector<std::uint32_t> candidates_;  // tokens
};

}  // namespace spanker
