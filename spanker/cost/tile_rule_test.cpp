#include "spanker/cost/tile_rule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "spanker/cluster/bandwidth_model.hpp"

namespace spanker {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kLocal = kLocalDdrBwBytesPerSec;
constexpr std::uint64_t kIntercard = kIntercardBwBytesPerSec;

constexpr TileShape kTinyLlamaDecode{1, 5632, 2048, 2};

Strategy rev_a(const TileShape& tile, std::uint64_t sails = 4) {
  return pick_strategy(tile, sails, kLocal, kIntercard);
}

TEST(TileShape, CountsBytes) {
  EXPECT_EQ(kTinyLlamaDecode.weight_bytes(), 4096u);
  EXPECT_EQ(kTinyLlamaDecode.activation_bytes(), 11264u);
  EXPECT_EQ((TileShape{3, 5, 7, 2}.weight_bytes()), 42u);
  EXPECT_EQ((TileShape{3, 5, 7, 2}.activation_bytes()), 30u);
}

TEST(TileShape, SaturatesInsteadOfOverflowing) {
  const TileShape huge{kMax, kMax, kMax, 4};
  EXPECT_EQ(huge.weight_bytes(), kMax);
  EXPECT_EQ(huge.activation_bytes(), kMax);
  // 2^64 by either product, which would wrap to 0.
  EXPECT_EQ((TileShape{1ull << 32, 1, 1ull << 32, 1}.weight_bytes()), kMax);
  EXPECT_EQ((TileShape{1ull << 31, 1, 1ull << 31, 4}.weight_bytes()), kMax);
  // The last size that fits.
  EXPECT_EQ((TileShape{1, kMax, kMax, 1}.weight_bytes()), kMax);
  EXPECT_EQ((TileShape{3, 1, kMax / 3, 1}.weight_bytes()), kMax / 3 * 3);
  EXPECT_EQ((TileShape{1ull << 31, 1, 1ull << 31, 3}.weight_bytes()), 3ull << 62);
}

TEST(TileShape, OfNothingIsEmptyEvenBesideWhatWouldOverflow) {
  EXPECT_EQ((TileShape{kMax, kMax, kMax, 0}.weight_bytes()), 0u);
  EXPECT_EQ((TileShape{0, kMax, kMax, kMax}.activation_bytes()), 0u);
  EXPECT_EQ((TileShape{kMax, 0, kMax, kMax}.activation_bytes()), 0u);
  EXPECT_EQ((TileShape{kMax, 0, kMax, kMax}.weight_bytes()), kMax);
}

TEST(TileRule, KnownAnswersForFourSails) {
  EXPECT_EQ(rev_a({4, 4, 1ull << 20, 4}), Strategy::kTensorParallel);
  EXPECT_EQ(rev_a({4096, 4096, 4, 4}), Strategy::kModelParallel);
  EXPECT_EQ(rev_a(kTinyLlamaDecode), Strategy::kModelParallel);
  EXPECT_EQ(rev_a({1, 1024, 1024, 4}), Strategy::kModelParallel);
  EXPECT_EQ(rev_a({kMax, kMax, kMax, 4}), Strategy::kModelParallel);
}

TEST(TileRule, TheTinyLlamaDecodeTileInSeconds) {
  const auto seconds = strategy_seconds(MatmulTraffic::of_tile(kTinyLlamaDecode), 4, kLocal, kIntercard);
  EXPECT_DOUBLE_EQ(seconds.tensor_parallel.count(), 2.304e-5);
  EXPECT_DOUBLE_EQ(seconds.model_parallel.count(), 7.68e-6);
}

TEST(TileRule, SaturatedTilesFollowTheFormula) {
  const MatmulTraffic traffic = MatmulTraffic::of_tile({kMax, kMax, kMax, 4});
  const auto seconds = strategy_seconds(traffic, 4, kLocal, kIntercard);
  // 2^64 / 8e9 + 2^64 / 5e8 against 2^64 / 2e9 + 2^64 / 2e9.
  EXPECT_DOUBLE_EQ(seconds.tensor_parallel.count(), 0x1p64 * (1 / 8e9 + 1 / 5e8));
  EXPECT_DOUBLE_EQ(seconds.model_parallel.count(), 0x1p64 * (1 / 1e9));
  // Where the link is the faster one, the same sizes turn the answer round.
  EXPECT_EQ(pick_strategy(traffic, 4, kIntercard, kLocal), Strategy::kTensorParallel);
}

TEST(TileRule, OneSailOrNoneIsTensorParallelAndCostsTheSame) {
  const TileShape activations_only{4096, 4096, 4, 4};
  EXPECT_EQ(rev_a(activations_only, 2), Strategy::kModelParallel);
  EXPECT_EQ(rev_a(activations_only, 1), Strategy::kTensorParallel);
  EXPECT_EQ(rev_a(activations_only, 0), Strategy::kTensorParallel);
  const MatmulTraffic traffic = MatmulTraffic::of_tile(activations_only);
  const double alone = 65536 / 2e9 + 67108864 / 5e8;
  for (const std::uint64_t sails : {0u, 1u}) {
    const auto seconds = strategy_seconds(traffic, sails, kLocal, kIntercard);
    EXPECT_DOUBLE_EQ(seconds.tensor_parallel.count(), alone) << sails;
    EXPECT_DOUBLE_EQ(seconds.model_parallel.count(), alone) << sails;
  }
}

TEST(TileRule, WithoutBandwidthBothTakeForeverAndTensorParallelIsTaken) {
  const TileShape tiles[] = {{4096, 4096, 4, 4}, {0, 0, 0, 0}, {kMax, kMax, kMax, kMax}};
  const std::uint64_t bandwidths[][2] = {{0, kIntercard}, {kLocal, 0}, {0, 0}};
  for (const TileShape& tile : tiles) {
    for (const auto& [local, intercard] : bandwidths) {
      EXPECT_EQ(pick_strategy(tile, 4, local, intercard), Strategy::kTensorParallel);
      const auto seconds = strategy_seconds(MatmulTraffic::of_tile(tile), 4, local, intercard);
      EXPECT_EQ(seconds.tensor_parallel.count(), std::numeric_limits<double>::infinity());
      EXPECT_EQ(seconds.model_parallel.count(), std::numeric_limits<double>::infinity());
    }
  }
}

TEST(TileRule, AnEmptyTileIsATie) {
  EXPECT_EQ(rev_a({0, 0, 0, 0}), Strategy::kTensorParallel);
  const auto seconds = strategy_seconds(MatmulTraffic::of_tile({0, 0, 0, 0}), 4, kLocal, kIntercard);
  EXPECT_EQ(seconds.tensor_parallel.count(), 0.0);
  EXPECT_EQ(seconds.model_parallel.count(), 0.0);
}

TEST(TileRule, DoesNotDependOnM) {
  for (const std::uint64_t m : {1u, 512u, 513u, 100'000u}) {
    EXPECT_EQ(rev_a({m, 5632, 2048, 2}), Strategy::kModelParallel) << m;
    EXPECT_EQ(rev_a({m, 512, 2048, 2}), Strategy::kTensorParallel) << m;  // k / n is 4: a tie
    EXPECT_EQ(rev_a({m, 513, 2048, 2}), Strategy::kModelParallel) << m;
  }
}

TEST(Strategy, HasANameForValuesOfLaterVersionsToo) {
  EXPECT_EQ(to_string(Strategy::kTensorParallel), "tensor_parallel");
  EXPECT_EQ(to_string(Strategy::kModelParallel), "model_parallel");
  EXPECT_EQ(to_string(static_cast<Strategy>(200)), "unknown");
}

Strategy matmul_on_rev_a(const TileShape& tile, std::uint64_t sails = 4) {
  return pick_strategy(MatmulTraffic::of_matmul(tile), sails, kLocal, kIntercard);
}

TEST(MatmulAccounting, TheTinyLlamaDecodeTile) {
  const MatmulTraffic traffic = MatmulTraffic::of_matmul(kTinyLlamaDecode);
  EXPECT_EQ(traffic.weight_bytes, 23'068'672u);
  EXPECT_EQ(traffic.activation_bytes, 11'264u);
  const auto seconds = strategy_seconds(traffic, 4, kLocal, kIntercard);
  EXPECT_DOUBLE_EQ(seconds.tensor_parallel.count(), 2.906112e-3);
  EXPECT_DOUBLE_EQ(seconds.model_parallel.count(), 1.1539968e-2);
  EXPECT_EQ(matmul_on_rev_a(kTinyLlamaDecode), Strategy::kTensorParallel);
}

TEST(MatmulAccounting, TurnsFromTensorToModelParallelAfter512Rows) {
  for (const std::uint64_t sails : {2u, 3u, 4u, 1000u}) {
    EXPECT_EQ(matmul_on_rev_a({511, 5632, 2048, 2}, sails), Strategy::kTensorParallel) << sails;
    EXPECT_EQ(matmul_on_rev_a({512, 5632, 2048, 2}, sails), Strategy::kTensorParallel) << sails;
    EXPECT_EQ(matmul_on_rev_a({513, 5632, 2048, 2}, sails), Strategy::kModelParallel) << sails;
  }
}

TEST(MatmulAccounting, Saturates) {
  EXPECT_EQ(MatmulTraffic::of_matmul({1, kMax, kMax, 4}).weight_bytes, kMax);
  EXPECT_EQ(MatmulTraffic::of_matmul({kMax, kMax, 1, 4}).activation_bytes, kMax);
  EXPECT_EQ(MatmulTraffic::of_matmul({kMax, kMax, kMax, 0}).weight_bytes, 0u);
}

/// Numbers of every length in bits alike.
rc::Gen<std::uint64_t> any_magnitude() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 64),
                                    rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())),
                      [](const auto& drawn) { return drawn.second >> drawn.first; });
}

