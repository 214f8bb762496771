// Runs in several processes that end well, undisturbed or not.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "spanker/cli/ranks_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;
using Json = nlohmann::json;

class RanksRunTest : public RanksTest {
 protected:
  /// In one process.
  std::string wanted(const Words& asked) const {
    const Ended alone = ended(run(asked));
    EXPECT_EQ(alone.code, 0) << alone.error;
    EXPECT_NE(said(alone), "");
    return said(alone);
  }
};

TEST_F(RanksRunTest, SaysWhatOneProcessSays) {
  const Words asked = question(40);
  const std::string one = wanted(asked);
  for (const char* strategy : {"tensor", "pipeline"}) {
    const Words split = asked + Words{"--strategy", strategy};
    const Ended launched = ended(run(Words{"--ranks", "2"} + split));
    EXPECT_EQ(launched.code, 0);
    EXPECT_EQ(launched.error, "");
    EXPECT_EQ(said(launched), one);
    const Ended direct = ended_under_mpirun(mpirun(2, run(split)));
    EXPECT_EQ(direct.code, 0) << direct.error;
    EXPECT_EQ(said(direct), one);
  }
}

TEST_F(RanksRunTest, AnswersInJson) {
  const Ended alone = ended(run(Words{"--json"} + question(8)));
  const Ended launched = ended(run(Words{"--ranks", "2", "--strategy", "tensor", "--json"} + question(8)));
  ASSERT_EQ(launched.code, 0) << launched.error;
  const Json one = Json::parse(alone.output);
  const Json json = Json::parse(launched.output);
  EXPECT_EQ(json["tokens"], one["tokens"]);
  EXPECT_EQ(json["text"], one["text"]);
  EXPECT_EQ(json["prompt_tokens"], one["prompt_tokens"]);
  EXPECT_EQ(json["ending"], "length");
  EXPECT_EQ(json["cards"], 2);
  EXPECT_EQ(json["threads"], 2);
}

TEST_F(RanksRunTest, WritesATrace) {
  const Ended launched = ended(run(Words{"--ranks", "2", "--trace", path("trace.json")} + question(4)));
  ASSERT_EQ(launched.code, 0) << launched.error;
  EXPECT_FALSE(Json::parse(folder_.content("trace.json")).empty());
}

TEST_F(RanksRunTest, RanksWithoutACardAreToldOf) {
  const Words asked = Words{"--strategy", "single"} + question(4);
  const Ended launched = ended(run(Words{"--ranks", "3"} + asked));
  EXPECT_EQ(launched.code, 0);
  EXPECT_EQ(launched.error,
            "spanker: warning: 2 of 3 ranks would have no part in the plan: they are not started\n");
  const Ended direct = ended_under_mpirun(mpirun(3, run(asked)));
  EXPECT_EQ(direct.code, 0);
  EXPECT_EQ(direct.error, "spanker: warning: 2 of 3 ranks have no part in the plan\n");
  EXPECT_EQ(said(direct), said(launched));
}

TEST_F(RanksRunTest, AnInterruptIsAGoodEnd) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    RanksRun run(RanksTest::run(Words{"--ranks", "2"} + question(1800)));
    run.wait_for_output();
    run.signal(number);
    const Ended ended = run.end();
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.error, "");
    EXPECT_TRUE(contains(ended.output, " tokens, interrupted\n")) << ended.output;
  }
}

TEST_F(RanksRunTest, AnInterruptAtTheStartIsAGoodEndToo) {
  RanksRun run(RanksTest::run(Words{"--ranks", "2"} + question(1800)));
  run.rank(1);
  run.signal(SIGINT);
  const Ended ended = run.end();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.error, "");
  EXPECT_TRUE(contains(ended.output, " tokens, interrupted\n")) << ended.output;
}

TEST_F(RanksRunTest, MpirunPassesAnInterruptOn) {
  RanksRun run(mpirun(2, RanksTest::run(question(1800))), mpirun_environment(false));
  run.wait_for_output();
  run.signal(SIGUSR1);
  const Ended ended = run.end();
  EXPECT_EQ(ended.code, 0) << ended.error;
  EXPECT_TRUE(contains(ended.output, " tokens, interrupted\n")) << ended.output;
}

class Restart : public RanksRunTest {
 protected:
  /// The run goes on where a rank is killed, as often as `ranks` are named, each some tokens after the last.
  Ended disturbed(std::uint32_t count, const Words& asked, const std::vector<std::uint32_t>& ranks) const {
    RanksRun run(RanksTest::run(Words{"--ranks", std::to_string(count), "--restart"} + asked));
    std::uintmax_t before = 0;
    for (const std::uint32_t rank : ranks) {
      run.wait_for_output(before);
      ::kill(run.rank(rank), SIGKILL);
      before = run.output_bytes() + 20;
    }
    return run.end();
  }
};

TEST_F(Restart, GoesOnWithTheSameTokens) {
  const Words asked = question(600);
  const std::string one = wanted(asked);
  for (const std::uint32_t rank : {0u, 1u, 2u}) {
    SCOPED_TRACE(rank);
    const Ended ended = disturbed(3, asked, {rank});
    EXPECT_EQ(ended.code, 0) << ended.error;
    EXPECT_EQ(said(ended), one);
    EXPECT_TRUE(contains(ended.output, " 600 tokens\n")) << ended.output;
    EXPECT_TRUE(ended.error.starts_with("spanker: warning: card " + std::to_string(rank) + " on "))
        << ended.error;
    EXPECT_TRUE(contains(ended.error, ": went on over 2 cards after ")) << ended.error;
  }
}

TEST_F(Restart, GoesOnWithTheSameChoices) {
  const Words asked = question(600) + Words{"--temperature", "0.8", "--seed", "7"};
  const std::string one = wanted(asked);
  EXPECT_NE(one, wanted(question(600)));
  const Ended ended = disturbed(2, asked, {1});
  EXPECT_EQ(ended.code, 0) << ended.error;
  EXPECT_EQ(said(ended), one);
}

TEST_F(Restart, AgainAndAgain) {
  const Words asked = question(900);
  const Ended ended = disturbed(3, asked, {1, 0});
  EXPECT_EQ(ended.code, 0) << ended.error;
  EXPECT_EQ(said(ended), wanted(asked));
  EXPECT_TRUE(contains(ended.error, ": went on over 2 cards after ")) << ended.error;
  EXPECT_TRUE(contains(ended.error, ": went on over 1 card after ")) << ended.error;
}

TEST_F(Restart, ARankThatIsStopped) {
  const Words asked = question(600) + Words{"--timeout", "2"};
  const std::string one = wanted(asked);
  RanksRun run(RanksTest::run(Words{"--ranks", "2", "--restart"} + asked));
  const pid_t process = run.rank(0);
  run.wait_for_output();
  ::kill(process, SIGSTOP);
  const Ended ended = run.end();
  EXPECT_EQ(ended.code, 0) << ended.error;
  EXPECT_EQ(said(ended), one);
  EXPECT_TRUE(contains(ended.error, ": went on over 1 card after ")) << ended.error;
}

TEST_F(Restart, WithNobodyLeft) {
  const Words asked = question(1800);
  const Ended ended = disturbed(2, asked, {1, 0});
  EXPECT_EQ(ended.code, 3);
  EXPECT_TRUE(error_line(ended).starts_with("card 0 on ")) << ended.error;
  EXPECT_TRUE(error_line(ended).ends_with("; nothing is left to restart with")) << ended.error;
}

}  // namespace
}  // namespace spanker
