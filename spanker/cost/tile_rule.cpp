#include "spanker/cost/tile_rule.hpp"

#include <algorithm>
#include <limits>

namespace spanker {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (a == 0 || b == 0 || c == 0) return 0;
  std::uint64_t ab = 0;
  std::uint64_t abc = 0;
  return __builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(ab, c, &abc) ? kMax : abc;
}

}  // namespace

std::uint64_t TileShape::weight_bytes() const noexcept { return saturating_product(m, k, bytes_per_element); }

std::uint64_t TileShape::activation_bytes() const noexcept {
  return saturating_product(m, n, bytes_per_element);
}

std::string_view to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::kTensorParallel:
      return "tensor_parallel";
    case Strategy::kModelParallel:
      return "model_parallel";
  }
  return "unknown";
}

MatmulTraffic MatmulTraffic::of_tile(const TileShape& tile) noexcept {
  return {tile.weight_bytes(), tile.activation_bytes()};
}

MatmulTraffic MatmulTraffic::of_matmul(const TileShape& tile) noexcept {
  return {saturating_product(tile.k, tile.n, tile.bytes_per_element), tile.activation_bytes()};
}

StrategySeconds strategy_seconds(MatmulTraffic traffic, std::uint64_t sails, std::uint64_t local_bandwidth,
                                 std::uint64_t intercard_bandwidth) noexcept {
  if (local_bandwidth == 0 || intercard_bandwidth == 0) {
    const Seconds infinite(std::numeric_limits<double>::infinity());
    return {infinite, infinite};
  }
  const double weights = static_cast<double>(traffic.weight_bytes);
  const double activations = static_cast<double>(traffic.activation_bytes);
  const double n = static_cast<double>(std::max<std::uint64_t>(sails, 1));
  const double local = static_cast<double>(local_bandwidth);
  const double intercard = static_cast<double>(intercard_bandwidth);
  return {Seconds(weights / (n * local) + activations / intercard),
          Seconds(weights / local + activations / (n * intercard))};
}

Strategy pick_strategy(MatmulTraffic traffic, std::uint64_t sails, std::uint64_t local_bandwidth,
                       std::uint64_t intercard_bandwidth) noexcept {
  if (sails < 2 || local_bandwidth == 0 || intercard_bandwidth == 0) return Strategy::kTensorParallel;
  // The costs differ by (1 - 1/n) (weights / local - activations / intercard).
  const Wide activation_side = Wide{traffic.activation_bytes} * local_bandwidth;
  const Wide weight_side = Wide{traffic.weight_bytes} * intercard_bandwidth;
  return activation_side <= weight_side ? Strategy::kTensorParallel : Strategy::kModelParallel;
}

Strategy pick_strategy(const TileShape& tile, std::uint64_t n_sails, std::uint64_t local_bandwidth,
                       std::uint64_t intercard_bandwidth) noexcept {
  return pick_strategy(MatmulTraffic::of_tile(tile), n_sails, local_bandwidth, intercard_bandwidth);
}

}  // namespace spanker
