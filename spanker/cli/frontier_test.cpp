// spanker plan --frontier
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/base/text.hpp"
#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;
namespace fs = std::filesystem;

class CliFrontier : public FolderTest {};

const Arguments kPis = {"plan", "tinyllama-1.1b", "--cluster", "raspberry-pi-5-gbe", "--streams",
                        "4",    "--frontier"};

TEST_F(CliFrontier, ListsChoicesThatNoOtherBeats) {
  const Json json = json_of(kPis);
  EXPECT_EQ(json["schema"], "spanker.frontier/1");
  EXPECT_EQ(json["cluster"]["name"], "raspberry-pi-5-gbe");
  EXPECT_EQ(json["workload"]["streams"], 4);
  ASSERT_GE(json["points"].size(), 2u);
  for (const Json& point : json["points"]) {
    // 80 USD and 11 W a board; the profile leaves the switch out.
    EXPECT_EQ(point["price"], 80 * point["cards_used"].get<double>());
    EXPECT_EQ(point["currency"], "USD");
    EXPECT_EQ(point["watts"], 11 * point["cards_used"].get<double>());
    EXPECT_EQ(point["streams"], 4);
    for (const Json& other : json["points"]) {
      if (other == point) continue;
      EXPECT_TRUE(other["cards_used"] > point["cards_used"] ||
                  other["seconds_per_token"] > point["seconds_per_token"] ||
                  other["throughput_tokens_per_second"] < point["throughput_tokens_per_second"])
          << other << "\nis nowhere worse than\n"
          << point;
    }
  }
}

TEST_F(CliFrontier, HoldsThePlansOfEachNumberOfCards) {
  const Json points = json_of({"plan", "tinyllama-1.1b", "--cards", "4", "--frontier"})["points"];
  ASSERT_EQ(points.size(), 4u) << "each sail more makes a token quicker";
  for (std::size_t i = 0; i < 4; ++i) {
    const Json plan = json_of({"plan", "tinyllama-1.1b", "--cards", std::to_string(i + 1)});
    EXPECT_EQ(points[i]["cards_used"], i + 1);
    EXPECT_EQ(points[i]["strategy"], plan["plan"]["strategy"]);
    EXPECT_EQ(points[i]["seconds_per_token"], plan["prediction"]["decode"]["seconds_per_token"]);
    EXPECT_EQ(points[i]["time_to_first_token_seconds"], plan["prediction"]["time_to_first_token_seconds"]);
    EXPECT_EQ(points[i]["price"], nullptr);
  }
}

TEST_F(CliFrontier, DoesNotDependOnTheObjective) {
  const Json latency = json_of(kPis);
  const Json throughput = json_of(kPis + Arguments{"--objective", "throughput"});
  EXPECT_EQ(latency["points"], throughput["points"]);
  EXPECT_EQ(throughput["workload"]["objective"], "throughput");
}

TEST_F(CliFrontier, DrawsAChart) {
  const std::string file = path("chart.svg");
  std::ofstream(file) << "old";
  const Outcome outcome = run(kPis + Arguments{"--svg", file});
  EXPECT_EQ(outcome.code, ExitCode::kFine) << outcome.error;
  EXPECT_EQ(outcome.out, run(kPis).out);
  const std::string svg = folder_.content(file);
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")) << svg;
  EXPECT_TRUE(svg.ends_with("</svg>\n")) << svg;
  EXPECT_TRUE(is_valid_utf8(svg));
  EXPECT_NE(svg.find(">one stream<"), std::string::npos);
  EXPECT_NE(svg.find(">4 streams together<"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST_F(CliFrontier, AChartThatCannotBeWritten) {
  const std::string missing = path("none/chart.svg");
  expect_error(kPis + Arguments{"--svg", missing}, ExitCode::kIo,
               missing + ": cannot create a file beside it: No such file or directory");
  expect_error(kPis + Arguments{"--svg", path("")}, ExitCode::kIo,
               path("") + ": cannot be written, wanted a regular file, got a directory");
}

TEST_F(CliFrontier, AChartNeedsAFrontier) {
  const std::string file = path("chart.svg");
  expect_bad_input({"plan", "tinyllama-1.1b", "--svg", file}, "spanker plan: --svg requires --frontier");
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(CliFrontier, WhereNothingFitsTheAnswerIsThatOfAPlan) {
  const Arguments plan = {"plan", "llama-2-70b", "--cards", "8"};
  const std::string file = path("chart.svg");
  for (const Arguments& more : {Arguments{}, {"--json"}, {"--streams", "2", "--objective", "throughput"}}) {
    const Outcome frontier = run(plan + more + Arguments{"--frontier", "--svg", file});
    const Outcome expected = run(plan + more);
    EXPECT_EQ(frontier.code, ExitCode::kNo);
    EXPECT_EQ(frontier.out, expected.out);
    EXPECT_EQ(frontier.error, expected.error);
    EXPECT_EQ(frontier.warnings, expected.warnings);
  }
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(CliFrontier, LeavesOutClustersThatAreTooSmall) {
  const Json points = json_of({"plan", "llama-2-70b", "--cards", "12", "--frontier"})["points"];
  ASSERT_FALSE(points.empty());
  EXPECT_EQ(points[0]["cards_used"], 10) << "the smallest cluster that holds it";
}

TEST_F(CliFrontier, ShowsHowFarItIs) {
  std::string drawn;
  double time = 0;
  const ProgressOutput progress{[&](std::string_view text) { drawn += text; }, 80,
                                [&] { return Seconds(time += 1); }};
  const Outcome outcome =
      run_command_line({"plan", "tinyllama-1.1b", "--cards", "4", "--frontier"}, Style{}, progress);
  EXPECT_EQ(outcome.code, ExitCode::kFine);
  EXPECT_NE(drawn.find(" 75 %  3 of 4 clusters searched"), std::string::npos) << drawn;
  EXPECT_TRUE(drawn.ends_with("\r\x1b[K")) << "the line is erased";
}

}  // namespace
}  // namespace spanker
