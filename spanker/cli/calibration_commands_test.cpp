#include <gtest/gtest.h>

#include "spanker/base/file.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

using namespace testing;

constexpr const char* kPublished = SPANKER_SOURCE_DIR "/docs/data/measured_runs.json";

class CliCalibration : public FolderTest {
 protected:
  /// A runs file of one run.
  std::string one_run(const std::string& more = "") {
    return write("one.json",
                 R"({"schema": "spanker.measured_runs/1", "runs": [{"cluster": "raspberry-pi-5-gbe",
      "model": "llama-2-7b", "quant": "q4_0", "schedule": "root_star_v1", "wire": "q8_0", "cards": 1,
      "seconds_per_token": 0.5)" +
                     more + "}]}");
  }
};

TEST_F(CliCalibration, FitWritesAProfileThatPlansRead) {
  const std::string out = path("mine.toml");
  const Json fit =
      json_of({"fit", kPublished, "--cluster", "raspberry-pi-4b-gbe", "--cards", "<=2", "--out", out});
  EXPECT_EQ(fit["schema"], "spanker.fit/1");
  EXPECT_EQ(fit["runs"], 2);
  EXPECT_EQ(fit["profile"], out);
  const Json& bandwidth = fit["numbers"][0];
  EXPECT_EQ(bandwidth["key"], "card.memory_bandwidth");
  EXPECT_EQ(bandwidth["identified"], true);
  EXPECT_NEAR(bandwidth["value"].get<double>(), 2.84e9, 0.02 * 2.84e9);
  EXPECT_EQ(load_cluster(out)->card.memory_bandwidth.value.value, bandwidth["value"].get<double>());
  EXPECT_EQ(json_of({"plan", "tinyllama-1.1b", "--cluster", out})["cluster"]["name"], "raspberry-pi-4b-gbe");
}

TEST_F(CliCalibration, FitSaysWhatTheRunsCannotTell) {
  const Outcome outcome =
      run({"fit", one_run(), "--cluster", "raspberry-pi-5-gbe", "--out", path("mine.toml")});
  EXPECT_EQ(outcome.code, ExitCode::kFine) << outcome.error;
  EXPECT_NE(outcome.out.find("link.latency"), std::string::npos);
  EXPECT_NE(outcome.out.find("not identified"), std::string::npos) << outcome.out;
}

TEST_F(CliCalibration, FitNeverReadsRunsThatTheFilterLeavesOut) {
  const auto profile = [&](const std::string& file, const Arguments& more) {
    const Outcome outcome =
        run(Arguments{"fit", file, "--cluster", "raspberry-pi-4b-gbe", "--out", path("p.toml")} + more);
    EXPECT_EQ(outcome.code, ExitCode::kFine) << outcome.error;
    return folder_.content("p.toml");
  };
  Json all = Json::parse(*read_text_file(kPublished, 1 << 20));
  Json few = all;
  few["runs"] = Json::array();
  for (const Json& each : all["runs"]) {
    if (each["cards"] <= 2) few["runs"].push_back(each);
  }
  const std::string whole = profile(kPublished, {"--cards", "<=2"});
  EXPECT_EQ(whole, profile(write("few.json", few.dump()), {}));
  EXPECT_EQ(whole, profile(kPublished, {"--where", "cards<=2"}));
  EXPECT_NE(whole, profile(kPublished, {}));
}

