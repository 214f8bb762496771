#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;
namespace fs = std::filesystem;

/// The smallest preset, of 0.28 GB as q4_0.
constexpr const char* kPreset = "qwen2.5-0.5b";

class SynthCommand : public FolderTest {};

TEST_F(SynthCommand, WritesAFileThatIsThePreset) {
  const std::string file = path("out.gguf");
  const Json json = json_of({"synth", kPreset, file, "--seed", "18446744073709551615"});
  EXPECT_EQ(json["schema"], "spanker.synth/1");
  EXPECT_EQ(json["path"], file);
  EXPECT_EQ(json["quant"], "q4_0");
  EXPECT_EQ(json["seed"], 18446744073709551615u);
  EXPECT_EQ(json["bytes"], fs::file_size(file));
  EXPECT_GT(json["seconds"], 0.0);
  EXPECT_EQ(json.size(), 7u);
  EXPECT_EQ(folder_.entries(), 1u);
  const Json plan = json_of({"plan", kPreset});
  EXPECT_EQ(json["model"], plan["model"]);
  EXPECT_EQ(json_of({"plan", file}), plan);
  EXPECT_EQ(json_of({"inspect", file}), json_of({"inspect", kPreset}));
}

TEST_F(SynthCommand, AnInterruptLeavesNothing) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string file = write("out.gguf", "old");
    std::string last;
    double time = 0;
    const ProgressOutput progress{[&](std::string_view text) {
                                    last = text;
                                    if (text.find('%') != std::string_view::npos) std::raise(signal);
                                  },
                                  80, [&] { return Seconds(time += 1); }};
    const Outcome outcome = run_command_line({"synth", kPreset, file}, Style{}, progress);
    EXPECT_EQ(outcome.code, ExitCode::kIo);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.error, file + ": interrupted before all was written");
    EXPECT_EQ(last, "\r\x1b[K");
    EXPECT_EQ(fs::file_size(file), 3u);
    EXPECT_EQ(folder_.entries(), 1u);
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL) << "signals mean again what they meant";
  }
}

TEST_F(SynthCommand, AnIgnoredSignalStaysIgnored) {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  double time = 0;
  const ProgressOutput progress{[&](std::string_view text) {
                                  std::raise(SIGHUP);
                                  if (text.find('%') != std::string_view::npos) std::raise(SIGINT);
                                },
                                80, [&] { return Seconds(time += 1); }};
  const Outcome outcome = run_command_line({"synth", kPreset, path("out.gguf")}, Style{}, progress);
  EXPECT_EQ(std::signal(SIGHUP, before), SIG_IGN);
  EXPECT_EQ(outcome.error, path("out.gguf") + ": interrupted before all was written");
}

TEST_F(SynthCommand, AFullDisk) {
  const std::string file = path("out.gguf");
  const FileSizeLimit limit(1 << 20);
  expect_error({"synth", kPreset, file}, ExitCode::kIo, file + ": cannot reserve 28...");
  EXPECT_EQ(folder_.entries(), 0u);
}

TEST_F(SynthCommand, PlacesThatCannotBeWritten) {
  const std::string missing = path("none/out.gguf");
  expect_error({"synth", kPreset, missing}, ExitCode::kIo,
               missing + ": cannot create a file beside it: No such file or directory");
  expect_error({"synth", kPreset, path("")}, ExitCode::kIo,
               path("") + ": cannot be written, wanted a regular file, got a directory");
  expect_error({"synth", kPreset, "/dev/full"}, ExitCode::kIo, "/dev/full: cannot be written...");
  expect_error({"synth", kPreset, ""}, ExitCode::kIo,
               "output: cannot be written, wanted the path of a file, got an empty one");
}

TEST_F(SynthCommand, AGgufIsNoPreset) {
  const std::string named = path("absent.gguf");
  expect_bad_input({"synth", named, path("out.gguf")},
                   named + ": a GGUF file has weights already, wanted a preset's name, got a GGUF file");
  const std::string unnamed = write("model", "GGUF\x03");
  expect_bad_input({"synth", unnamed, path("out.gguf")}, unnamed + ": a GGUF file has weights already...");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(SynthCommand, FlagsThatAreWrong) {
  const std::string file = path("out.gguf");
  expect_bad_input({"synth", kPreset, file, "--quant", "q5"}, "--quant: unknown tensor type...");
  expect_bad_input(
      {"synth", kPreset, file, "--quant", "q5_0"},
      "tensor token_embd.weight: random weights are not made of that type, wanted q4_0, q8_0, f16 "
      "or f32, got q5_0");
  expect_bad_input({"synth", kPreset, file, "--quant", "i8"}, "qwen2.5-0.5b: weights cannot be stored...");
  for (const char* seed : {"-1", "one", "0x10", "1.5", "", "18446744073709551616"}) {
    expect_bad_input({"synth", kPreset, file, "--seed=" + std::string(seed)}, "spanker synth: --seed: ...");
  }
  expect_bad_input({"synth", kPreset}, "spanker synth: OUT is required");
  expect_bad_input({"synth", "tinylama-1.1b", file}, "model: no preset of that name...");
  expect_bad_input({"synth", kPreset, file, "more"}, "spanker synth: ...");
  EXPECT_EQ(folder_.entries(), 0u);
}

}  // namespace
}  // namespace spanker
