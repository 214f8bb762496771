#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;
namespace fs = std::filesystem;

class SimulateCommand : public FolderTest {
 protected:
  std::string faults(const std::string& tables) const {
    return write("faults.toml", "schema = \"spanker.faults/1\"\n" + tables);
  }
};

const Arguments kFourSails = {"simulate", "tinyllama-1.1b", "--cards", "4"};

TEST_F(SimulateCommand, TellsWhatTheContractAsksFor) {
  const Json json = json_of(kFourSails + Arguments{"--tokens", "4"});
  EXPECT_EQ(json["schema"], "spanker.simulate/1");
  EXPECT_EQ(json["outcome"], "finished");
  EXPECT_EQ(json["steps_done"], json["steps_total"]);
  EXPECT_EQ(json["tokens_decoded"], 4);
  const double closed_form = json["closed_form_tokens_per_second"];
  EXPECT_NEAR(closed_form, 12.54066, 1e-5);  // docs/cost-model.md
  EXPECT_NEAR(json["tokens_per_second"], closed_form, 1e-6 * closed_form);
  EXPECT_NEAR(json["time_to_first_token_seconds"], 0.359731528, 1e-6);
  EXPECT_NEAR(json["makespan_seconds"], 0.359731528 + 4 * 0.079740592, 1e-6);
  for (const char* percentile : {"p50", "p95", "p99"}) {
    EXPECT_NEAR(json["token_seconds"][percentile], 0.079740592, 1e-6);
  }
  ASSERT_EQ(json["cards"].size(), 4u);
  EXPECT_NEAR(json["cards"][2]["busy"], (0.076095488 + 4 * 0.078687552) / (0.359731528 + 4 * 0.079740592),
              1e-4);
  std::set<std::string> links;
  for (const Json& link : json["links"]) {
    links.insert(link["link"]);
    EXPECT_GT(link["busy"], 0);
    EXPECT_LT(link["busy"], 1);
  }
  EXPECT_EQ(links, (std::set<std::string>{"0->1", "1->0", "1->2", "2->1", "2->3", "3->2", "3->0", "0->3",
                                          "host->cards", "cards->host"}));
}

TEST_F(SimulateCommand, TakesAPlanFile) {
  const std::string plan = path("plan.json");
  json_of({"plan", "tinyllama-1.1b", "--cards", "3", "--streams", "2", "--out", plan});
  const Json from_file = json_of({"simulate", plan, "--tokens", "3"});
  const Json from_flags =
      json_of({"simulate", "tinyllama-1.1b", "--cards", "3", "--streams", "2", "--tokens", "3"});
  EXPECT_EQ(from_file, from_flags);
  expect_error({"simulate", plan, "--cards", "2"}, ExitCode::kBadInput,
               "--cards: a plan file holds model, cluster and workload itself...");
}

TEST_F(SimulateCommand, SimulatesAsManyTokensAsStepsPayFor) {
  const Json short_run = json_of({"simulate", "tinyllama-1.1b", "--cards", "4", "--generate", "3"});
  EXPECT_EQ(short_run["tokens_wanted"], 3);
  const Json wide = json_of({"simulate", "tinyllama-1.1b", "--cards", "32", "--strategy", "tensor"});
  EXPECT_LT(wide["tokens_wanted"], 128);
  EXPECT_GE(wide["tokens_wanted"], 2);
  bool told = false;
  for (const std::string warning : wide["warnings"]) {
    told |= warning.find("of 128 tokens of each stream are simulated") != std::string::npos;
  }
  EXPECT_TRUE(told);
}

TEST_F(SimulateCommand, AStallEndsWithOneLineThatNamesTheLinkAndExitCode1) {
  const std::string file = faults("[[fault]]\nat = \"500 ms\"\nlink = [1, 2]\nstate = \"down\"\n");
  const Outcome outcome = run(kFourSails + Arguments{"--faults", file, "--json"});
  EXPECT_EQ(outcome.code, ExitCode::kNo);
  EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
  EXPECT_NE(outcome.error.find("simulate: stalled after"), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("is down"), std::string::npos) << outcome.error;
  const Json json = object_of(outcome);
  EXPECT_EQ(json["outcome"], "stalled");
  EXPECT_LT(json["steps_done"], json["steps_total"]);
  EXPECT_FALSE(json["unfinished"].empty());
  EXPECT_TRUE(json["replan"].is_null());
}