TEST_F(CliCalibration, FitRefusesWhatItCannotFit) {
  const std::string out = path("none.toml");
  const auto fit = [&](const std::string& file, const std::string& cluster, const Arguments& more = {}) {
    return Arguments{"fit", file, "--cluster", cluster, "--out", out} + more;
  };
  expect_bad_input({"fit", kPublished, "--out", out}, "spanker fit: --cluster is required");
  expect_bad_input(fit(kPublished, "sails-rev-a"), "--cluster: no run of ...");
  expect_bad_input(fit(kPublished, "nix"), "nix: no such cluster profile, wanted ...");
  expect_bad_input(fit(kPublished, "raspberry-pi-5-gbe", {"--cards", "2"}),
                   "--cards: not a filter of runs, ...");
  expect_bad_input(fit(kPublished, "raspberry-pi-5-gbe", {"--cards", ">9"}),
                   std::string(kPublished) + ": no run is left to fit, wanted a filter that some runs meet");
  expect_bad_input(fit(one_run(", \"colour\": 1"), "raspberry-pi-5-gbe"),
                   path("one.json") + ": runs[0].colour: ...");
  expect_error(fit(path("nix.json"), "raspberry-pi-5-gbe"), ExitCode::kIo, path("nix.json") + ": ...");
  expect_error({"fit", kPublished, "--cluster", "raspberry-pi-5-gbe", "--out", path("no/out.toml")},
               ExitCode::kIo, path("no/out.toml") + ": ...");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(CliCalibration, FitTakesRunsOfOneEngine) {
  const std::string file = write("two.json", R"({"schema": "spanker.measured_runs/1", "runs": [
    {"cluster": "c", "model": "llama-2-7b", "quant": "q4_0", "schedule": "root_star", "cards": 1, "seconds_per_token": 0.5},
    {"cluster": "c", "model": "llama-2-7b", "quant": "q4_0", "schedule": "all_to_all", "cards": 1, "seconds_per_token": 0.4}]})");
  const Arguments fit = {"fit", file, "--cluster", "raspberry-pi-5-gbe", "--out", path("p.toml")};
  expect_bad_input(fit,
                   file +
                       ": runs[1].schedule: runs of several engines in one fit, wanted root_star as before "
                       "it, or --where \"schedule=...\", got all_to_all");
  EXPECT_EQ(run(fit + Arguments{"--where", "schedule=root_star"}).code, ExitCode::kFine);
}

TEST_F(CliCalibration, ValidateComparesEveryRun) {
  const Json json = json_of({"validate", kPublished, "--fit", "cards<=2"});
  EXPECT_EQ(json["schema"], "spanker.validate/1");
  ASSERT_EQ(json["runs"].size(), 10u);
  EXPECT_EQ(json["clusters"].size(), 3u);
  EXPECT_EQ(json["held_out"], true);
  const Json& eight = json["runs"][3];
  EXPECT_EQ(eight["cards"], 8);
  EXPECT_EQ(eight["fitted"], false);
  EXPECT_EQ(eight["seconds_per_token"]["measured"], 0.58819);
  EXPECT_EQ(eight["seconds_per_token"]["inside"], true);
  EXPECT_EQ(json["summary"]["total"]["runs"], 4);
  EXPECT_EQ(json["summary"]["total"]["inside"], 4);
  EXPECT_LE(json["summary"]["total"]["median_high_over_low"], 2.5);
  EXPECT_EQ(json["summary"]["together"]["runs"], 12);
  EXPECT_GE(json["summary"]["together"]["inside"], 11);
  EXPECT_LE(json["summary"]["together"]["median_high_over_low"], 2.5);
  const Outcome text = run({"validate", kPublished, "--fit", "cards<=2"});
  EXPECT_NE(text.out.find("runs that were not fitted"), std::string::npos);
}

TEST_F(CliCalibration, ValidateHoldsABound) {
  const Arguments fitted = {"validate", kPublished, "--fit", "cards<=2", "--part", "compute", "--max-error"};
  EXPECT_EQ(run(fitted + Arguments{"10%"}).code, ExitCode::kFine);
  const Outcome exceeded = run(fitted + Arguments{"1 %"});
  EXPECT_EQ(exceeded.code, ExitCode::kNo);
  EXPECT_TRUE(
      exceeded.error.starts_with("--max-error: a compute is predicted too far off, wanted at most 1 %, got "))
      << exceeded.error;
  EXPECT_FALSE(exceeded.out.empty()) << "the table is what tells why";
}

