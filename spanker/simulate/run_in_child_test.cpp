#include "spanker/simulate/run_in_child.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace spanker {
namespace {

using namespace std::chrono_literals;

std::string error_of(const Result<std::string>& result) {
  EXPECT_FALSE(result) << result->substr(0, 100);
  if (result) return {};
  EXPECT_EQ(result.error().kind, ErrorKind::kIo);
  return to_line(result.error());
}

TEST(RunInChild, ReturnsWhatTheChildReturns) {
  int here = 1;
  const auto result = run_in_child(
      [&](ParentLine& parent) {
        here = 2;
        parent.finish(std::string("a\0b", 3));
      },
      {});
  EXPECT_EQ(result, std::string("a\0b", 3));
  EXPECT_EQ(here, 1);
  EXPECT_EQ(run_in_child([](ParentLine& parent) { parent.finish(""); }, {}), std::string());
}

TEST(RunInChild, TakesResultsOfAnySize) {
  const std::string large(50'000'000, 'x');
  const auto result = run_in_child([&](ParentLine& parent) { parent.finish(large); }, {});
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result == large);
}

TEST(RunInChild, TellsHowAChildFailed) {
  EXPECT_EQ(error_of(run_in_child([](ParentLine& parent) { parent.fail("too hot"); }, {})),
            "simulation: too hot");
  EXPECT_EQ(error_of(run_in_child([](ParentLine&) { throw std::runtime_error("thrown"); }, {})),
            "simulation: thrown");
  EXPECT_NE(error_of(run_in_child(
                         [](ParentLine&) {
                           if (::write(STDERR_FILENO, "last words", 10) == 10) ::abort();
                         },
                         {}))
                .find("simulation: its process ended by signal 6 (Aborted), wanted a result, got last words"),
            std::string::npos);
  EXPECT_EQ(error_of(run_in_child([](ParentLine&) { ::_exit(3); }, {})),
            "simulation: its process ended with exit code 3, wanted a result");
  EXPECT_EQ(error_of(run_in_child([](ParentLine&) { ::_exit(0); }, {})),
            "simulation: its process ended without a result, wanted a result");
  EXPECT_EQ(error_of(run_in_child([](ParentLine&) { ::raise(SIGKILL); }, {})),
            "simulation: its process ended by signal 9 (Killed), wanted a result");
}

// Ten reports a second at most, the last of which is not the last that was made.
TEST(RunInChild, PassesOnProgress) {
  std::vector<EngineProgress> reports;
  const auto result = run_in_child(
      [](ParentLine& parent) {
        for (int i = 0; i < 100; ++i) {
          parent.report({i / 100.0, Seconds(i)});
          std::this_thread::sleep_for(5ms);
        }
        parent.finish("end");
      },
      [&](const EngineProgress& progress) {
        reports.push_back(progress);
        return true;
      });
  EXPECT_EQ(result, "end");
  ASSERT_GE(reports.size(), 2U);
  EXPECT_LE(reports.size(), 50U);
  EXPECT_GT(reports.back().share, 0.1);
  EXPECT_DOUBLE_EQ(reports.back().share * 100, reports.back().simulated.count());
}

TEST(RunInChild, EndsWhenProgressIsNoLongerWanted) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_in_child([](ParentLine&) { std::this_thread::sleep_for(60s); },
                                   [](const EngineProgress&) { return false; });
  EXPECT_EQ(error_of(result), "simulation: interrupted");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

// A process that runs a child and is killed takes the child with it.
TEST(RunInChild, DoesNotOutliveItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto result = run_in_child(
        [&](ParentLine&) {
          const pid_t self = ::getpid();
          if (::write(ends[1], &self, sizeof self) != sizeof self) ::_exit(1);
          std::this_thread::sleep_for(60s);
        },
        {});
    ::_exit(result ? 0 : 1);
  }
  ::close(ends[1]);
  pid_t child = 0;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ::kill(parent, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  // The pipe's last writer is the child.
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
}

void note_exit() { std::ofstream(::getenv("SPANKER_TEST_EXITS"), std::ios::app) << "exit\n"; }

// What stands in the parent's buffers is written once, and its exit handlers run once.
TEST(RunInChild, LeavesBuffersAndExitHandlersToTheParent) {
  const std::string log = ::testing::TempDir() + "spanker_exits_" + std::to_string(::getpid());
  const std::string out = log + "_out";
  const pid_t process = ::fork();
  if (process == 0) {
    ::setenv("SPANKER_TEST_EXITS", log.c_str(), 1);
    std::atexit(note_exit);
    if (std::freopen(out.c_str(), "w", stdout) == nullptr) ::_exit(1);
    std::printf("once");
    const auto result = run_in_child(
        [](ParentLine& parent) {
          std::printf("not seen");
          std::fflush(stdout);
          parent.finish("");
        },
        {});
    std::exit(result ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  const auto content = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(content(log), "exit\n");
  EXPECT_EQ(content(out), "once");
  ::unlink(log.c_str());
  ::unlink(out.c_str());
}

}  // namespace
}  // namespace spanker
