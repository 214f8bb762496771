#include "spanker/report/run_report.hpp"

#include <gtest/gtest.h>

#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

class RunReports : public ::testing::Test {
 protected:
  RunReports()
      : problem_(Problem::make(load_model("tinyllama-1.1b", std::nullopt).value(),
                               load_cluster("sails-rev-a").value(), workload())
                     .value()),
        plan_(search(problem_, StrategySet::only(PlanStrategy::kTensorParallel)).value()) {}

  static Workload workload() {
    Workload workload;
    workload.prompt = 50;
    workload.generate = 3;
    return workload;
  }

  RunReport report() const {
    return {.problem = problem_,
            .plan = plan_,
            .threads = 4,
            .prompt_tokens = 50,
            .tokens = {5, 6, 7},
            .text = std::string(kHostile),
            .ending = "length",
            .load = Seconds(0.5),
            .prefill = Seconds(0.25),
            .time_to_first_token = Seconds(0.26),
            .decode = Seconds(0.1),
            .decoded = 2,
            .lateness = std::nullopt,
            .predicted_tokens_per_second = std::nullopt,
            .predicted_context = 0,
            .kinds = {{"qkv", 22, Seconds(0.03), std::nullopt}, {"down", 22, Seconds(0.01), std::nullopt}}};
  }

  const Problem problem_;
  const Plan plan_;
};

TEST_F(RunReports, AsJson) {
  RunReport run = report();
  auto json = parse_document(to_json(run));
  expect_keys(json, {{"/model/name", "string"}, {"/strategy", "string"}});
  EXPECT_EQ(json["schema"], "spanker.run/1");
  EXPECT_EQ(json["tokens"], nlohmann::json({5, 6, 7}));
  EXPECT_TRUE(json["text"].is_string());
  EXPECT_EQ(json["prompt_tokens"], 50);
  EXPECT_EQ(json["prefill_seconds"], 0.25);
  EXPECT_EQ(json["time_to_first_token_seconds"], 0.26);
  EXPECT_EQ(json["decode_seconds"], 0.1);
  EXPECT_DOUBLE_EQ(json["tokens_per_second"], 20);
  EXPECT_TRUE(json["predicted"].is_null());
  EXPECT_TRUE(json["lateness_seconds"].is_null());
  EXPECT_EQ(json["cards"], plan_.cards_used());
  EXPECT_EQ(json["threads"], 4);
  EXPECT_EQ(json["ending"], "length");
  EXPECT_EQ(json["kinds"][0]["kind"], "qkv");
  EXPECT_TRUE(json["kinds"][0]["predicted_seconds"].is_null());

  run.predicted_tokens_per_second = 12.5;
  run.predicted_context = 52;
  run.lateness = Seconds(0.003);
  run.kinds[0].predicted = Seconds(0.04);
  json = parse_document(to_json(run));
  EXPECT_EQ(json["predicted"]["tokens_per_second"], 12.5);
  EXPECT_EQ(json["predicted"]["context"], 52);
  EXPECT_EQ(json["lateness_seconds"], 0.003);
  EXPECT_EQ(json["kinds"][0]["predicted_seconds"], 0.04);
}

TEST_F(RunReports, NothingIsMadeUpWhereNothingWas) {
  RunReport run = report();
  run.text.reset();
  run.decoded = 0;
  run.decode = Seconds(0);
  run.kinds.clear();
  const auto json = parse_document(to_json(run));
  EXPECT_TRUE(json["text"].is_null());
  EXPECT_TRUE(json["tokens_per_second"].is_null());
  expect_clean_text(to_text(run, Style{}));
}

TEST_F(RunReports, AsTables) {
  RunReport run = report();
  EXPECT_EQ(to_text(run, Style{}),
            "tinyllama-1.1b: tensor_parallel on 4 cards with 4 threads, 3 tokens\n"
            "\n"
            "  load              500 ms  every card's weights from the file\n"
            "  prefill           250 ms  50 tokens, 200 tokens/s\n"
            "  first token       260 ms  from the prompt\n"
            "  decode       20 tokens/s  2 tokens in 100 ms\n"
            "\n"
            "Where a decoded token's time goes\n"
            "  step  times  measured\n"
            "  qkv      22     30 ms  75.0 %\n"
            "  down     22     10 ms  25.0 %\n");
  run.predicted_tokens_per_second = 12.5;
  run.predicted_context = 52;
  run.lateness = Seconds(0.003);
  run.kinds[0].predicted = Seconds(0.04);
  const std::string text = to_text(run, Style{});
  EXPECT_NE(text.find("predicted    12.5 tokens/s  for sails-rev-a at context 52, the mean of this run\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lateness              3 ms  at most, behind the pace of cards and links\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  qkv      22     30 ms  75.0 %      40 ms\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace spanker
