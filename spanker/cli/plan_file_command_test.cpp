#include <gtest/gtest.h>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

class PlanFileCommand : public FolderTest {};

TEST_F(PlanFileCommand, TheReportOfAFileIsThatOfItsPlanWithoutWhatASearchTells) {
  for (const Arguments& question :
       {Arguments{"--cards", "4"},
        {"--cluster", "raspberry-pi-5-gbe", "--streams", "4", "--objective", "throughput"},
        {"--strategy", "pipeline", "--kv-dtype", "q8_0", "--link-dtype", "f16", "--embedding", "host",
         "--prompt", "77", "--checkpoint-bytes", "2 GB", "--stream-bytes-per-token", "5000"},
        {"--cards", "1", "--quant", "q8_0"}}) {
    const std::string file = path("plan.json");
    Json asked = json_of(Arguments{"plan", "tinyllama-1.1b", "--out", file} + question);
    const Json shown = json_of({"plan", file});
    EXPECT_EQ(shown["sensitivity"], Json::array());
    EXPECT_EQ(shown["alternatives"], Json::array());
    EXPECT_TRUE(shown["prefill_choice"].is_null());
    for (const char* searched : {"sensitivity", "alternatives", "prefill_choice", "warnings"}) {
      asked[searched] = shown[searched];
    }
    EXPECT_EQ(shown, asked) << shown.dump(2);
  }
}

TEST_F(PlanFileCommand, TablesAreTheSameToo) {
  const Outcome asked = run({"plan", "tinyllama-1.1b", "--cards", "4", "--out", path("plan.json")});
  const Outcome shown = run({"plan", path("plan.json")});
  ASSERT_EQ(shown.code, ExitCode::kFine) << shown.error;
  const std::string placement = asked.out.substr(0, asked.out.find("\nPrefill on this placement"));
  EXPECT_EQ(shown.out.substr(0, placement.size()), placement);
  EXPECT_EQ(shown.out.find("What would change it"), std::string::npos);
  EXPECT_EQ(run({"plan", path("plan.json"), "--out", path("again.json")}).code, ExitCode::kFine);
  EXPECT_EQ(folder_.content("again.json"), folder_.content("plan.json"));
}

TEST_F(PlanFileCommand, AnEditedPlanIsPricedAsItStands) {
  const std::string file = path("plan.json");
  const Json asked = json_of({"plan", "tinyllama-1.1b", "--cards", "4", "--out", file});
  Json plan = Json::parse(folder_.content("plan.json"));
  plan["plan"]["stages"][0]["ffn_columns"] = {2816, 0, 1408, 1408};
  const Json edited = json_of({"plan", write("plan.json", plan.dump())});
  EXPECT_EQ(edited["plan"]["stages"][0]["ffn_columns"], plan["plan"]["stages"][0]["ffn_columns"]);
  const auto memory_seconds = [](const Json& json) {
    return json["prediction"]["decode"]["breakdown"]["memory"].get<double>();
  };
  // Three matrices of 2048 x 1408 more, of 18 bytes for 32 elements, in each of 22 layers at 2 GB/s.
  EXPECT_NEAR(memory_seconds(edited) - memory_seconds(asked), 22 * 3 * 2048 * 1408.0 * 18 / 32 / 2e9, 1e-9);

  plan["plan"]["stages"][0]["ffn_columns"] = {1408, 1408, 1408, 1400};
  expect_bad_input(
      {"plan", write("plan.json", plan.dump())},
      file + ": plan.stages[0].ffn_columns: a share cuts a unit, wanted a multiple of 32, got 1400");
}

TEST_F(PlanFileCommand, ATargetWritesThePlanThatReachedIt) {
  const Json asked = json_of({"plan", "tinyllama-1.1b", "--target", "10", "--out", path("plan.json")});
  const Json shown = json_of({"plan", path("plan.json")});
  EXPECT_EQ(shown["cluster"]["cards"], 4);
  EXPECT_EQ(shown["prediction"], asked["prediction"]);
}

TEST_F(PlanFileCommand, WhereThereIsNoPlanNothingIsWritten) {
  for (const Arguments& question :
       {Arguments{"llama-2-70b", "--cards", "8"}, {"tinyllama-1.1b", "--target", "10", "--cards", "3"}}) {
    EXPECT_EQ(run(Arguments{"plan", "--out", path("plan.json")} + question).code, ExitCode::kNo);
    EXPECT_EQ(folder_.entries(), 0u);
  }
}

TEST_F(PlanFileCommand, PlacesThatCannotBeWritten) {
  const Arguments plan = {"plan", "tinyllama-1.1b", "--out"};
  expect_error(plan + Arguments{path("none/plan.json")}, ExitCode::kIo,
               path("none/plan.json") + ": cannot create a file beside it: No such file or directory");
  expect_error(plan + Arguments{"/dev/full"}, ExitCode::kIo, "/dev/full: cannot be written...");
  const std::string file = write("plan.json", "old");
  const FileSizeLimit limit(1000);
  expect_error(plan + Arguments{file}, ExitCode::kIo, file + ": cannot write: ...");
  EXPECT_EQ(folder_.content("plan.json"), "old");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(PlanFileCommand, FlagsThatAskSomethingElse) {
  const std::string file = path("plan.json");
  ASSERT_EQ(run({"plan", "tinyllama-1.1b", "--out", file}).code, ExitCode::kFine);
  for (const Arguments& flag : {Arguments{"--quant", "q4_0"},
                                {"--cluster", "sails-rev-a"},
                                {"--cards", "4"},
                                {"--context", "2048"},
                                {"--prompt", "512"},
                                {"--generate", "128"},
                                {"--streams", "1"},
                                {"--objective", "latency"},
                                {"--strategy", "auto"},
                                {"--kv-dtype", "f16"},
                                {"--link-dtype", "f32"},
                                {"--embedding", "cards"},
                                {"--checkpoint-bytes", "0"},
                                {"--stream-bytes-per-token", "0"},
                                {"--target", "1"},
                                {"--frontier"}}) {
    expect_bad_input(Arguments{"plan", file} + flag,
                     flag[0] +
                         ": a plan file holds model, cluster and workload itself, wanted no such flag "
                         "beside a plan file, got " +
                         file);
  }
  expect_bad_input({"plan", "tinyllama-1.1b", "--frontier", "--out", file},
                   "spanker plan: --frontier excludes --out");
}

TEST_F(PlanFileCommand, OtherFiles) {
  const std::string report = write("report.json", run({"plan", "tinyllama-1.1b", "--json"}).out);
  expect_bad_input({"plan", report},
                   report +
                       ": schema: not a plan file of this version, wanted \"spanker.plan_file/1\", as --out "
                       "writes it, got \"spanker.plan/1\"");
  expect_bad_input({"plan", write("config.json", R"({"model_type": "bert"})")},
                   path("config.json") + ": model_type: model type is not read...");
  // Neither the name nor the ending matters.
  ASSERT_EQ(run({"plan", "tinyllama-1.1b", "--out", path("four sails")}).code, ExitCode::kFine);
  EXPECT_EQ(run({"plan", path("four sails")}).code, ExitCode::kFine);
}

}  // namespace
}  // namespace spanker
