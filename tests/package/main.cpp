// What a program gets from the umbrella header alone: the founding figures and the tile rule's known answers.
#include <spanker/spanker.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <type_traits>

namespace {

static_assert(std::is_same_v<decltype(spanker::kLocalDdrBwBytesPerSec), const std::uint64_t>);
static_assert(spanker::kLocalDdrBwBytesPerSec == 2'000'000'000);
static_assert(spanker::kIntercardBwBytesPerSec == 500'000'000);
static_assert(spanker::kHostLinkBwBytesPerSec == 100'000'000);

static_assert(spanker::kIntercardLinkShape.lanes == 4);
static_assert(spanker::kIntercardLinkShape.bits_per_lane == 32);
static_assert(spanker::kIntercardLinkShape.bus_bits() == 128);

static_assert(noexcept(spanker::pick_strategy(spanker::TileShape{}, 0, 0, 0)));

int failures = 0;

void expect_strategy(spanker::TileShape tile, std::uint64_t sails, spanker::Strategy wanted) {
  const spanker::Strategy got =
      spanker::pick_strategy(tile, sails, spanker::kLocalDdrBwBytesPerSec, spanker::kIntercardBwBytesPerSec);
  if (got == wanted) return;
  std::printf("m=%ju n=%ju k=%ju over %ju sails: wanted strategy %d, got %d\n", std::uintmax_t{tile.m},
              std::uintmax_t{tile.n}, std::uintmax_t{tile.k}, std::uintmax_t{sails}, static_cast<int>(wanted),
              static_cast<int>(got));
  ++failures;
}

}  // namespace

int main() {
  using spanker::Strategy;
  expect_strategy({4, 4, 1U << 20, 4}, 4, Strategy::kTensorParallel);
  expect_strategy({4096, 4096, 4, 4}, 4, Strategy::kModelParallel);
  expect_strategy({1, 5632, 2048, 2}, 4, Strategy::kModelParallel);
  expect_strategy({1, 1024, 1024, 4}, 4, Strategy::kModelParallel);
  expect_strategy({1, 1024, 1024, 4}, 1, Strategy::kTensorParallel);
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  expect_strategy({most, most, most, 4}, 4, Strategy::kModelParallel);

  if (spanker::builtin_profiles().empty() || !spanker::load_cluster("sails-rev-a")) {
    std::puts("sails-rev-a is not compiled in");
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}