__extension__ using Wide = unsigned __int128;

std::uint64_t naive_bytes(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  if (c == 0) return 0;
  const Wide ab = Wide{a} * b;
  return ab > kMax / c ? kMax : static_cast<std::uint64_t>(ab) * c;
}

RC_GTEST_PROP(TileShape, BytesAreExactOrSaturated, ()) {
  const TileShape tile{*any_magnitude(), *any_magnitude(), *any_magnitude(), *any_magnitude()};
  RC_ASSERT(tile.weight_bytes() == naive_bytes(tile.m, tile.k, tile.bytes_per_element));
  RC_ASSERT(tile.activation_bytes() == naive_bytes(tile.m, tile.n, tile.bytes_per_element));
  const MatmulTraffic matmul = MatmulTraffic::of_matmul(tile);
  RC_ASSERT(matmul.weight_bytes == naive_bytes(tile.k, tile.n, tile.bytes_per_element));
  RC_ASSERT(matmul.activation_bytes == tile.activation_bytes());
}

RC_GTEST_PROP(TileRule, TakesTheCheaperByBothFormulas, ()) {
  const TileShape tile{*any_magnitude(), *any_magnitude(), *any_magnitude(), *any_magnitude()};
  const auto sails = *rc::gen::inRange<std::uint64_t>(2, 100'000);
  const std::uint64_t local = std::max<std::uint64_t>(1, *any_magnitude());
  const std::uint64_t intercard = std::max<std::uint64_t>(1, *any_magnitude());
  const auto weights = static_cast<long double>(tile.weight_bytes());
  const auto activations = static_cast<long double>(tile.activation_bytes());
  const auto n = static_cast<long double>(sails);
  const auto local_rate = static_cast<long double>(local);
  const auto link_rate = static_cast<long double>(intercard);
  const long double tensor = weights / (n * local_rate) + activations / link_rate;
  const long double model = weights / local_rate + activations / (n * link_rate);

  const auto seconds = strategy_seconds(MatmulTraffic::of_tile(tile), sails, local, intercard);
  RC_ASSERT(std::fabs(seconds.tensor_parallel.count() - tensor) <= 1e-15L * tensor);
  RC_ASSERT(std::fabs(seconds.model_parallel.count() - model) <= 1e-15L * model);
  if (std::fabs(tensor - model) <= 1e-17L * (tensor + model)) return;  // next test
  RC_ASSERT(pick_strategy(tile, sails, local, intercard) ==
            (tensor < model ? Strategy::kTensorParallel : Strategy::kModelParallel));
}

// weights = a * local and activations = a * intercard tie; a byte on either side decides, also where a double
// or a long double would not hold it.
RC_GTEST_PROP(TileRule, DecidesTiesToTheByte, ()) {
  constexpr std::uint64_t kBits31 = std::uint64_t{1} << 31;
  const auto local = *rc::gen::inRange<std::uint64_t>(1, kBits31);
  const auto intercard = *rc::gen::inRange<std::uint64_t>(1, kBits31);
  const auto factor = *rc::gen::inRange<std::uint64_t>(1, 2 * kBits31);
  const auto sails = *rc::gen::inRange<std::uint64_t>(2, 100);
  const auto decide = [&](std::uint64_t more_weights, std::uint64_t more_activations) {
    return pick_strategy(MatmulTraffic{factor * local + more_weights, factor * intercard + more_activations},
                         sails, local, intercard);
  };
  RC_ASSERT(decide(0, 0) == Strategy::kTensorParallel);
  RC_ASSERT(decide(1, 0) == Strategy::kTensorParallel);
  RC_ASSERT(decide(0, 1) == Strategy::kModelParallel);
}

static_assert(noexcept(pick_strategy(kTinyLlamaDecode, 4, kLocal, kIntercard)));
static_assert(noexcept(strategy_seconds(MatmulTraffic{}, 4, kLocal, kIntercard)));

}  // namespace
}  // namespace spanker
