#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/child_process.hpp"
#include "spanker/cli/mpirun.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/synth.hpp"

/// What the tests of ranks ask of the program itself: SPANKER_PROGRAM.
namespace spanker::testing {

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// How a program ended.
struct Ended {
  int code = -1;
  std::string output;
  std::string error;
};

/// A run in several processes, which are known by a variable in their environment. However it ends, none of
/// them may be left.
class RanksRun {
 public:
  explicit RanksRun(const Words& words, ChildProcess::Environment environment = {}) {
    static int runs = 0;
    mark_ = "SPANKER_TEST_RUN=" + std::to_string(::getpid()) + "." + std::to_string(++runs);
    const std::size_t sign = mark_.find('=');
    environment.emplace_back(mark_.substr(0, sign), mark_.substr(sign + 1));
    // To a file, since what is said comes in pieces of a line.
    auto child =
        ChildProcess::start(Words{"sh", "-c", "exec \"$@\" >\"$0\"", output()} + words, environment, {});
    if (!child) throw std::runtime_error(to_line(child.error()));
    child_.emplace(std::move(*child));
  }

  ~RanksRun() {
    child_.reset();
    for (const auto& [process, environment] : processes()) {
      ADD_FAILURE() << "process " << process << " was left";
      ::kill(process, SIGKILL);
    }
  }

  void signal(int number) const { child_->signal(number); }

  /// Until more than `bytes` was said on standard output.
  void wait_for_output(std::uintmax_t bytes = 0) {
    while (output_bytes() <= bytes && listen()) {
    }
  }
  std::uintmax_t output_bytes() const {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(output(), error);
    return error ? 0 : bytes;
  }

  /// The process of a rank of this run, where it is one of the program; waits for it.
  pid_t rank(std::uint32_t rank) {
    const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
    for (;;) {
      for (const auto& [process, environment] : processes()) {
        const auto program = "/proc/" + std::to_string(process) + "/exe";
        std::error_code error;
        if (has(environment, variable) && std::filesystem::read_symlink(program, error) == SPANKER_PROGRAM) {
          return process;
        }
      }
      listen();
      check_time();
    }
  }

  /// Its end, after which none of its processes is left, or soon none.
  Ended end() {
    while (listen()) {
    }
    const int code = child_->wait();
    while (!processes().empty() && !is_late()) std::this_thread::sleep_for(kTick);
    EXPECT_TRUE(processes().empty()) << "processes are left";
    return {code, content_of(output()), error_};
  }

 private:
  /// No run lasts that long, unless it hangs.
  static constexpr std::chrono::seconds kMost{120};
  static constexpr std::chrono::milliseconds kTick{20};

  /// Of variables that end with zeros each.
  static bool has(const std::string& environment, const std::string& variable) {
    return ('\0' + environment).find('\0' + variable + '\0') != std::string::npos;
  }

  /// With their environments.
  std::map<pid_t, std::string> processes() const {
    std::map<pid_t, std::string> all;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::string environment = content_of(entry.path() / "environ");
      if (has(environment, mark_)) all.emplace(std::stoi(name), std::move(environment));
    }
    return all;
  }

  bool listen() {
    check_time();
    return child_->listen(
        kTick, [](std::string_view) {}, [&](std::string_view line) { error_ += std::string(line) + "\n"; });
  }
  std::string output() const { return folder_.path("output"); }

  bool is_late() const { return std::chrono::steady_clock::now() - start_ > kMost; }
  void check_time() const {
    if (is_late()) throw std::runtime_error("it hangs; so far: " + content_of(output()) + error_);
  }

  std::string mark_;
  std::optional<ChildProcess> child_;
  std::string error_;
  const Folder folder_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class RanksTest : public FolderTest {
 protected:
  static constexpr std::uint32_t kContext = 2048;

  /// Whose tokens take long enough that one can be disturbed, in F32, so that any split says the same.
  static ModelShape shape() {
    return {Architecture::kLlama, 8, 256, 768, 8, 4, 32, 320, kContext, 1e-5, 10000, false};
  }

  std::string synth(const std::string& name, std::uint64_t seed = 1) const {
    const auto model = make_model("small", shape(), TensorType::kF32);
    EXPECT_TRUE(
        write_synthetic_gguf(*model, seed, path(name), [](Bytes, Bytes) { return true; }).has_value());
    return path(name);
  }

  void SetUp() override { model_ = synth("m.gguf"); }

  /// A question whose answer has so many tokens.
  static Words question(std::uint32_t tokens) {
    return {"--prompt",     "Hello",     "--generate", std::to_string(tokens), "--kv-dtype", "f32",
            "--ignore-eos", "--threads", "1"};
  }
  Words run(const Words& flags) const { return Words{SPANKER_PROGRAM, "run", model_} + flags; }
  static Words mpirun(int ranks, const Words& program) {
    return Words{"mpirun", "-n", std::to_string(ranks)} + program;
  }
  static Words and_of(int ranks, const Words& program) {
    return Words{":", "-n", std::to_string(ranks)} + program;
  }

  static Ended ended(const Words& words, const ChildProcess::Environment& environment = {}) {
    return RanksRun(words, environment).end();
  }
  /// By mpirun as a user would call it.
  static Ended ended_under_mpirun(const Words& words) { return ended(words, mpirun_environment(false)); }

  std::string model_;
};

/// The line of the program's error, of whatever mpirun adds.
inline std::string error_line(const Ended& ended) {
  constexpr std::string_view kStart = "spanker: error: ";
  const std::size_t start = ended.error.find(kStart);
  if (start == std::string::npos) return "no error in: " + ended.error;
  EXPECT_EQ(ended.error.find(kStart, start + 1), std::string::npos) << ended.error;
  const std::size_t text = start + kStart.size();
  return ended.error.substr(text, ended.error.find('\n', text) - text);
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What a run said before its report.
inline std::string said(const Ended& ended) {
  return ended.output.substr(0, ended.output.rfind("\n\nsmall: "));
}

}  // namespace spanker::testing
