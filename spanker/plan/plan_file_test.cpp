#include "spanker/plan/plan_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/model/tensor_table.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/problem_for_test.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using namespace testing;
using Json = nlohmann::json;
namespace fs = std::filesystem;

void expect_same(const Cost& a, const Cost& b) {
  for (const CostTerm& term : cost_terms()) EXPECT_EQ(a.*term.seconds, b.*term.seconds) << term.name;
}

/// Bit by bit.
void expect_same(const Prediction& a, const Prediction& b) {
  expect_same(a.decode, b.decode);
  EXPECT_EQ(a.decode_low, b.decode_low);
  EXPECT_EQ(a.decode_high, b.decode_high);
  expect_same(a.prefill, b.prefill);
  EXPECT_EQ(a.throughput.streams, b.throughput.streams);
  EXPECT_EQ(a.throughput.micro_batches, b.throughput.micro_batches);
  EXPECT_EQ(a.throughput.tokens_per_second, b.throughput.tokens_per_second);
  EXPECT_EQ(a.load.bytes, b.load.bytes);
  EXPECT_EQ(a.load.seconds, b.load.seconds);
  EXPECT_EQ(a.load.relayed, b.load.relayed);
  EXPECT_EQ(a.session, b.session);
  ASSERT_EQ(a.host_budget.size(), b.host_budget.size());
  for (std::size_t i = 0; i < a.host_budget.size(); ++i) {
    EXPECT_EQ(a.host_budget[i].what, b.host_budget[i].what);
    EXPECT_EQ(a.host_budget[i].bytes, b.host_budget[i].bytes);
    EXPECT_EQ(a.host_budget[i].seconds, b.host_budget[i].seconds);
  }
}

PlannedProblem reread(const Problem& problem, const Plan& plan) {
  return must(parse_plan_file(plan_file_text(problem, plan), "plan.json"));
}

/// What a file says of groups that have no use for an algorithm.
Plan without_idle_algorithms(Plan plan) {
  for (Stage& stage : plan.stages) {
    if (stage.cards.size() == 1) stage.decode = stage.prefill = {};
  }
  if (plan.cards_used() == 1) plan.gather = Algorithm::kDirect;
  return plan;
}

void expect_round_trip(const Problem& problem, const Plan& plan) {
  const PlannedProblem read = reread(problem, plan);
  EXPECT_EQ(read.plan, without_idle_algorithms(plan));
  EXPECT_EQ(read.problem.model.shape, problem.model.shape);
  EXPECT_EQ(named_tensors(read.problem.model), named_tensors(problem.model));
  EXPECT_EQ(read.problem.layers.kind_of_layer, problem.layers.kind_of_layer);
  expect_same(predict(read.problem, read.plan), predict(problem, plan));
  EXPECT_EQ(plan_file_text(read.problem, read.plan), plan_file_text(problem, plan));
}

// ---- There and back

RC_GTEST_PROP(PlanFile, RandomProblemsArePricedAlikeBitByBit, ()) {
  Problem problem = random_problem();
  // The generator overrides cables that some topologies do not have; no profile does.
  const Network network(problem.cluster);
  std::erase_if(problem.cluster.link_overrides,
                [&](const auto& entry) { return !network.find_link(entry.first.first, entry.first.second); });
  const auto plan = search(problem);
  if (!plan) return;
  expect_round_trip(problem, *plan);
  RC_ASSERT(!::testing::Test::HasFailure());
}

