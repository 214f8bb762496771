#include "spanker/run/sampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>

#include "spanker/run/sampling_weight.hpp"

namespace spanker {
namespace {

Failure bad_option(const char* name, const char* wanted, double got) {
  return bad_input(name, "sampling is not possible with this", wanted, fmt::format("{}", got));
}

}  // namespace

Result<Sampler> Sampler::make(const SamplingOptions& options) {
  if (!std::isfinite(options.temperature) || options.temperature < 0) {
    return bad_option("temperature", "a finite number, at least 0", options.temperature);
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return bad_option("top_p", "above 0, at most 1", options.top_p);
  }
  return Sampler(options);
}

Result<std::uint32_t> Sampler::sample(std::span<const float> logits) {
  if (logits.empty() || logits.size() > kMostLogits) {
    return bad_input("logits", "not as many as can be sampled from", fmt::format("1 to {}", kMostLogits),
                     std::to_string(logits.size()));
  }
  const auto not_finite = std::ranges::find_if(logits, [](float logit) { return !std::isfinite(logit); });
  if (not_finite != logits.end()) {
    return bad_input(fmt::format("logits[{}]", not_finite - logits.begin()), "logit is not finite",
                     "a finite number", fmt::format("{}", *not_finite));
  }
  const auto largest = std::ranges::max_element(logits);  // the first of equals
  if (options_.temperature == 0) return static_cast<std::uint32_t>(largest - logits.begin());

  keep_candidates(logits, *largest);
  std::uint64_t total = 0;
  for (const std::uint32_t token : candidates_) total += weights_[token];
  std::uint64_t draw = random_below(total);
  auto token = candidates_.begin();
  while (draw >= weights_[*token]) draw -= weights_[*token++];
  return *token;
}

void Sampler::keep_candidates(std::span<const float> logits, float largest) {
  candidates_.resize(logits.size());
  std::iota(candidates_.begin(), candidates_.end(), 0u);

  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  const std::size_t k =
      options_.top_k == 0 ? logits.size() : std::min<std::size_t>(options_.top_k, logits.size());
  if (k < logits.size()) {
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(k),
                      candidates_.end(), before);
    candidates_.resize(k);
  }
  weights_.resize(logits.size());
  for (const std::uint32_t token : candidates_) {
    const double below = static_cast<double>(logits[token]) - static_cast<double>(largest);
    weights_[token] = sampling_weight(below / options_.temperature);
  }
  if (options_.top_p == 1) return;

  std::uint64_t total = 0;
  for (const std::uint32_t token : candidates_) total += weights_[token];
  const double wanted = options_.top_p * static_cast<double>(total);
  // A heap, as the nucleus is a small part of a vocabulary: the tokens that leave it are the likeliest, in
  // order.
  const auto after = [&](std::uint32_t a, std::uint32_t b) { return before(b, a); };
  std::make_heap(candidates_.begin(), candidates_.end(), after);
  auto end = candidates_.end();
  std::uint64_t kept = 0;
  do {
    std::pop_heap(candidates_.begin(), end, after);
    --end;
    kept += weights_[*end];
  } while (end != candidates_.begin() && static_cast<double>(kept) < wanted);
  candidates_.erase(candidates_.begin(), end);
  std::ranges::reverse(candidates_);
}

std::uint64_t Sampler::random_below(std::uint64_t bound) {
  const int unused_bits = std::countl_zero(bound);
  for (;;) {
    const std::uint64_t number = random_.next() >> unused_bits;
    if (number < bound) return number;
  }
}

}  // namespace spanker
