#pragma once

#include <cstdint>
#include <string_view>

#include "spanker/base/quantity.hpp"

namespace spanker {

/// One matmul tile, Y[m x n] = X[m x k] * W[k x n], as the tile rule counts it.
///
/// The rule calls the m x k operand the weights. In a decode step m is 1 and what is read from DDR is W, k x
/// n: for the planner's accounting see `MatmulTraffic` and docs/tile-rule.md.
struct TileShape {
  std::uint64_t m;
  std::uint64_t n;
  std::uint64_t k;
  std::uint64_t bytes_per_element;

  /// m * k * bytes_per_element; 2^64 - 1 where that overflows.
  std::uint64_t weight_bytes() const noexcept;
  /// m * n * bytes_per_element; 2^64 - 1 where that overflows.
  std::uint64_t activation_bytes() const noexcept;
};

/// How a tile is spread over sails. Open: later versions add values, so code outside the library must expect
/// ones it does not know.
enum class Strategy : std::uint8_t {
  kTensorParallel,  ///< every sail holds a slice of the weights and all exchange activations
  kModelParallel,   ///< the weights are read by one sail at a time and activations move on
};

/// "tensor_parallel", "model_parallel"; "unknown" for a value of a later version.
std::string_view to_string(Strategy strategy) noexcept;

/// What a strategy moves: weight bytes from local memory and activation bytes over the inter-card link.
struct MatmulTraffic {
  std::uint64_t weight_bytes;
  std::uint64_t activation_bytes;

  /// As the tile rule counts: m x k are the weights.
  static MatmulTraffic of_tile(const TileShape& tile) noexcept;
  /// As the planner counts: W, k x n, is what is read. Saturating as above.
  static MatmulTraffic of_matmul(const TileShape& tile) noexcept;
};

/// Seconds of both strategies; infinite where a bandwidth is 0.
///   tensor parallel  weight_bytes / (n local) + activation_bytes / intercard
///   model parallel   weight_bytes / local     + activation_bytes / (n intercard)
struct StrategySeconds {
  Seconds tensor_parallel;
  Seconds model_parallel;
};

/// `sails`: 0 counts as 1. Bandwidths in bytes per second.
StrategySeconds strategy_seconds(MatmulTraffic traffic, std::uint64_t sails, std::uint64_t local_bandwidth,
                                 std::uint64_t intercard_bandwidth) noexcept;

/// The cheaper of the two, decided in integers, without rounding: for two sails or more tensor parallel wins
/// exactly while activation_bytes * local <= weight_bytes * intercard, whatever their number. Ties, one sail,
/// no sail and a bandwidth of 0 give tensor parallel.
Strategy pick_strategy(MatmulTraffic traffic, std::uint64_t sails, std::uint64_t local_bandwidth,
                       std::uint64_t intercard_bandwidth) noexcept;

/// The tile rule: `pick_strategy(MatmulTraffic::of_tile(tile), ...)`.
Strategy pick_strategy(const TileShape& tile, std::uint64_t n_sails, std::uint64_t local_bandwidth,
                       std::uint64_t intercard_bandwidth) noexcept;

}  // namespace spanker
