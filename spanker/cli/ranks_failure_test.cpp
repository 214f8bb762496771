// What the program says, and how it ends, where one of its processes fails.
#include <gtest/gtest.h>

#include <string>

#include "spanker/base/sanitized_for_test.hpp"
#include "spanker/cli/ranks_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

class RanksFailure : public RanksTest {
 protected:
  /// A plan of one card for each rank.
  std::string plan(const std::string& name, int cards, const std::string& strategy) const {
    const Ended made = ended({SPANKER_PROGRAM, "plan", model_, "--cards", std::to_string(cards), "--strategy",
                              strategy, "--context", "64", "--kv-dtype", "f32", "--out", path(name)});
    EXPECT_EQ(made.code, 0) << made.error;
    return path(name);
  }
};

/// "card 1 on ", of whatever host, and then.
void expect_names(const std::string& line, std::uint32_t rank) {
  EXPECT_TRUE(contains(line, "card " + std::to_string(rank) + " on ")) << line;
}

/// Of a process that runs.
pid_t parent_of(pid_t process) {
  const std::string status = content_of("/proc/" + std::to_string(process) + "/status");
  constexpr std::string_view kParent = "\nPPid:\t";
  return std::stoi(status.substr(status.find(kParent) + kParent.size()));
}

TEST_F(RanksFailure, AKilledRankIsNamed) {
  for (const std::uint32_t rank : {0u, 1u, 2u}) {
    SCOPED_TRACE(rank);
    RanksRun run(RanksFailure::run(Words{"--ranks", "3"} + question(1500)));
    const pid_t process = run.rank(rank);
    run.wait_for_output();
    ::kill(process, SIGKILL);
    const Ended ended = run.end();
    EXPECT_EQ(ended.code, 3);
    const std::string line = error_line(ended);
    EXPECT_TRUE(line.starts_with("card " + std::to_string(rank) + " on ")) << line;
    EXPECT_TRUE(contains(line, ", at token ")) << line;
    EXPECT_TRUE(contains(line, ": its process has ended, got signal 9 (Killed)")) << line;
  }
}

TEST_F(RanksFailure, MpirunTellsOfAKilledRank) {
  RanksRun run(mpirun(2, RanksFailure::run(question(1500))), mpirun_environment(false));
  run.wait_for_output();
  ::kill(run.rank(1), SIGKILL);
  const Ended ended = run.end();
  EXPECT_EQ(ended.code, 128 + SIGKILL);
  EXPECT_TRUE(contains(ended.error, "process rank 1 ")) << ended.error;
}

TEST_F(RanksFailure, AStoppedRankIsNamed) {
  for (const std::uint32_t rank : {0u, 1u, 2u}) {
    SCOPED_TRACE(rank);
    RanksRun run(RanksFailure::run(Words{"--ranks", "3", "--timeout", "2"} + question(1500)));
    const pid_t process = run.rank(rank);
    run.wait_for_output();
    ::kill(process, SIGSTOP);
    const Ended ended = run.end();
    EXPECT_EQ(ended.code, 3);
    const std::string line = error_line(ended);
    expect_names(line, rank);
    EXPECT_TRUE(contains(line, "is lost, wanted ")) << line;
    EXPECT_TRUE(contains(line, "within 2 s, got nothing")) << line;
    EXPECT_TRUE(contains(line, ", at token ")) << line;
  }
}

TEST_F(RanksFailure, AStoppedRankIsNamedUnderMpirunToo) {
  RanksRun run(mpirun(2, RanksFailure::run(Words{"--timeout", "2"} + question(1500))),
               mpirun_environment(false));
  const pid_t process = run.rank(1);
  run.wait_for_output();
  ::kill(process, SIGSTOP);
  const Ended ended = run.end();
  EXPECT_EQ(ended.code, 3);
  expect_names(error_line(ended), 1);
  EXPECT_TRUE(contains(error_line(ended), "is lost, wanted ")) << ended.error;
}

TEST_F(RanksFailure, NoRankOutlivesTheLauncherOrMpirun) {
  for (const bool is_mpirun : {false, true}) {
    SCOPED_TRACE(is_mpirun);
    RanksRun run(RanksFailure::run(Words{"--ranks", "2"} + question(1800)));
    run.wait_for_output();
    if (is_mpirun) {
      ::kill(parent_of(run.rank(1)), SIGKILL);
    } else {
      run.signal(SIGKILL);
    }
    const Ended ended = run.end();
    EXPECT_EQ(ended.code, is_mpirun ? 3 : 128 + SIGKILL);
    if (is_mpirun) {
      EXPECT_TRUE(error_line(ended).starts_with("mpirun: ended with exit code 137")) << ended.error;
    }
  }
}

TEST_F(RanksFailure, OtherModelFiles) {
  const std::string other = synth("other.gguf", 2);
  const Ended ended = ended_under_mpirun(mpirun(1, run(question(4))) +
                                         and_of(1, Words{SPANKER_PROGRAM, "run", other} + question(4)));
  EXPECT_EQ(ended.code, 2);
  const std::string line = error_line(ended);
  EXPECT_TRUE(line.starts_with("card 1 on ")) << line;
  EXPECT_TRUE(contains(line, ": has another model file, wanted that of card 0, ")) << line;
  EXPECT_EQ(ended.output, "");
}

