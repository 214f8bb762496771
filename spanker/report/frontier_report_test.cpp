#include "spanker/report/frontier_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "spanker/cluster/profile.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/report/json_keys_for_test.hpp"
#include "spanker/report/plan_report.hpp"

namespace spanker {
namespace {

using testing::expect_clean_text;
using testing::expect_keys;
using testing::kHostile;
using testing::parse_document;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(to_line(result.error()));
  return std::move(*result);
}

Problem tinyllama_on(const char* cluster, std::uint64_t streams) {
  Workload workload;
  workload.streams = streams;
  return must(Problem::make(
      must(make_model("tinyllama-1.1b", find_preset("tinyllama-1.1b")->shape, TensorType::kQ4_0)),
      must(load_cluster(cluster)), workload));
}

/// One stage on each list of cards.
FrontierPoint made_up(std::vector<std::vector<CardId>> stages, double seconds, double rate) {
  FrontierPoint point;
  for (std::vector<CardId>& cards : stages) {
    Stage stage;
    stage.cards = std::move(cards);
    point.plan.stages.push_back(std::move(stage));
  }
  point.cluster_cards = 4;
  point.prediction.decode.memory = Seconds(seconds);
  point.prediction.prefill.memory = Seconds(seconds * 8);
  point.prediction.throughput = {2, 1, rate};
  return point;
}

/// No real plan's numbers.
std::vector<FrontierPoint> made_up_points() {
  std::vector<FrontierPoint> points = {made_up({{0}}, 0.5, 3), made_up({{0, 1}}, 0.25, 5),
                                       made_up({{0}, {1}}, 0.4, 7)};
  points[0].price = Money(80);
  points[0].watts = Watts(11);
  points[2].prediction.throughput.micro_batches = 2;
  return points;
}

TEST(FrontierJson, TellsEveryPoint) {
  const auto json = parse_document(to_json(tinyllama_on("raspberry-pi-5-gbe", 2), made_up_points()));
  expect_keys(json, {{"/schema", "string"},
                     {"/model/name", "string"},
                     {"/model/kv_bytes_per_token", "number"},
                     {"/cluster/name", "string"},
                     {"/cluster/cards", "number"},
                     {"/cluster/topology", "string"},
                     {"/workload/streams", "number"},
                     {"/workload/embedding", "string"},
                     {"/points/2/strategy", "string"},
                     {"/warnings/0", "string"}});
  EXPECT_EQ(json.size(), 6u);
  EXPECT_EQ(json["schema"], "spanker.frontier/1");
  ASSERT_EQ(json["points"].size(), 3u);
  EXPECT_EQ(json["points"][0], (nlohmann::json{{"strategy", "single_card"},
                                               {"cards_used", 1},
                                               {"cluster_cards", 4},
                                               {"seconds_per_token", 0.5},
                                               {"tokens_per_second", 2.0},
                                               {"throughput_tokens_per_second", 3.0},
                                               {"streams", 2},
                                               {"micro_batches", 1},
                                               {"time_to_first_token_seconds", 4.0},
                                               {"price", 80.0},
                                               {"currency", "USD"},
                                               {"watts", 11.0}}));
  EXPECT_EQ(json["points"][1]["price"], nullptr);
  EXPECT_EQ(json["points"][1]["watts"], nullptr);
  EXPECT_EQ(json["points"][2]["strategy"], "pipeline_parallel");
  EXPECT_EQ(json["points"][2]["micro_batches"], 2);
}

TEST(FrontierJson, AsksTheQuestionOfAPlan) {
  const Problem problem = tinyllama_on("sails-rev-a", 2);
  const auto frontier = parse_document(to_json(problem, made_up_points()));
  const auto plan = parse_document(to_json(problem, NoPlan{}));
  for (const char* key : {"model", "cluster", "workload"}) EXPECT_EQ(frontier[key], plan[key]) << key;
  EXPECT_EQ(frontier["points"][0]["currency"], nullptr) << "the profile has none";
}

/// The line of the table that is marked.
std::string marked(const std::string& text) {
  const std::size_t at = text.find("\n  * ");
  return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

TEST(FrontierText, MarksWhatTheObjectiveWouldChoose) {
  Problem problem = tinyllama_on("raspberry-pi-5-gbe", 2);
  const std::string quickest = to_text(problem, made_up_points(), Style{});
  expect_clean_text(quickest);
  EXPECT_EQ(
      marked(quickest),
      "  *      2  tensor parallel         4     250 ms                    5          2 s       -      -");
  problem.workload.objective = Objective::kThroughput;
  const std::string most = to_text(problem, made_up_points(), Style{});
  EXPECT_EQ(
      marked(most),
      "  *      2  pipeline              2.5     400 ms                    7        3.2 s       -      -");
  EXPECT_NE(most.find("\n* the best of these by the objective, throughput;"), std::string::npos) << most;
}

TEST(FrontierText, ShowsOnlyColumnsThatSaySomething) {
  auto points = made_up_points();
  const std::string full = to_text(tinyllama_on("raspberry-pi-5-gbe", 2), points, Style{});
  EXPECT_NE(full.find("80 USD"), std::string::npos) << full;
  EXPECT_NE(full.find("11 W"), std::string::npos) << full;
  EXPECT_NE(full.find("2 streams, tokens/s"), std::string::npos) << full;
  EXPECT_NE(full.find("card.compute is absent"), std::string::npos) << full;
  points[0].price = std::nullopt;
  points[0].watts = std::nullopt;
  const std::string bare = to_text(tinyllama_on("sails-rev-a", 1), points, Style{});
  for (const char* column : {"price", "power", "streams"}) {
    EXPECT_EQ(bare.find(column), std::string::npos) << bare;
  }
}

TEST(FrontierReport, IsCleanWhateverTheNames) {
  Problem problem = tinyllama_on("raspberry-pi-5-gbe", 2);
  problem.model.name = kHostile;
  problem.cluster.name = kHostile;
  problem.cluster.warnings = {std::string(kHostile)};
  expect_clean_text(to_text(problem, made_up_points(), Style{}));
  parse_document(to_json(problem, made_up_points()));
  EXPECT_TRUE(is_valid_utf8(to_svg(problem, made_up_points())));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

TEST(FrontierChart, ShowsTheBestOfEachNumberOfCards) {
  const std::string two = to_svg(tinyllama_on("sails-rev-a", 2), made_up_points());
  EXPECT_EQ(count_of(two, "<title>one stream"), 2u) << two;
  EXPECT_NE(two.find("<title>one stream: one card (1, 2)</title>"), std::string::npos) << two;
  EXPECT_NE(two.find("<title>one stream: tensor parallel (2, 4)</title>"), std::string::npos) << two;
  EXPECT_EQ(count_of(two, "<title>2 streams together"), 2u) << two;
  EXPECT_NE(two.find("<title>2 streams together: pipeline (2, 7)</title>"), std::string::npos) << two;
  const std::string one = to_svg(tinyllama_on("sails-rev-a", 1), made_up_points());
  EXPECT_EQ(one.find("together"), std::string::npos) << one;
}

TEST(FrontierChart, LabelsAStrategyWhereItBegins) {
  const std::string svg = to_svg(tinyllama_on("sails-rev-a", 1),
                                 std::vector{made_up({{0, 1}}, 0.5, 2), made_up({{0, 1, 2}}, 0.25, 4)});
  EXPECT_EQ(count_of(svg, "<title>one stream: tensor parallel (2, 2)</title>"), 1u) << svg;
  EXPECT_EQ(count_of(svg, "<title>one stream (3, 4)</title>"), 1u) << svg;
}

}  // namespace
}  // namespace spanker