TEST_F(CliCalibration, ValidateDraws) {
  EXPECT_EQ(run({"validate", kPublished, "--fit", "cards<=2", "--svg", path("runs.svg")}).code,
            ExitCode::kFine);
  const std::string svg = folder_.content("runs.svg");
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_NE(svg.find("predicted = measured"), std::string::npos);
}

TEST_F(CliCalibration, ValidateTakesTheProfileThatIsGiven) {
  const auto predicted = [&](const Arguments& more) {
    return json_of(Arguments{"validate", one_run()} + more)["runs"][0]["seconds_per_token"]["predicted"]
        .get<double>();
  };
  EXPECT_GT(predicted({"--cluster", "raspberry-pi-4b-gbe"}), 2 * predicted({}));
}

TEST_F(CliCalibration, ValidateRefusesWhatIsWrong) {
  expect_bad_input({"validate"}, "spanker validate: RUNS is required");
  expect_bad_input({"validate", kPublished, "--max-error", "10"},
                   "--max-error: not a quantity, wanted a share ...");
  expect_bad_input({"validate", kPublished, "--part", "all"},
                   "--part: unknown, wanted compute, transfer or total, got all");
  expect_bad_input({"validate", kPublished, "--fit", "cards"}, "--fit: not a filter of runs, ...");
  expect_bad_input({"validate", kPublished, "--fit", "cards>9"},
                   "--fit: no run is left to fit, wanted a filter that some runs meet, got cards>9");
  expect_bad_input({"validate", write("x.json", "{}")}, path("x.json") + ": schema: missing, wanted text");
  expect_error({"validate", kPublished, "--svg", path("no/x.svg")}, ExitCode::kIo,
               path("no/x.svg") + ": ...");
  const std::string unknown =
      write("c.json", R"({"schema": "spanker.measured_runs/1", "runs": [{"cluster": "c",
    "model": "llama-2-7b", "quant": "q4_0", "cards": 1, "seconds_per_token": 0.5}]})");
  expect_bad_input({"validate", unknown},
                   unknown + ": runs[0].cluster: no built-in profile of that name, ...");
}

TEST_F(CliCalibration, PlanPredictsOtherEngines) {
  const Arguments plan = {"plan",         "llama-2-7b", "--cluster", "raspberry-pi-4b-gbe",
                          "--cards",      "8",          "--context", "16",
                          "--link-dtype", "q8_0",       "--schedule"};
  const Json json = json_of(plan + Arguments{"root_star_v1"});
  EXPECT_EQ(json["schema"], "spanker.engine/1");
  EXPECT_EQ(json["schedule"], "root_star_v1");
  EXPECT_EQ(json["root_sent_bytes"].get<std::uint64_t>() / 1024, 5094u);
  EXPECT_EQ(json["root_received_bytes"].get<std::uint64_t>() / 1024, 914u);
  const Json& prediction = json["prediction"];
  EXPECT_GT(prediction["compute_seconds"], 0.2);
  EXPECT_LT(prediction["tokens_per_second_low"], prediction["tokens_per_second"]);
  EXPECT_GT(prediction["tokens_per_second_high"], prediction["tokens_per_second"]);
  EXPECT_NE(run(plan + Arguments{"all_to_all"}).out.find("by all_to_all"), std::string::npos);
  expect_bad_input(
      plan + Arguments{"star"},
      "--schedule: unknown schedule, wanted root_star_v1, root_star, all_to_all or pipeline, got star");
  expect_bad_input(plan + Arguments{"pipeline", "--frontier"}, "spanker plan: ...");
  expect_bad_input(plan + Arguments{"pipeline", "--strategy", "tensor"}, "spanker plan: ...");
}

TEST_F(CliCalibration, HelpShowsExamples) {
  for (const char* command : {"fit", "validate"}) {
    const Outcome outcome = run({command, "--help"});
    EXPECT_EQ(outcome.code, ExitCode::kFine);
    EXPECT_NE(outcome.out.find(std::string("  spanker ") + command + " runs.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace spanker
