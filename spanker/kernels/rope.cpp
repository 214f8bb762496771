#include "spanker/kernels/rope.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace spanker {
namespace {

bool is_positive(double x) { return std::isfinite(x) && x > 0; }

}  // namespace

Result<Rope> Rope::make(const RopeShape& shape, std::span<const float> factors) {
  const std::string where = "rotary embedding";
  const std::size_t pairs = shape.dimensions / 2;
  if (shape.dimensions == 0 || shape.dimensions % 2 != 0) {
    return bad_input(where, "dimensions are not pairs", "an even number above 0",
                     std::to_string(shape.dimensions));
  }
  if (!is_positive(shape.base) || !is_positive(shape.position_scale)) {
    return bad_input(where, "frequency base or scale is wrong", "positive numbers",
                     fmt::format("{} and {}", shape.base, shape.position_scale));
  }
  if (!factors.empty() && factors.size() != pairs) {
    return bad_input(where, "frequency factors are for another head size", fmt::format("{} factors", pairs),
                     std::to_string(factors.size()));
  }
  Rope rope;
  rope.pairing_ = shape.pairing;
  for (std::size_t i = 0; i < pairs; ++i) {
    const double factor = factors.empty() ? 1 : factors[i];
    if (!is_positive(factor)) {
      return bad_input(where, fmt::format("frequency factor {} is wrong", i), "a positive number",
                       std::to_string(factor));
    }
    const double exponent = 2 * static_cast<double>(i) / static_cast<double>(shape.dimensions);
    rope.frequencies_.push_back(1 / (shape.position_scale * factor * std::pow(shape.base, exponent)));
  }
  return rope;
}

std::vector<float> Rope::angles(std::size_t first_position, std::size_t count) const {
  std::vector<float> result;
  result.reserve(count * dimensions());
  for (std::size_t t = 0; t < count; ++t) {
    for (const double frequency : frequencies_) {
      const double angle = static_cast<double>(first_position + t) * frequency;
      result.push_back(static_cast<float>(std::cos(angle)));
      result.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return result;
}

void Rope::rotate(std::span<float> heads, std::size_t head_size, const float* angles) const {
  const std::size_t pairs = frequencies_.size();
  const std::size_t step = pairing_ == RopePairing::kAdjacent ? 2 : 1;
  const std::size_t apart = pairing_ == RopePairing::kAdjacent ? 1 : pairs;
  for (std::size_t head = 0; head < heads.size(); head += head_size) {
    float* x = heads.data() + head;
    for (std::size_t i = 0; i < pairs; ++i) {
      float& first = x[i * step];
      float& second = x[i * step + apart];
      const float turned = first * angles[2 * i] - second * angles[2 * i + 1];
      second = first * angles[2 * i + 1] + second * angles[2 * i];
      first = turned;
    }
  }
}

}  // namespace spanker
