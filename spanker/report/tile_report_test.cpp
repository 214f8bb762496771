#include "spanker/report/tile_report.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

using testing::expect_clean_text;
using testing::parse_document;

constexpr TileQuestion kTinyLlamaDecode{{1, 5632, 2048, 2}, 4, 2'000'000'000, 500'000'000};

TEST(TileJson, HasBothAnswers) {
  const auto json = parse_document(to_json(kTinyLlamaDecode));
  EXPECT_EQ(json["schema"], "spanker.tile/1");
  EXPECT_EQ(json["strategy"], "model_parallel");
  EXPECT_DOUBLE_EQ(json["tensor_parallel_seconds"], 2.304e-5);
  EXPECT_DOUBLE_EQ(json["model_parallel_seconds"], 7.68e-6);
  EXPECT_EQ(json["matmul"]["strategy"], "tensor_parallel");
  EXPECT_DOUBLE_EQ(json["matmul"]["tensor_parallel_seconds"], 2.906112e-3);
  EXPECT_DOUBLE_EQ(json["matmul"]["model_parallel_seconds"], 1.1539968e-2);
}

TEST(TileJson, TimesThatAreNotFiniteAreNull) {
  TileQuestion question = kTinyLlamaDecode;
  question.local_bandwidth = 0;
  const auto json = parse_document(to_json(question));
  for (const auto& answer : {json, json["matmul"]}) {
    EXPECT_EQ(answer.at("strategy"), "tensor_parallel");
    EXPECT_TRUE(answer.at("tensor_parallel_seconds").is_null());
    EXPECT_TRUE(answer.at("model_parallel_seconds").is_null());
  }
}

TEST(TileJson, HoldsSaturatedSizes) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const auto json = parse_document(to_json({{kMax, kMax, kMax, 4}, 4, 2'000'000'000, 500'000'000}));
  EXPECT_EQ(json["strategy"], "model_parallel");
  EXPECT_EQ(json["weight_bytes"], kMax);
  EXPECT_TRUE(json["tensor_parallel_seconds"].is_number());
}

TEST(TileText, ShowsBothAnswersAndWhyTheyDiffer) {
  const std::string text = to_text(kTinyLlamaDecode, {});
  expect_clean_text(text);
  for (const char* wanted : {"4 sails", "23.04 us", "7.68 us", "2.906 ms", "11.54 ms", "model_parallel",
                             "tensor_parallel", "They differ"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
}

TEST(TileText, GivesNoReasonWhereTheyAgree) {
  TileQuestion question = kTinyLlamaDecode;
  question.sails = 1;
  const std::string text = to_text(question, {});
  expect_clean_text(text);
  EXPECT_NE(text.find("on 1 sail\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("They differ"), std::string::npos) << text;
}

TEST(TileText, SaysNeverWithoutBandwidth) {
  TileQuestion question = kTinyLlamaDecode;
  question.intercard_bandwidth = 0;
  const std::string text = to_text(question, {});
  EXPECT_NE(text.find("never"), std::string::npos) << text;
  EXPECT_EQ(text.find("inf"), std::string::npos) << text;
}

}  // namespace
}  // namespace spanker