TEST_F(RanksFailure, OtherPlans) {
  const std::string tensor = plan("tensor.json", 2, "tensor");
  const std::string pipeline = plan("pipeline.json", 2, "pipeline");
  const auto with = [&](const std::string& plan) {
    return run({"--plan", plan, "--tokens", "1,70", "--generate", "4"});
  };
  const Ended ended = ended_under_mpirun(mpirun(1, with(tensor)) + and_of(1, with(pipeline)));
  EXPECT_EQ(ended.code, 2);
  const std::string line = error_line(ended);
  EXPECT_TRUE(line.starts_with("card 1 on ")) << line;
  EXPECT_TRUE(line.ends_with(": has another plan, wanted that of card 0")) << line;
  const Ended same = ended_under_mpirun(mpirun(1, with(tensor)) + and_of(1, with(tensor)));
  EXPECT_EQ(same.code, 0) << same.error;
}

TEST_F(RanksFailure, ARankThatCannotOpenItsFile) {
  for (const bool is_first : {false, true}) {
    const Words there = run(question(4));
    const Words missing = Words{SPANKER_PROGRAM, "run", path("missing.gguf")} + question(4);
    const Ended ended = ended_under_mpirun(is_first ? mpirun(1, missing) + and_of(1, there)
                                                    : mpirun(1, there) + and_of(1, missing));
    EXPECT_EQ(ended.code, 3);
    const std::string line = error_line(ended);
    EXPECT_TRUE(contains(line, path("missing.gguf") + ": cannot open: No such file or directory")) << line;
    if (!is_first) {
      EXPECT_TRUE(line.starts_with("card 1 on ")) << line;
    }
  }
}

TEST_F(RanksFailure, AFlagThatIsWrongOnTheFirst) {
  const Ended ended = ended_under_mpirun(mpirun(2, run({"--tokens", "1,x"})));
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(error_line(ended),
            "--tokens: not a list of token ids, wanted whole numbers with commas between, as 1,15043, got "
            "\"1,x\"");
}

TEST_F(RanksFailure, APeerThatNeverStarts) {
  for (const bool is_first : {false, true}) {
    const Words there = run(Words{"--timeout", "2"} + question(4));
    const Words sleeps = {"sleep", "1000"};
    const Ended ended = ended_under_mpirun(is_first ? mpirun(1, sleeps) + and_of(2, there)
                                                    : mpirun(2, there) + and_of(1, sleeps));
    EXPECT_EQ(ended.code, 3);
    const std::string line = error_line(ended);
    EXPECT_TRUE(contains(line, is_first ? ": card 0 on " : ": card 2 on ")) << line;
    EXPECT_TRUE(contains(line, " has not started, wanted all 3 ranks within 2 s")) << line;
  }
}

TEST_F(RanksFailure, ARankWithoutMemory) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers need address space without limit";
  const Words limited = {"sh", "-c", "ulimit -v 900000; exec \"$0\" \"$@\""};
  const Words there = run(Words{"--context", "200000"} + question(4));  // 800 MB for each cache
  const Ended ended = ended_under_mpirun(mpirun(1, there) + and_of(1, limited + there));
  EXPECT_EQ(ended.code, 1);
  const std::string line = error_line(ended);
  EXPECT_TRUE(line.starts_with("card 1 on ")) << line;
  EXPECT_TRUE(contains(line, ": memory of a card: the system has not that much to give, wanted ")) << line;
}

TEST_F(RanksFailure, WithoutMpirun) {
  const Ended ended =
      RanksTest::ended(Words{"env", "PATH=/nowhere"} + run(Words{"--ranks", "2"} + question(4)));
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(
      ended.error,
      "spanker: error: mpirun: cannot be started, wanted Open MPI (Debian's openmpi-bin), got No such file "
      "or directory\n");
  EXPECT_EQ(ended.output, "");
}

TEST_F(RanksFailure, AHostThatIsNotThere) {
  const std::string hosts = write("hosts", "no-such-host.invalid slots=2\n");
  const Ended ended = RanksTest::ended(run(Words{"--ranks", "2", "--hostfile", hosts} + question(4)));
  EXPECT_EQ(ended.code, 3);
  EXPECT_TRUE(error_line(ended).starts_with("mpirun: ")) << ended.error;
}

TEST_F(RanksFailure, AFileOfHostsThatIsNotThere) {
  const Ended ended =
      RanksTest::ended(run(Words{"--ranks", "2", "--hostfile", path("missing")} + question(4)));
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(
      error_line(ended),
      "mpirun: ended with exit code 1, got Open RTE was unable to open the hostfile: " + path("missing"));
}

TEST_F(RanksFailure, MoreCardsThanRanks) {
  const std::string three = plan("three.json", 3, "tensor");
  const Words asked = {"--plan", three, "--tokens", "1,70", "--generate", "4"};
  const Ended launched = ended(run(Words{"--ranks", "2"} + asked));
  EXPECT_EQ(launched.code, 2);
  EXPECT_EQ(error_line(launched), "--ranks: fewer than the plan has cards, wanted 3, got 2");
  const Ended direct = ended_under_mpirun(mpirun(2, run(asked)));
  EXPECT_EQ(direct.code, 2);
  EXPECT_TRUE(contains(error_line(direct), three + ": more cards than ranks, wanted at most 2, one for each "
                                                   "rank, got 3"))
      << direct.error;
}

}  // namespace
}  // namespace spanker
