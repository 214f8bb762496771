#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "spanker/graph/operators.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

Model preset_model(std::string_view name) {
  auto model = make_model(name, find_preset(name)->shape, TensorType::kQ4_0);
  if (!model) throw std::runtime_error(to_line(model.error()));
  return *model;
}

/// Different experts that `rows` tokens use, averaged over every way in which each can choose `used` of
/// `experts`.
double mean_of_all_choices(std::uint32_t experts, std::uint32_t used, std::uint32_t rows) {
  std::vector<std::uint32_t> choices;
  for (std::uint32_t set = 0; set < 1u << experts; ++set) {
    if (std::popcount(set) == static_cast<int>(used)) choices.push_back(set);
  }
  double sum = 0;
  double ways = 0;
  const auto choose = [&](const auto& self, std::uint32_t left, std::uint32_t chosen) -> void {
    if (left == 0) {
      sum += std::popcount(chosen);
      ++ways;
      return;
    }
    for (const std::uint32_t choice : choices) self(self, left - 1, chosen | choice);
  };
  choose(choose, rows, 0);
  return sum / ways;
}

TEST(Experts, AsManyAreReadAsTokensThatChooseEvenlyUseOnAverage) {
  for (std::uint32_t experts = 1; experts <= 5; ++experts) {
    for (std::uint32_t used = 1; used <= experts; ++used) {
      for (std::uint32_t rows = 1; rows <= 4; ++rows) {
        const double mean = mean_of_all_choices(experts, used, rows);
        const Bytes read = expert_bytes_read(Bytes(1'000'000), experts, used, rows);
        EXPECT_NEAR(static_cast<double>(read.value), 1e6 * mean, 0.51) << experts << used << rows;
      }
    }
  }
}

TEST(Experts, OneTokenReadsExactlyItsOwnWhateverTheirSize) {
  constexpr std::uint64_t kOdd = (1ull << 55) + 1;  // not a double
  EXPECT_EQ(expert_bytes_read(Bytes(kOdd), 128, 8, 1), Bytes(8 * kOdd));
  EXPECT_EQ(expert_bytes_read(Bytes(kOdd), 10, 3, 1), Bytes(3 * kOdd));
  EXPECT_EQ(expert_bytes_read(Bytes(kOdd), 8, 8, 99), Bytes(8 * kOdd));
  EXPECT_EQ(expert_bytes_read(Bytes(kOdd), 1, 1, 99), Bytes(kOdd));
}

TEST(Experts, ManyTokensReadThemAllAndNoMore) {
  for (const std::uint64_t rows : {1000ull, 1ull << 40}) {
    EXPECT_EQ(expert_bytes_read(Bytes(1152), 8, 2, rows), Bytes(8 * 1152));
    EXPECT_EQ(expert_bytes_read(Bytes(0), 8, 2, rows), Bytes(0));
  }
  Bytes before(0);
  for (std::uint64_t rows = 1; rows < 200; ++rows) {
    const Bytes read = expert_bytes_read(Bytes(1'000'000), 128, 8, rows);
    EXPECT_GT(read, before);
    EXPECT_LE(read, Bytes(128'000'000));
    before = read;
  }
}

// Mixtral-8x7B in q4_0: rows of 4096 take 2304 bytes, of 14336 take 8064; an expert has 2 * 14336 of the
// first and 4096 of the second.

TEST(Experts, AMixtralLayerInDecode) {
  const Model model = preset_model("mixtral-8x7b");
  const auto [norm, router, gate_up, down] =
      ffn_operators(model.layers[0], 14336, decode_pass(2048, 1, TensorType::kF16));
  EXPECT_EQ(norm.bytes, Bytes(4096 * 4));
  EXPECT_EQ(router.bytes, Bytes(8 * 4096 * 4));
  EXPECT_EQ(router.ops, Ops(2 * 8 * 4096));
  EXPECT_EQ(gate_up.bytes, Bytes(2 * (2 * 14336 * 2304)));
  EXPECT_EQ(gate_up.ops, Ops(2 * 2 * 2 * 14336ull * 4096));
  EXPECT_EQ(down.bytes, Bytes(2 * (4096 * 8064)));
  EXPECT_EQ(down.ops, Ops(2 * 2 * 14336ull * 4096));
}

TEST(Experts, FourStreamsOfAMixtralReadFiveAndAHalf) {
  const Model model = preset_model("mixtral-8x7b");
  const auto operators = ffn_operators(model.layers[0], 14336, decode_pass(2048, 4, TensorType::kF16));
  // 8 * (1 - 0.75^4) = 5.46875, which times these bytes is whole.
  EXPECT_EQ(operators[1].bytes, Bytes(131'072));
  EXPECT_EQ(operators[2].bytes, Bytes(361'267'200));
  EXPECT_EQ(operators[3].bytes, Bytes(180'633'600));
  EXPECT_EQ(operators[2].ops, Ops(4 * 2 * 2 * 2 * 14336ull * 4096));
}

TEST(Experts, AQuarterOfEveryExpertAndTheWholeRouter) {
  const Model model = preset_model("mixtral-8x7b");
  const auto operators = ffn_operators(model.layers[0], 3584, decode_pass(2048, 1, TensorType::kF16));
  EXPECT_EQ(operators[1].bytes, Bytes(131'072));
  EXPECT_EQ(operators[2].bytes, Bytes(2 * 2 * 3584 * 2304));
  EXPECT_EQ(operators[3].bytes, Bytes(2 * 4096 * 2016));  // 3584 columns: 112 blocks of 18 bytes
  EXPECT_EQ(ffn_weight_bytes(model.layers[0], 3584),
            Bytes(16'384 + 131'072 + 8 * (2 * 3584 * 2304 + 4096 * 2016)));
}

TEST(Experts, QwenReadsThreeBillionOfThirtyForAToken) {
  const Model model = preset_model("qwen3-30b-a3b");
  const auto operators = ffn_operators(model.layers[0], 768, decode_pass(1, 1, TensorType::kF16));
  EXPECT_EQ(operators[1].bytes, Bytes(128 * 2048 * 4));
  EXPECT_EQ(operators[2].bytes, Bytes(8 * 2 * 768 * 1152));
  EXPECT_EQ(operators[3].bytes, Bytes(8 * 2048 * 432));
  // Its card says 3.3 billion activated parameters.
  EXPECT_NEAR(static_cast<double>(decode_weight_bytes(model).value) / 18 * 32, 3.3e9, 0.3e9);
}

}  // namespace
}  // namespace spanker