TEST_F(SimulateCommand, PlansAgainForWhatALostCardLeaves) {
  const std::string file = faults("[[fault]]\nat = \"500 ms\"\ncard = 3\nstate = \"lost\"\n");
  const Outcome outcome =
      run(kFourSails + Arguments{"--faults", file, "--replan", "--tokens", "8", "--json"});
  EXPECT_EQ(outcome.code, ExitCode::kNo);
  const Json json = object_of(outcome);
  EXPECT_EQ(json["outcome"], "failed");
  const Json& replan = json["replan"];
  EXPECT_EQ(replan["feasible"], true);
  EXPECT_EQ(replan["cards_used"], 3);
  EXPECT_NEAR(replan["tokens_per_second_before"], 12.54066, 1e-4);
  EXPECT_LT(replan["tokens_per_second_after"], 10);
  EXPECT_GT(replan["tokens_per_second_after"], 8);
  EXPECT_EQ(replan["tokens_affected"], 8 - json["tokens_decoded"].get<int>());
}

TEST_F(SimulateCommand, ServesRequestsThatComeOneAfterAnother) {
  const Json json = json_of(kFourSails + Arguments{"--arrivals", "poisson:2/s", "--requests", "5",
                                                   "--streams", "2", "--generate", "4", "--seed", "3"});
  EXPECT_EQ(json["outcome"], "finished");
  EXPECT_EQ(json["tokens_decoded"], 20);
  EXPECT_GT(json["first_token_seconds"]["p99"], json["first_token_seconds"]["p50"]);
  expect_error(kFourSails + Arguments{"--arrivals", "sometimes"}, ExitCode::kBadInput, "--arrivals: ...");
  expect_error(kFourSails + Arguments{"--arrivals", "all", "--tokens", "3"}, ExitCode::kBadInput, "...");
}

TEST_F(SimulateCommand, WritesATraceThatAParserReads) {
  const std::string trace = path("trace.json");
  json_of(kFourSails + Arguments{"--tokens", "2", "--trace", trace});
  std::ifstream file(trace);
  const Json json = Json::parse(file);
  std::size_t kernels = 0;
  for (const Json& event : json["traceEvents"]) kernels += event["name"] == "gate_up" ? 1 : 0;
  EXPECT_EQ(kernels, 3u * 4 * 22);  // a prompt and two tokens
}

TEST_F(SimulateCommand, LeavesNothingHalfWrittenOnAFullDisk) {
  const std::string trace = path("trace.json");
  const FileSizeLimit limit(10'000);
  const Outcome outcome = run(kFourSails + Arguments{"--tokens", "2", "--trace", trace});
  EXPECT_EQ(outcome.code, ExitCode::kIo);
  EXPECT_FALSE(fs::exists(trace));
}

TEST_F(SimulateCommand, BadInputIsOneLine) {
  expect_error(kFourSails + Arguments{"--tokens", "0"}, ExitCode::kBadInput,
               "--tokens: none to decode, wanted 1 or more, got 0");
  expect_error(kFourSails + Arguments{"--jitter", "1.5"}, ExitCode::kBadInput,
               "--jitter: out of range, wanted 0 to less than 1, got 1.5");
  expect_error(kFourSails + Arguments{"--micro-batches", "2"}, ExitCode::kBadInput,
               "--micro-batches: more than there are streams, wanted 0 to 1, got 2");
  expect_error(kFourSails + Arguments{"--faults", path("none.toml")}, ExitCode::kIo, "...");
  expect_error(
      kFourSails + Arguments{"--faults", faults("[[fault]]\nat = \"1 s\"\ncard = 7\nstate = \"lost\"\n")},
      ExitCode::kBadInput, path("faults.toml") + ":4: fault[0].card...");
  expect_error(kFourSails + Arguments{"--replan"}, ExitCode::kBadInput, "...");
  expect_error({"simulate", "llama-2-70b", "--cards", "8"}, ExitCode::kNo, "plan: llama-2-70b with...");
}

TEST_F(SimulateCommand, WarnsOfFaultsThatCameTooLate) {
  const std::string file = faults("[[fault]]\nat = \"1000 s\"\ncard = 3\nstate = \"lost\"\n");
  const Json json = json_of(kFourSails + Arguments{"--faults", file, "--tokens", "2"});
  EXPECT_EQ(json["outcome"], "finished");
  bool told = false;
  for (const std::string warning : json["warnings"]) {
    told |= warning.find("card 3 lost at 1000 s: after the end of the simulation") != std::string::npos;
  }
  EXPECT_TRUE(told) << json["warnings"];
}

}  // namespace
}  // namespace spanker
