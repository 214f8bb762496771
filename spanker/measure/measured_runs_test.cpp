#include "spanker/measure/measured_runs.hpp"

#include <gtest/gtest.h>

#include "spanker/base/file.hpp"
#include "spanker/base/folder_for_test.hpp"

namespace spanker {
namespace {

using testing::FolderTest;

std::string file_of(const std::string& run) {
  return R"({"schema": "spanker.measured_runs/1", "runs": [{)" + run + "}]}";
}

constexpr const char* kLeast =
    R"("cluster": "c", "model": "llama-2-7b", "quant": "q4_0", "cards": 2, "seconds_per_token": 0.5)";

std::string least_and(const std::string& more) { return file_of(std::string(kLeast) + ", " + more); }

void refuse(const std::string& text, const std::string& line) {
  const auto runs = parse_measured_runs(text, "x.json");
  ASSERT_FALSE(runs) << text;
  EXPECT_EQ(runs.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(runs.error()), line);
}

MeasuredRun full_run() {
  MeasuredRun run;
  run.cluster = "boards \"one\"";
  run.device = "a board";
  run.link = "a cable";
  run.model = "models/tiny.gguf";
  run.quant = TensorType::kQ8_0;
  run.strategy = PlanStrategy::kPipelineParallel;
  run.wire = TensorType::kQ8_0;
  run.kv_type = TensorType::kF32;
  run.context = 77;
  run.cards = 3;
  run.seconds_per_token = Seconds(0.1);
  run.compute_seconds = Seconds(1.0 / 30);
  run.transfer_seconds = Seconds(0);
  run.root_sent_bytes = Bytes(12);
  run.root_received_bytes = Bytes(0);
  run.samples = 5;
  run.source = "a test";
  return run;
}

TEST(MeasuredRuns, PublishedFileIsReadWhole) {
  const auto runs = read_measured_runs(SPANKER_SOURCE_DIR "/docs/data/measured_runs.json");
  ASSERT_TRUE(runs) << to_line(runs.error());
  ASSERT_EQ(runs->runs.size(), 10u);
  const MeasuredRun& last_pi4 = runs->runs[3];
  EXPECT_EQ(last_pi4.cluster, "raspberry-pi-4b-gbe");
  EXPECT_EQ(last_pi4.schedule, EngineSchedule::kRootStarV1);
  EXPECT_EQ(last_pi4.quant, TensorType::kQ4_0);
  EXPECT_EQ(last_pi4.wire, TensorType::kQ8_0);
  EXPECT_EQ(last_pi4.cards, 8u);
  EXPECT_EQ(last_pi4.seconds_per_token, Seconds(0.58819));
  EXPECT_EQ(last_pi4.root_sent_bytes, Bytes(5094 * 1024));
  EXPECT_FALSE(runs->runs[4].root_sent_bytes);
}

TEST(MeasuredRuns, LeastKeysHaveDefaults) {
  const auto runs = parse_measured_runs(file_of(kLeast), "x.json");
  ASSERT_TRUE(runs) << to_line(runs.error());
  MeasuredRun expected;
  expected.cluster = "c";
  expected.model = "llama-2-7b";
  expected.quant = TensorType::kQ4_0;
  expected.cards = 2;
  expected.seconds_per_token = Seconds(0.5);
  EXPECT_EQ(runs->runs, std::vector{expected});
}

TEST(MeasuredRuns, WhatIsWrittenIsReadBack) {
  MeasuredRun other = full_run();
  other.strategy.reset();
  other.schedule = EngineSchedule::kAllToAll;
  other.compute_seconds.reset();
  other.root_sent_bytes.reset();
  const MeasuredRuns runs{"a note", {full_run(), other}};
  EXPECT_EQ(parse_measured_runs(measured_runs_text(runs), "x.json"), runs);
}

TEST(MeasuredRuns, RefusesWhatIsMissingUnknownOrOutOfRange) {
  refuse(
      "{",
      "x.json: byte 2: not JSON, wanted an object as in a runs file, got unexpected end of input; expected "
      "string literal");
  refuse(R"({"schema": "spanker.plan/1"})",
         "x.json: schema: not a runs file of this version, wanted \"spanker.measured_runs/1\", got "
         "\"spanker.plan/1\"");
  refuse(R"({"schema": "spanker.measured_runs/1", "runs": []})",
         "x.json: runs: out of range, wanted 1 to 10000 runs, got 0");
  refuse(file_of(R"("model": "m", "cards": 2, "seconds_per_token": 1)"),
         "x.json: runs[0].cluster: missing, wanted text");
  refuse(file_of(R"("cluster": "", "model": "m", "cards": 2, "seconds_per_token": 1)"),
         "x.json: runs[0].cluster: empty, wanted a name");
  refuse(file_of(R"("cluster": "c", "model": "llama-2-7b", "cards": 2, "seconds_per_token": 1)"),
         "x.json: runs[0].quant: missing, wanted how the preset's weights were stored, such as \"q4_0\"");
  refuse(file_of(R"("cluster": "c", "model": "m", "cards": 0, "seconds_per_token": 1)"),
         "x.json: runs[0].cards: out of range, wanted a whole number from 1 to 1024, got 0");
  refuse(file_of(R"("cluster": "c", "model": "m", "cards": 1, "seconds_per_token": 0)"),
         "x.json: runs[0].seconds_per_token: out of range, wanted a number above 0, got 0");
  refuse(least_and(R"("colour": 1)"),
         "x.json: runs[0].colour: unknown key, wanted one of cluster, device, link, model, quant, schedule, "
         "strategy, wire, kv_dtype, context, cards, seconds_per_token, compute_seconds, transfer_seconds, "
         "root_sent_bytes, root_received_bytes, samples, source");
  refuse(least_and(R"("samples": 0)"),
         "x.json: runs[0].samples: out of range, wanted a whole number from 1 to 4294967295, got 0");
  refuse(least_and(R"("schedule": "star")"),
         "x.json: runs[0].schedule: unknown, wanted one of plan, root_star_v1, root_star, all_to_all, "
         "pipeline, got \"star\"");
  refuse(least_and(R"("wire": "q4_0")"),
         "x.json: runs[0].wire: unknown, wanted one of f32, f16, q8_0, got \"q4_0\"");
  refuse(least_and(R"("root_sent_bytes": -1)"),
         "x.json: runs[0].root_sent_bytes: out of range, wanted a whole number from 0 to "
         "9223372036854775807, got -1");
  refuse(least_and(R"("compute_seconds": 0.6)"),
         "x.json: runs[0].compute_seconds: longer than the whole token, wanted at most seconds_per_token, "
         "0.5, got 0.6");
  refuse(least_and(R"("transfer_seconds": -0.1)"),
         "x.json: runs[0].transfer_seconds: out of range, wanted a number, 0 or more, got -0.1");
  refuse(
      least_and(R"("schedule": "pipeline", "strategy": "hybrid")"),
      "x.json: runs[0].strategy: only a plan has a strategy, wanted no such key, or schedule \"plan\", got "
      "pipeline");
}

TEST(MeasuredRuns, PartsMayBeRoundedUp) {
  EXPECT_TRUE(parse_measured_runs(least_and(R"("compute_seconds": 0.501)"), "x.json"));
}

using MeasuredRunsFile = FolderTest;

TEST_F(MeasuredRunsFile, AppendingMakesTheFileAndKeepsWhatIsThere) {
  const std::string file = path("runs.json");
  ASSERT_TRUE(append_measured_runs(file, {full_run()}));
  MeasuredRun second = full_run();
  second.cards = 4;
  ASSERT_TRUE(append_measured_runs(file, {second}));
  const auto runs = read_measured_runs(file);
  ASSERT_TRUE(runs) << to_line(runs.error());
  EXPECT_EQ(runs->runs, (std::vector{full_run(), second}));
}

TEST_F(MeasuredRunsFile, AppendingToAnotherFileLeavesItAlone) {
  const std::string file = write("other.json", "{}");
  const auto result = append_measured_runs(file, {full_run()});
  ASSERT_FALSE(result);
  EXPECT_EQ(to_line(result.error()), file + ": schema: missing, wanted text");
  EXPECT_EQ(read_text_file(file, 10), "{}");
}

TEST_F(MeasuredRunsFile, AppendingWhatCannotBeReadWritesNothing) {
  MeasuredRun wrong = full_run();
  wrong.cards = 0;
  EXPECT_FALSE(append_measured_runs(path("runs.json"), {wrong}));
  EXPECT_FALSE(read_text_file(path("runs.json"), 10));
}

TEST_F(MeasuredRunsFile, MissingFileIsAnInputFailure) {
  const auto runs = read_measured_runs(path("none.json"));
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace spanker
