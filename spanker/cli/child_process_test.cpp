#include "spanker/cli/child_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace spanker {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

ChildProcess started(const std::vector<std::string>& arguments, std::string input = {},
                     const ChildProcess::Environment& environment = {}) {
  auto child = ChildProcess::start(arguments, environment, std::move(input));
  if (!child) throw std::runtime_error(to_line(child.error()));
  return std::move(*child);
}

ChildProcess shell(const std::string& script, std::string input = {}) {
  return started({"sh", "-c", script}, std::move(input));
}

struct Ended {
  Lines output;
  Lines error;
  int code = -1;
};

Ended end_of(ChildProcess child) {
  Ended ended;
  while (child.listen(
      1s, [&](std::string_view line) { ended.output.emplace_back(line); },
      [&](std::string_view line) { ended.error.emplace_back(line); })) {
  }
  ended.code = child.wait();
  return ended;
}

/// Whether a process of this number is there, and not merely left for its parent to look after.
bool is_running(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string stat;
  std::getline(file, stat);
  return !stat.empty() && stat.compare(stat.rfind(')') + 2, 1, "Z") != 0;
}

/// Without a deadline but the test's own.
void wait_until_gone(const std::string& process) {
  while (is_running(process)) std::this_thread::sleep_for(5ms);
}

Lines first_lines(ChildProcess& child, std::size_t count) {
  Lines lines;
  while (lines.size() < count &&
         child.listen(
             1s, [&](std::string_view line) { lines.emplace_back(line); }, [](std::string_view) {})) {
  }
  return lines;
}

TEST(ChildProcess, EchoesItsInput) {
  const Ended ended = end_of(started({"cat"}, "one\ntwo\n\nlast without newline"));
  EXPECT_EQ(ended.output, (Lines{"one", "two", "", "last without newline"}));
  EXPECT_EQ(ended.error, Lines{});
  EXPECT_EQ(ended.code, 0);
}

TEST(ChildProcess, WithoutInputItFindsItsEnd) { EXPECT_EQ(end_of(started({"cat"})).output, Lines{}); }

TEST(ChildProcess, OutputAndErrorAreTwo) {
  const Ended ended = end_of(shell("echo out; echo err >&2"));
  EXPECT_EQ(ended.output, Lines{"out"});
  EXPECT_EQ(ended.error, Lines{"err"});
}

TEST(ChildProcess, ExitCodes) {
  for (const int code : {0, 1, 3, 255}) EXPECT_EQ(end_of(shell("exit " + std::to_string(code))).code, code);
}

TEST(ChildProcess, SignalsAreToldAsAShellDoes) {
  EXPECT_EQ(end_of(shell("kill -9 $$")).code, 128 + SIGKILL);
  EXPECT_EQ(end_of(shell("kill -TERM $$")).code, 128 + SIGTERM);
}

TEST(ChildProcess, IsSignalled) {
  ChildProcess child = shell("trap 'echo told; exit 7' USR1; echo ready; while :; do sleep 0.01; done");
  EXPECT_EQ(first_lines(child, 1), Lines{"ready"});
  child.signal(SIGUSR1);
  const Ended ended = end_of(std::move(child));
  EXPECT_EQ(ended.output, Lines{"told"});
  EXPECT_EQ(ended.code, 7);
}

TEST(ChildProcess, AProgramThatIsNotThere) {
  const auto child = ChildProcess::start({"no-such-program-of-ours", "x"}, {}, "input");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind, ErrorKind::kIo);
  EXPECT_EQ(to_line(child.error()),
            "no-such-program-of-ours: cannot be started, got No such file or directory");
}

TEST(ChildProcess, AProgramThatCannotBeRun) {
  const auto child = ChildProcess::start({"/"}, {}, {});
  ASSERT_FALSE(child);
  EXPECT_EQ(to_line(child.error()), "/: cannot be started, got Permission denied");
}

TEST(ChildProcess, TheEnvironmentIsAddedWhereItIsNotSet) {
  ::setenv("SPANKER_TEST_SET", "before", 1);
  const Ended ended = end_of(started({"sh", "-c", "echo $SPANKER_TEST_SET $SPANKER_TEST_NEW"}, {},
                                     {{"SPANKER_TEST_SET", "after"}, {"SPANKER_TEST_NEW", "new"}}));
  ::unsetenv("SPANKER_TEST_SET");
  EXPECT_EQ(ended.output, Lines{"before new"});
  EXPECT_EQ(std::getenv("SPANKER_TEST_NEW"), nullptr);
}

TEST(ChildProcess, ALongLine) {
  const std::string line(3'000'000, 'x');
  const Ended ended = end_of(started({"cat"}, line));
  ASSERT_EQ(ended.output.size(), 1u);
  EXPECT_TRUE(ended.output[0] == line);
}

// More than pipes hold, both ways and on both streams: whoever only writes or only reads first waits forever.
TEST(ChildProcess, MuchInputAndOutputAtOnce) {
  std::string input;
  for (int i = 0; i < 200'000; ++i) input += std::to_string(i) + "\n";
  const Ended ended = end_of(shell("tee /dev/stderr", input));
  ASSERT_EQ(ended.output.size(), 200'000u);
  EXPECT_EQ(ended.output.back(), "199999");
  EXPECT_TRUE(ended.error == ended.output);
  EXPECT_EQ(ended.code, 0);
}

TEST(ChildProcess, OneThatDoesNotReadItsInput) {
  const Ended ended = end_of(shell("exec <&-; echo done", std::string(1'000'000, 'x')));
  EXPECT_EQ(ended.output, Lines{"done"});
  EXPECT_EQ(ended.code, 0);
}

TEST(ChildProcess, IsKilledWithTheObject) {
  Lines processes;
  {
    ChildProcess child = shell("trap '' TERM INT; sleep 1000 & echo $$; echo $!; wait");
    processes = first_lines(child, 2);
    ASSERT_EQ(processes.size(), 2u);
    for (const std::string& process : processes) EXPECT_TRUE(is_running(process));
  }
  EXPECT_FALSE(is_running(processes[0]));
  wait_until_gone(processes[1]);
}

// What a terminal sends to all programs in front reaches the launcher alone.
TEST(ChildProcess, IsInAProcessGroupOfItsOwn) {
  ChildProcess child = shell("echo $$; sleep 1000");
  const pid_t process = std::stoi(first_lines(child, 1).at(0));
  EXPECT_EQ(::getpgid(process), process);
  EXPECT_NE(::getpgrp(), process);
}

}  // namespace
}  // namespace spanker
