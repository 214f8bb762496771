#include "spanker/model/tensor_type.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace spanker {
namespace {

struct Published {
  const char* name;
  std::uint32_t elements;
  std::uint32_t bytes;
};

// ggml's numbers and block sizes, written down as sums of a block's parts: scales, minima, high bits, quants.
const std::map<std::uint32_t, Published> kPublished = {
    {0, {"f32", 1, 4}},
    {1, {"f16", 1, 2}},
    {2, {"q4_0", 32, 2 + 16}},
    {3, {"q4_1", 32, 2 + 2 + 16}},
    {6, {"q5_0", 32, 2 + 4 + 16}},
    {7, {"q5_1", 32, 2 + 2 + 4 + 16}},
    {8, {"q8_0", 32, 2 + 32}},
    {9, {"q8_1", 32, 2 + 2 + 32}},
    {10, {"q2_k", 256, 2 + 2 + 256 / 16 + 256 / 4}},
    {11, {"q3_k", 256, 2 + 256 / 4 + 256 / 8 + 12}},
    {12, {"q4_k", 256, 2 + 2 + 256 / 2 + 12}},
    {13, {"q5_k", 256, 2 + 2 + 256 / 2 + 256 / 8 + 12}},
    {14, {"q6_k", 256, 2 + 256 / 2 + 256 / 4 + 256 / 16}},
    {15, {"q8_k", 256, 4 + 256 + 256 / 8}},
    {16, {"iq2_xxs", 256, 2 + 256 / 4}},
    {17, {"iq2_xs", 256, 2 + 256 / 4 + 256 / 32}},
    {18, {"iq3_xxs", 256, 2 + 256 / 4 + 256 / 8}},
    {19, {"iq1_s", 256, 2 + 256 / 8 + 256 / 16}},
    {20, {"iq4_nl", 32, 2 + 16}},
    {21, {"iq3_s", 256, 2 + 256 / 4 + 256 / 8 + 256 / 32 + 4}},
    {22, {"iq2_s", 256, 2 + 256 / 4 + 256 / 16}},
    {23, {"iq4_xs", 256, 2 + 2 + 256 / 2 + 256 / 64}},
    {24, {"i8", 1, 1}},
    {25, {"i16", 1, 2}},
    {26, {"i32", 1, 4}},
    {27, {"i64", 1, 8}},
    {28, {"f64", 1, 8}},
    {29, {"iq1_m", 256, 256 / 8 + 256 / 16 + 256 / 32}},
    {30, {"bf16", 1, 2}},
    {34, {"tq1_0", 256, 2 + 4 * 13}},
    {35, {"tq2_0", 256, 2 + 64}},
    {39, {"mxfp4", 32, 1 + 16}},
    {40, {"nvfp4", 64, 4 + 32}},
    {41, {"q1_0", 128, 2 + 16}},
    {42, {"q2_0", 64, 2 + 16}},
};

TEST(TensorType, HasGgmlsNumbersNamesAndBlocksAndNoOthers) {
  for (std::uint32_t number = 0; number < 300; ++number) {
    const auto type = tensor_type_from_ggml(number);
    const auto published = kPublished.find(number);
    ASSERT_EQ(type.has_value(), published != kPublished.end()) << number;
    if (!type) continue;
    EXPECT_EQ(static_cast<std::uint32_t>(*type), number);
    EXPECT_EQ(to_string(*type), published->second.name);
    EXPECT_EQ(block_shape(*type), (BlockShape{published->second.elements, published->second.bytes}))
        << number;
  }
  EXPECT_FALSE(tensor_type_from_ggml(0xFFFFFFFF));
}

TEST(TensorType, ParsesEveryNameInAnyCase) {
  for (const auto& [number, published] : kPublished) {
    std::string upper = published.name;
    std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    for (const std::string& name : {std::string(published.name), upper}) {
      const auto type = parse_tensor_type(name, "--quant");
      ASSERT_TRUE(type) << name;
      EXPECT_EQ(static_cast<std::uint32_t>(*type), number);
    }
  }
}

TEST(TensorType, UnknownNameListsWhatExists) {
  for (const char* name : {"q4_k_m", "Q4-0", "", "q4_0 ", "4"}) {
    const auto type = parse_tensor_type(name, "--quant");
    ASSERT_FALSE(type) << name;
    EXPECT_EQ(type.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(type.error().where, "--quant");
    for (const auto& [number, published] : kPublished) {
      EXPECT_NE(type.error().wanted.find(published.name), std::string::npos) << published.name;
    }
    EXPECT_NE(type.error().got.find(name), std::string::npos);
  }
  EXPECT_NE(parse_tensor_type("q4_k_m", "x").error().got.find("did you mean \"q4_k\""), std::string::npos);
  EXPECT_EQ(parse_tensor_type("nonsense", "x").error().got, "\"nonsense\"");
}

TEST(TensorType, OnlyPlainIntegersCannotStoreWeights) {
  for (const auto& [number, published] : kPublished) {
    const bool integer = published.name[0] == 'i' && published.name[1] != 'q';
    EXPECT_EQ(can_store_weights(static_cast<TensorType>(number)), !integer) << published.name;
  }
}

}  // namespace
}  // namespace spanker
