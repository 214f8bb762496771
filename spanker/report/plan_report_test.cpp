#include "spanker/report/plan_report.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "spanker/cluster/profile.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/report/json_keys_for_test.hpp"

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

Problem tinyllama_on_sails() {
  Workload workload;
  workload.streams = 2;
  return must(Problem::make(
      must(make_model("tinyllama-1.1b", find_preset("tinyllama-1.1b")->shape, TensorType::kQ4_0)),
      must(load_cluster("sails-rev-a")), workload));
}

/// No real plan's numbers: each is another one, to be found again.
Answer made_up_answer() {
  Answer answer;
  Stage pair;
  pair.first_layer = 0;
  pair.last_layer = 12;
  pair.cards = {0, 1};
  pair.shares = {{20, 12}, {3000, 2632}, {16000, 16000}};
  pair.decode = {Algorithm::kRing, Algorithm::kTree};
  pair.prefill = {Algorithm::kRingBidirectional, Algorithm::kHalvingDoubling};
  Stage single;
  single.first_layer = 13;
  single.last_layer = 21;
  single.cards = {3};
  single.shares = {{32}, {5632}, {32000}};
  answer.plan = {{pair, single}, Algorithm::kTree};
  answer.prediction.decode = {Seconds(0.1),    Seconds(0.02),    Seconds(0.003),
                              Seconds(0.0004), Seconds(0.00005), Seconds(0.000006)};
  answer.prediction.decode_low = Seconds(0.2);
  answer.prediction.decode_high = Seconds(0.0625);
  answer.prediction.prefill.memory = Seconds(4);
  answer.prediction.throughput = {2, 3, 11.5};
  answer.prediction.load = {Bytes(600'000'000), Seconds(6), true};
  answer.prediction.session = Seconds(40);
  answer.prediction.host_budget = {{"load", Bytes(600'000'000), Seconds(6)},
                                   {"token_ids", Bytes(512), Seconds(2)}};
  answer.memory = {{0, Bytes(100), Bytes(20), Bytes(3), Bytes(1000)},
                   {1, Bytes(101), Bytes(21), Bytes(4), Bytes(1001)},
                   {3, Bytes(102), Bytes(22), Bytes(5), Bytes(1002)}};
  answer.bottleneck = "memory";
  answer.sensitivity = {{"memory bandwidth x 2", 15, 0.85}};
  answer.alternatives = {{PlanStrategy::kSingleCard, 1, 3.5, "slower"},
                         {PlanStrategy::kHybrid, 0, {}, "does not fit"}};
  answer.warnings = {"compute is not modelled"};
  return answer;
}

NoPlan made_up_refusal() {
  NoPlan none;
  none.reason = "card 2 lacks memory";
  none.tightest = {2, Bytes(1000), Bytes(200), Bytes(30), Bytes(1100)};
  none.smallest_cards = 9;
  none.warnings = {"a warning"};
  return none;
}