TEST(PlanFile, RealModelsOnRealClustersComeBack) {
  Workload workload;
  workload.streams = 3;
  workload.objective = Objective::kThroughput;
  workload.embedding = EmbeddingPlace::kHost;
  workload.checkpoint_bytes = Bytes(2'000'000'000);
  workload.stream_bytes_per_token = Bytes(1000);
  for (const char* cluster : {"sails-rev-a-64b66b", "raspberry-pi-5-gbe"}) {
    for (const char* model : {"tinyllama-1.1b", "qwen2.5-0.5b", "qwen3-30b-a3b"}) {
      SCOPED_TRACE(std::string(model) + " on " + cluster);
      const Problem problem = preset_problem(model, cluster, 7, workload);
      const PlannedProblem read = reread(problem, *search(problem));
      EXPECT_EQ(read.problem.workload.checkpoint_bytes, workload.checkpoint_bytes);
      EXPECT_EQ(read.problem.workload.stream_bytes_per_token, workload.stream_bytes_per_token);
      EXPECT_EQ(read.problem.workload.objective, workload.objective);
      EXPECT_EQ(read.problem.model.name, model);
      EXPECT_EQ(read.problem.cluster.warnings, problem.cluster.warnings);
      expect_round_trip(problem, *search(problem));
    }
  }
}

// ---- A file made by hand

/// Five cards, 4 layers, 4 heads, 96 columns in blocks of 32, 100 rows in blocks of 32: layers 0 and 1 on
/// cards 0 and 1, layer 2 on card 2, layer 3 on cards 4 and 3.
std::string hand_text() {
  Plan plan;
  plan.stages.push_back({0, 1, {0, 1}, {{2, 2}, {64, 32}, {64, 36}}, {}, {}});
  plan.stages.push_back({2, 2, {2}, {{4}, {96}, {0}}, {}, {}});
  plan.stages.push_back({3, 3, {4, 3}, {{0, 4}, {0, 96}, {100, 0}}, {}, {}});
  return plan_file_text(small_problem(5, TensorType::kQ4_0), plan);
}

Result<PlannedProblem> parse(const std::string& text) { return parse_plan_file(text, "plan.json"); }

std::string error_line(const std::string& text) {
  const auto read = parse(text);
  return read ? "no error" : to_line(read.error());
}

void expect_start(const std::string& line, const std::string& start) {
  EXPECT_EQ(line.substr(0, start.size()), start);
}

std::string with(const std::string& pointer, const Json& value) {
  Json json = Json::parse(hand_text());
  json[Json::json_pointer(pointer)] = value;
  return error_line(json.dump());
}

TEST(PlanFile, AnEditIsHonoured) {
  Json json = Json::parse(hand_text());
  json["plan"]["stages"][0]["query_heads"] = {1, 3};
  json["plan"]["stages"][0]["all_reduce"] = "ring";
  json["plan"]["gather"] = "tree";
  json["workload"]["streams"] = 2;
  json["cluster"]["link"]["latency_seconds"]["high"] = 0.5;
  json["model"]["tensors"]["output.weight"] = "q8_0";
  const auto read = parse(json.dump());
  ASSERT_TRUE(read) << to_line(read.error());
  EXPECT_EQ(read->plan.stages[0].shares.query_heads, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(read->plan.stages[0].decode.all_reduce, Algorithm::kRing);
  EXPECT_EQ(read->plan.stages[0].prefill.all_reduce, Algorithm::kDirect);
  EXPECT_EQ(read->plan.gather, Algorithm::kTree);
  EXPECT_EQ(read->problem.workload.streams, 2u);
  EXPECT_EQ(read->problem.cluster.link.latency.high, Seconds(0.5));
  EXPECT_EQ(read->problem.model.output->type, TensorType::kQ8_0);
}

TEST(PlanFile, PlansThatCannotBeCarriedOutAreRefusedByTheValidator) {
  EXPECT_EQ(error_line(hand_text()), "no error");
  const std::string stage = "/plan/stages/0/";
  const std::string at = "plan.json: plan.stages[0]";
  EXPECT_EQ(with(stage + "query_heads", {2, 1}), at + ".query_heads: shares do not add up, wanted 4, got 3");
  EXPECT_EQ(with(stage + "ffn_columns", {48, 48}),
            at + ".ffn_columns: a share cuts a unit, wanted a multiple of 32, got 48");
  EXPECT_EQ(with(stage + "vocabulary_rows", {0, 0}),
            at + ".vocabulary_rows: shares do not add up, wanted 100, got 0");
  EXPECT_EQ(with(stage + "cards", {0, 5}), at + ": no such card, wanted 0 to 4, got 5");
  EXPECT_EQ(with(stage + "cards", {1, 1}), at + ": card is used twice, got 1");
  EXPECT_EQ(with(stage + "cards", Json::array()), at + ": no cards, wanted one card or more, got none");
  EXPECT_EQ(with(stage + "first_layer", 1),
            at + ": layers do not follow one another, wanted layers from 0, got 1 to 1");
  EXPECT_EQ(with("/plan/stages", Json::array()),
            "plan.json: plan.stages: no stages, wanted one or more, got none");
  const auto scarce = parse([] {
    Json json = Json::parse(hand_text());
    for (const char* end : {"value", "low"}) json["cluster"]["card"]["memory_capacity_bytes"][end] = 100;
    return json.dump();
  }());
  ASSERT_FALSE(scarce);
  EXPECT_EQ(scarce.error().kind, ErrorKind::kInfeasible);
  EXPECT_TRUE(to_line(scarce.error()).starts_with("plan.json: plan: card 0: does not hold its part, wanted "))
      << to_line(scarce.error());
}

TEST(PlanFile, ProblemsThatCannotBeAreRefusedAtTheirKey) {
  const std::string at = "plan.json: workload.";
  EXPECT_EQ(with("/workload/context", 20),
            at + "context: too short for the prompt and what is generated, wanted 24 or more, got 20");
  EXPECT_EQ(with("/workload/streams", 0), at + "streams: out of range, wanted 1 to 65536, got 0");
  EXPECT_EQ(with("/workload/kv_dtype", "q4_0"),
            at + "kv_dtype: type not supported here, wanted f32, f16 or q8_0, got q4_0");
  expect_start(with("/workload/stream_bytes_per_token", INT64_MAX),
               at + "stream_bytes_per_token: bytes too many to count, w");
  EXPECT_EQ(with("/cluster/cards", 1025),
            "plan.json: cluster.cards: out of range, wanted 1 to 1024, got 1025");
}

TEST(PlanFile, WrongValuesAreRefusedAtTheirKey) {
  const std::string stage = "/plan/stages/1/";
  const std::string at = "plan.json: plan.stages[1].";
  EXPECT_EQ(with(stage + "cards", 2), at + "cards: wrong type, wanted an array of whole numbers, got 2");
  EXPECT_EQ(with(stage + "cards", {-1}),
            at + "cards[0]: out of range, wanted a whole number from 0 to 4294967295, got -1");
  EXPECT_EQ(with(stage + "query_heads", {"4"}),
            at + "query_heads[0]: wrong type, wanted a whole number from 0 to 4294967295, got \"4\"");
  EXPECT_EQ(with(stage + "last_layer", 2.0),
            at + "last_layer: wrong type, wanted a whole number from 0 to 4294967295, got 2.0");
  EXPECT_EQ(with(stage + "all_reduce", "ring"),
            at + "all_reduce: a card alone has no collectives, wanted null, got \"ring\"");
  expect_start(with(stage + "key_value_heads", {2}), at + "key_value_heads: unknown key, wan");
  EXPECT_EQ(with("/plan/stages/0/all_reduce", "gossip"),
            "plan.json: plan.stages[0].all_reduce: unknown, wanted one of ring, ring_bidirectional, "
            "recursive_doubling, halving_doubling, halving_doubling_far_first, tree, direct, got \"gossip\"");
  expect_start(with("/plan/stages/0/all_reduce", nullptr),
               "plan.json: plan.stages[0].all_reduce: wrong type, wanted one of ");
  EXPECT_EQ(with("/plan/gather", "ring"),
            "plan.json: plan.gather: unknown, wanted one of tree, direct, got \"ring\"");
  EXPECT_EQ(
      with("/workload/objective", "speed"),
      "plan.json: workload.objective: unknown, wanted one of latency, throughput, first-token, session, "
      "got \"speed\"");
  EXPECT_EQ(with("/workload/embedding", "disk"),
            "plan.json: workload.embedding: unknown, wanted one of cards, host, got \"disk\"");
  EXPECT_EQ(
      with("/workload/prompt", "16"),
      "plan.json: workload.prompt: wrong type, wanted a whole number from 0 to 18446744073709551615, got "
      "\"16\"");
  EXPECT_EQ(with("/prediction", Json::object()),
            "plan.json: prediction: unknown key, wanted one of schema, plan, workload, model, cluster");
  expect_start(with("/model/shape/head_dim", 0), "plan.json: model.shape.head_dim: out of");
  EXPECT_EQ(with("/cluster/host_link/shared", 0),
            "plan.json: cluster.host_link.shared: wrong type, wanted true or false, got 0");
}

TEST(PlanFile, OtherSchemasAreNamed) {
  const std::string wanted = ", wanted \"spanker.plan_file/1\", as --out writes it, got ";
  EXPECT_EQ(with("/schema", "spanker.plan_file/2"),
            "plan.json: schema: not a plan file of this version" + wanted + "\"spanker.plan_file/2\"");
  EXPECT_EQ(error_line(R"({"schema": "spanker.plan/1", "feasible": true})"),
            "plan.json: schema: not a plan file of this version" + wanted + "\"spanker.plan/1\"");
  EXPECT_EQ(with("/schema", 1), "plan.json: schema: wrong type, wanted text, got 1");
  EXPECT_EQ(error_line("{}"), "plan.json: schema: missing, wanted text");
}

/// Each key of each object, one at a time.
void expect_every_key_is_missed(Json& whole, Json& part, const std::string& path) {
  for (std::size_t i = 0; part.is_array() && i < part.size(); ++i) {
    expect_every_key_is_missed(whole, part[i], path + "[" + std::to_string(i) + "]");
  }
  if (!part.is_object()) return;
  const Json before = part;
  for (const auto& [key, value] : before.items()) {
    const std::string inner = (path.empty() ? "" : path + ".") + key;
    expect_every_key_is_missed(whole, part[key], inner);
    if (key == "serial_share" || key == "serial_layer_bytes" || key == "wait_share")
      continue;  // which older files do not have
    part.erase(key);
    const std::string start = "plan.json: " + inner + ": missing";
    expect_start(error_line(whole.dump()), start);
    part[key] = value;
  }
}

TEST(PlanFile, EveryKeyIsMissed) {
  Json json = Json::parse(hand_text());
  expect_every_key_is_missed(json, json, "");
}

// ---- Hostile bytes

/// An error is one line that begins with the file, and not much longer than what it tells.
void expect_a_plan_or_an_error(const std::string& text) {
  const auto read = parse(text);
  if (read) return;
  const std::string line = to_line(read.error());
  EXPECT_TRUE(line.starts_with("plan.json")) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_LT(line.size(), 1000u);
}

TEST(HostilePlanFile, EveryTruncationIsAnError) {
  const std::string text = hand_text();
  for (std::size_t length = 0; length <= text.rfind('}'); ++length) {
    const std::string line = error_line(std::string(text.data(), length));
    ASSERT_TRUE(line.starts_with("plan.json: byte ")) << length << ": " << line;
  }
}

TEST(HostilePlanFile, AnySingleByteMayBeAnother) {
  std::string text = hand_text();
  for (char& byte : text) {
    const char original = byte;
    for (const int value : {0x00, 0xFF, 0x22, 0x2C, 0x39, 0x7B, original ^ 1}) {
      byte = static_cast<char>(value);
      expect_a_plan_or_an_error(text);
    }
    byte = original;
  }
}

TEST(HostilePlanFile, WhatIsNoPlan) {
  EXPECT_EQ(error_line("[]"), "plan.json: not a plan file, wanted a JSON object, got array");
  expect_start(error_line(""), "plan.json: byte 1: not JSON, wanted an object as in a plan");
  expect_start(error_line(hand_text() + "{}"), "plan.json: byte");
  EXPECT_EQ(error_line("{\"plan\": " + std::string(500'000, '[')),
            "plan.json: values nested too deeply, wanted at most 32 levels");
  std::string twice = hand_text();
  twice.insert(twice.find("\"gather\""), "\"gather\": \"tree\", ");
  EXPECT_EQ(error_line(twice), "plan.json: plan.gather: key stands twice in an object");
}

TEST(HostilePlanFile, ManyThingsAreRefusedInNoTime) {
  std::string many = "[0";
  for (int i = 1; i < 500'000; ++i) many += ",0";
  expect_start(with("/plan/stages/1/cards", Json::parse(many + "]")),
               "plan.json: plan.stages[1].all_reduce: w");
  std::string objects = "[{}";
  for (int i = 1; i < 500'000; ++i) objects += ",{}";
  for (const char* list :
       {"/plan/stages", "/cluster/card_overrides", "/cluster/link_overrides", "/model/layers"}) {
    const std::string line = with(list, Json::parse(objects + "]"));
    EXPECT_NE(line.find("[0]."), std::string::npos) << line.substr(0, 500);
  }
}

// ---- Files

class PlanFiles : public testing::FolderTest {
 protected:
  bool nothing_else_is_left(std::size_t files) const { return folder_.entries() == files; }
};

TEST_F(PlanFiles, AreWrittenAndRead) {
  const Problem problem = small_problem(3);
  const Plan plan = *search(problem);
  const std::string file = path("plan.json");
  ASSERT_TRUE(write_plan_file(file, problem, plan));
  const auto read = read_plan_file(file);
  ASSERT_TRUE(read) << to_line(read.error());
  expect_same(predict(read->problem, read->plan), predict(problem, plan));
  EXPECT_TRUE(nothing_else_is_left(1));
}

TEST_F(PlanFiles, AFullDiskLeavesWhatWasThere) {
  const Problem problem = small_problem(3);
  const std::string file = write("plan.json", "old");
  const FileSizeLimit limit(1000);
  const auto written = write_plan_file(file, problem, *search(problem));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(to_line(written.error()).starts_with(file + ": cannot write")) << to_line(written.error());
  EXPECT_EQ(fs::file_size(file), 3u);
  EXPECT_TRUE(nothing_else_is_left(1));
}

TEST_F(PlanFiles, WhatCouldNotBeReadIsNotWritten) {
  Problem problem = small_problem(3);
  problem.cluster.description.assign(kMaxPlanFileBytes, 'x');
  const auto written = write_plan_file(path("plan.json"), problem, *search(problem));
  ASSERT_FALSE(written);
  EXPECT_TRUE(to_line(written.error())
                  .starts_with(path("plan.json") +
                               ": plan too large for a plan file, wanted at most 16777216 bytes, got 1678"))
      << to_line(written.error());
  EXPECT_TRUE(nothing_else_is_left(0));
}

TEST_F(PlanFiles, OthersCannotBeRead) {
  const auto line = [](const std::string& file) {
    const auto read = read_plan_file(file);
    return read ? "no error" : to_line(read.error());
  };
  EXPECT_EQ(line(path("absent")), path("absent") + ": cannot open: No such file or directory");
  const std::string large = write("large", std::string(kMaxPlanFileBytes + 1, ' '));
  EXPECT_EQ(line(large), large + ": file too large, wanted at most 16777216 bytes, got 16777217 bytes");
  EXPECT_EQ(line(write("bytes", "\xff")),
            path("bytes") + ": not a text file, wanted valid UTF-8, got other bytes");
}

TEST_F(PlanFiles, AreToldByTheirSchema) {
  const auto is_one = [&](const std::string& content) { return is_plan_file(write("file", content)); };
  EXPECT_TRUE(is_one(hand_text()));
  EXPECT_TRUE(is_one(R"({"schema": "spanker.plan/1"})"));
  EXPECT_TRUE(is_one(R"( {"a": [{"schema": 1}, "schema"], "schema": "spanker.plan_file/9", cut short)"));
  EXPECT_FALSE(is_one(R"({"model_type": "llama", "inner": {"schema": "spanker.plan_file/1"}})"));
  EXPECT_FALSE(is_one(R"({"schema": ["spanker.plan_file/1"]})"));
  EXPECT_FALSE(is_one(R"({"schema": {"schema": "spanker.plan_file/1"}})"));
  EXPECT_FALSE(is_one(R"({"schema": 1, "a": "spanker.plan_file/1"})"));
  EXPECT_FALSE(is_one(R"({"schema": "https://json-schema.org", "a": "spanker."})"));
  EXPECT_FALSE(is_one(R"(["schema", "spanker.plan_file/1"])"));
  EXPECT_FALSE(is_one(R"("spanker.plan_file/1")"));
  EXPECT_FALSE(is_one("GGUF"));
  EXPECT_FALSE(is_one(""));
  EXPECT_FALSE(is_one(std::string(1'000'000, '[')));
  EXPECT_FALSE(is_plan_file(path("absent")));
  EXPECT_FALSE(is_plan_file(path("")));
}

}  // namespace
}  // namespace spanker