TEST(PlanJson, HasEveryKeyOfTheSchema) {
  expect_keys(parse_document(to_json(tinyllama_on_sails(), made_up_answer())),
              {{"/schema", "string"},
               {"/feasible", "boolean"},
               {"/model/name", "string"},
               {"/model/architecture", "string"},
               {"/model/parameters", "number"},
               {"/model/weight_bytes", "number"},
               {"/model/decode_weight_bytes", "number"},
               {"/model/kv_bytes_per_token", "number"},
               {"/cluster/name", "string"},
               {"/cluster/cards", "number"},
               {"/cluster/topology", "string"},
               {"/workload/context", "number"},
               {"/workload/prompt", "number"},
               {"/workload/generate", "number"},
               {"/workload/streams", "number"},
               {"/workload/objective", "string"},
               {"/workload/kv_dtype", "string"},
               {"/workload/link_dtype", "string"},
               {"/workload/embedding", "string"},
               {"/plan/strategy", "string"},
               {"/plan/cards_used", "number"},
               {"/plan/stages", "array"},
               {"/plan/stages/0/first_layer", "number"},
               {"/plan/stages/0/last_layer", "number"},
               {"/plan/stages/0/cards", "array"},
               {"/plan/stages/0/query_heads", "array"},
               {"/plan/stages/0/ffn_columns", "array"},
               {"/plan/stages/0/all_reduce", "string"},
               {"/plan/stages/1/all_reduce", "null"},
               {"/prediction/decode/seconds_per_token", "number"},
               {"/prediction/decode/tokens_per_second", "number"},
               {"/prediction/decode/tokens_per_second_low", "number"},
               {"/prediction/decode/tokens_per_second_high", "number"},
               {"/prediction/decode/breakdown/memory", "number"},
               {"/prediction/decode/breakdown/compute", "number"},
               {"/prediction/decode/breakdown/link_bandwidth", "number"},
               {"/prediction/decode/breakdown/link_latency", "number"},
               {"/prediction/decode/breakdown/host_link", "number"},
               {"/prediction/decode/breakdown/overhead", "number"},
               {"/prediction/prefill/seconds", "number"},
               {"/prediction/prefill/tokens_per_second", "number"},
               {"/prediction/time_to_first_token_seconds", "number"},
               {"/prediction/throughput/streams", "number"},
               {"/prediction/throughput/tokens_per_second", "number"},
               {"/prediction/load/bytes", "number"},
               {"/prediction/load/seconds", "number"},
               {"/prediction/session_seconds", "number"},
               {"/memory/0/card", "number"},
               {"/memory/0/weight_bytes", "number"},
               {"/memory/0/kv_bytes", "number"},
               {"/memory/0/activation_bytes", "number"},
               {"/memory/0/total_bytes", "number"},
               {"/memory/0/capacity_bytes", "number"},
               {"/host_budget/0/what", "string"},
               {"/host_budget/0/bytes", "number"},
               {"/host_budget/0/seconds", "number"},
               {"/host_budget/0/share_of_session", "number"},
               {"/bottleneck", "string"},
               {"/sensitivity/0/change", "string"},
               {"/sensitivity/0/tokens_per_second", "number"},
               {"/sensitivity/0/gain", "number"},
               {"/sensitivity/0/note", "null"},
               {"/alternatives/0/strategy", "string"},
               {"/alternatives/0/cards_used", "number"},
               {"/alternatives/0/tokens_per_second", "number"},
               {"/alternatives/0/why_not", "string"},
               {"/alternatives/1/tokens_per_second", "null"},
               {"/warnings", "array"},
               {"/warnings/0", "string"}});
}

TEST(PlanJson, TellsTheQuestion) {
  Problem problem = tinyllama_on_sails();
  problem.workload.kv_type = TensorType::kQ8_0;
  problem.workload.link_type = TensorType::kF16;
  problem.workload.embedding = EmbeddingPlace::kHost;
  const auto json = parse_document(to_json(problem, made_up_answer()));
  EXPECT_EQ(json["schema"], "spanker.plan/1");
  EXPECT_EQ(json["feasible"], true);
  EXPECT_EQ(json["model"], (nlohmann::json{{"name", "tinyllama-1.1b"},
                                           {"architecture", "llama"},
                                           {"parameters", 1'100'048'384},
                                           {"weight_bytes", 582'231'168 + 31'999 * 1152},
                                           {"decode_weight_bytes", 582'231'168},
                                           {"kv_bytes_per_token", 11'968}}));
  EXPECT_EQ(json["cluster"], (nlohmann::json{{"name", "sails-rev-a"}, {"cards", 4}, {"topology", "ring"}}));
  EXPECT_EQ(json["workload"], (nlohmann::json{{"context", 2048},
                                              {"prompt", 512},
                                              {"generate", 128},
                                              {"streams", 2},
                                              {"objective", "latency"},
                                              {"kv_dtype", "q8_0"},
                                              {"link_dtype", "f16"},
                                              {"embedding", "host"}}));
}

TEST(PlanJson, TellsThePlan) {
  const auto plan = parse_document(to_json(tinyllama_on_sails(), made_up_answer()))["plan"];
  EXPECT_EQ(plan["strategy"], "hybrid");
  EXPECT_EQ(plan["cards_used"], 3);
  EXPECT_EQ(plan["gather"], "tree");
  ASSERT_EQ(plan["stages"].size(), 2u);
  const auto& pair = plan["stages"][0];
  EXPECT_EQ(pair["first_layer"], 0);
  EXPECT_EQ(pair["last_layer"], 12);
  EXPECT_EQ(pair["cards"], (nlohmann::json{0, 1}));
  EXPECT_EQ(pair["query_heads"], (nlohmann::json{20, 12}));
  EXPECT_EQ(pair["key_value_heads"], (nlohmann::json{3, 2}));  // the third group of 8 is straddled
  EXPECT_EQ(pair["ffn_columns"], (nlohmann::json{3000, 2632}));
  EXPECT_EQ(pair["vocabulary_rows"], (nlohmann::json{16000, 16000}));
  EXPECT_EQ(pair["all_reduce"], "ring");
  EXPECT_EQ(pair["broadcast"], "tree");
  EXPECT_EQ(pair["prefill_all_reduce"], "ring_bidirectional");
  EXPECT_EQ(pair["prefill_broadcast"], "halving_doubling");
  EXPECT_EQ(plan["stages"][1]["cards"], (nlohmann::json{3}));
  EXPECT_EQ(plan["stages"][1]["query_heads"], (nlohmann::json{32}));
}

TEST(PlanJson, TellsThePrediction) {
  const auto prediction = parse_document(to_json(tinyllama_on_sails(), made_up_answer()))["prediction"];
  const auto& decode = prediction["decode"];
  EXPECT_NEAR(decode["seconds_per_token"], 0.123456, 1e-12);
  EXPECT_NEAR(decode["tokens_per_second"], 1 / 0.123456, 1e-9);
  EXPECT_DOUBLE_EQ(decode["tokens_per_second_low"], 5);
  EXPECT_DOUBLE_EQ(decode["tokens_per_second_high"], 16);
  EXPECT_EQ(decode["breakdown"], (nlohmann::json{{"memory", 0.1},
                                                 {"compute", 0.02},
                                                 {"link_bandwidth", 0.003},
                                                 {"link_latency", 0.0004},
                                                 {"host_link", 0.00005},
                                                 {"overhead", 0.000006}}));
  EXPECT_EQ(prediction["prefill"], (nlohmann::json{{"seconds", 4.0}, {"tokens_per_second", 128.0}}));
  EXPECT_EQ(prediction["time_to_first_token_seconds"], 4.0);
  EXPECT_EQ(prediction["throughput"],
            (nlohmann::json{{"streams", 2}, {"micro_batches", 3}, {"tokens_per_second", 11.5}}));
  EXPECT_EQ(prediction["load"],
            (nlohmann::json{{"bytes", 600'000'000}, {"seconds", 6.0}, {"relayed", true}}));
  EXPECT_EQ(prediction["session_seconds"], 40.0);
}

TEST(PlanJson, TellsMemoryHostBudgetAndReasons) {
  const auto json = parse_document(to_json(tinyllama_on_sails(), made_up_answer()));
  ASSERT_EQ(json["memory"].size(), 3u);
  EXPECT_EQ(json["memory"][2], (nlohmann::json{{"card", 3},
                                               {"weight_bytes", 102},
                                               {"kv_bytes", 22},
                                               {"activation_bytes", 5},
                                               {"total_bytes", 129},
                                               {"capacity_bytes", 1002}}));
  ASSERT_EQ(json["host_budget"].size(), 2u);
  EXPECT_EQ(
      json["host_budget"][1],
      (nlohmann::json{{"what", "token_ids"}, {"bytes", 512}, {"seconds", 2.0}, {"share_of_session", 0.05}}));
  EXPECT_EQ(json["bottleneck"], "memory");
  EXPECT_EQ(json["sensitivity"], nlohmann::json::array({{{"change", "memory bandwidth x 2"},
                                                         {"tokens_per_second", 15.0},
                                                         {"gain", 0.85},
                                                         {"note", nullptr}}}));
  EXPECT_EQ(json["alternatives"], nlohmann::json::array({{{"strategy", "single_card"},
                                                          {"cards_used", 1},
                                                          {"tokens_per_second", 3.5},
                                                          {"why_not", "slower"}},
                                                         {{"strategy", "hybrid"},
                                                          {"cards_used", 0},
                                                          {"tokens_per_second", nullptr},
                                                          {"why_not", "does not fit"}}}));
  EXPECT_EQ(json["warnings"], nlohmann::json::array({"compute is not modelled"}));
}

TEST(PlanJson, ARealPlansBreakdownAddsUp) {
  const Problem problem = tinyllama_on_sails();
  for (const PlanStrategy strategy :
       {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel, PlanStrategy::kPipelineParallel}) {
    const auto found = answer(problem, StrategySet::only(strategy));
    ASSERT_TRUE(std::holds_alternative<Answer>(found)) << to_string(strategy);
    const auto json = parse_document(to_json(problem, std::get<Answer>(found)));
    EXPECT_EQ(json["plan"]["strategy"], to_string(strategy));
    const auto& decode = json["prediction"]["decode"];
    double sum = 0;
    for (const auto& part : decode["breakdown"]) sum += part.get<double>();
    EXPECT_GT(sum, 0);
    EXPECT_NEAR(sum, decode["seconds_per_token"], 1e-9) << to_string(strategy);
    EXPECT_NEAR(decode["tokens_per_second"].get<double>() * sum, 1, 1e-9);
    EXPECT_LE(decode["tokens_per_second_low"], decode["tokens_per_second"]);
    EXPECT_GE(decode["tokens_per_second_high"], decode["tokens_per_second"]);
    std::uint64_t heads = 0;
    for (const auto& count : json["plan"]["stages"][0]["query_heads"]) heads += count.get<std::uint64_t>();
    EXPECT_EQ(heads, 32u);
    EXPECT_EQ(json["memory"].size(), json["plan"]["cards_used"]);
  }
}

TEST(PlanJson, ACardAloneUsesNoCollectives) {
  Answer answer = made_up_answer();
  answer.plan.stages.erase(answer.plan.stages.begin());
  const auto plan = parse_document(to_json(tinyllama_on_sails(), answer))["plan"];
  EXPECT_EQ(plan["strategy"], "single_card");
  for (const char* key : {"all_reduce", "broadcast", "prefill_all_reduce", "prefill_broadcast"}) {
    EXPECT_TRUE(plan["stages"][0].at(key).is_null()) << key;
  }
  EXPECT_TRUE(plan.at("gather").is_null());
}

TEST(PlanJson, NumbersThatAreNotFiniteAreNull) {
  Answer answer = made_up_answer();
  answer.prediction.decode.link_latency = Seconds(std::numeric_limits<double>::infinity());
  answer.prediction.session = Seconds(std::numeric_limits<double>::quiet_NaN());
  const auto prediction = parse_document(to_json(tinyllama_on_sails(), answer))["prediction"];
  EXPECT_TRUE(prediction["decode"].at("seconds_per_token").is_null());
  EXPECT_TRUE(prediction["decode"]["breakdown"].at("link_latency").is_null());
  EXPECT_TRUE(prediction.at("session_seconds").is_null());
  EXPECT_EQ(prediction["decode"]["breakdown"]["memory"], 0.1);
}

TEST(NoPlanJson, HasEveryKeyOfTheSchema) {
  const auto json = parse_document(to_json(tinyllama_on_sails(), made_up_refusal()));
  expect_keys(json, {{"/schema", "string"},
                     {"/feasible", "boolean"},
                     {"/reason", "string"},
                     {"/tightest/card", "number"},
                     {"/tightest/need_bytes", "number"},
                     {"/tightest/capacity_bytes", "number"},
                     {"/smallest_cards", "number"},
                     {"/model/name", "string"},
                     {"/cluster/name", "string"},
                     {"/workload/context", "number"},
                     {"/warnings/0", "string"}});
  EXPECT_TRUE(json.contains("best"));
  EXPECT_EQ(json["schema"], "spanker.plan/1");
  EXPECT_EQ(json["feasible"], false);
  EXPECT_EQ(json["reason"], "card 2 lacks memory");
  EXPECT_EQ(json["tightest"], (nlohmann::json{{"card", 2}, {"need_bytes", 1230}, {"capacity_bytes", 1100}}));
  EXPECT_EQ(json["smallest_cards"], 9);
  EXPECT_FALSE(json.contains("plan"));
  EXPECT_FALSE(json.contains("prediction"));
}

TEST(NoPlanJson, WhereNoNumberOfCardsWouldDoThatIsNull) {
  NoPlan none = made_up_refusal();
  none.smallest_cards.reset();
  EXPECT_TRUE(parse_document(to_json(tinyllama_on_sails(), none)).at("smallest_cards").is_null());
}

Problem hostile_problem() {
  Problem problem = tinyllama_on_sails();
  problem.model.name = kHostile;
  problem.cluster.name = kHostile;
  return problem;
}

Answer hostile_answer() {
  Answer answer = made_up_answer();
  answer.warnings = {std::string(kHostile)};
  answer.alternatives[0].why_not = kHostile;
  answer.sensitivity[0].change = kHostile;
  answer.prediction.host_budget[0].what = kHostile;
  return answer;
}

TEST(PlanReport, HostileNamesDoNotBreakTheJson) {
  const auto json = parse_document(to_json(hostile_problem(), hostile_answer()));
  // Bytes that are no UTF-8 are replaced; all else comes back as it was.
  const std::string name = json["model"]["name"];
  EXPECT_TRUE(name.starts_with("a\x1b[31m\n\r\t\x7f\"\\\uFFFD")) << name;
  EXPECT_TRUE(name.ends_with("z"));
  EXPECT_EQ(json["cluster"]["name"], name);
  EXPECT_EQ(json["warnings"][0], name);

  NoPlan none = made_up_refusal();
  none.reason = kHostile;
  EXPECT_EQ(parse_document(to_json(hostile_problem(), none))["reason"], name);
}

TEST(PlanReport, HostileNamesDoNotReachTheTerminal) {
  const std::string text = to_text(hostile_problem(), hostile_answer(), {});
  expect_clean_text(text);
  EXPECT_NE(text.find("a\\x1b[31m\\n\\r\\t\\x7f\"\\\\xff"), std::string::npos) << text;
}

TEST(PlanText, TellsSpeedPlacementAndReasons) {
  const std::string text = to_text(tinyllama_on_sails(), made_up_answer(), {});
  expect_clean_text(text);
  for (const char* wanted :
       {"tinyllama-1.1b on sails-rev-a: hybrid over 3 cards", "8.1 tokens/s", "5 to 16", "128 tokens/s",
        "11.5 tokens/s", "81.0 %", "0-12", "13-21", "20 12", "3000 2632", "129 B", "slower", "does not fit",
        "memory bandwidth x 2", "+85.0 %", "compute is not modelled"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
}

TEST(PlanText, IsColouredOnlyWhenAsked) {
  const Problem problem = tinyllama_on_sails();
  EXPECT_EQ(to_text(problem, made_up_answer(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(to_text(problem, made_up_answer(), {true}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace spanker
