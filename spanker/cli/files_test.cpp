#include <gtest/gtest.h>

#include <filesystem>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

using namespace testing;

class CliFiles : public FolderTest {
 protected:
  /// A whole GGUF but for the values of its tensors, which are a hole in the file.
  std::string write_gguf(const std::string& name, const char* preset) const {
    GgufWriter writer;
    put_model(writer, make_model(preset, find_preset(preset)->shape, TensorType::kQ4_0).value());
    write(name, writer.header());
    std::filesystem::resize_file(path(name), writer.file_bytes());
    return path(name);
  }
  /// The built-in profile sails-rev-a with `from` replaced by `to`.
  std::string write_profile(const std::string& from, const std::string& to) const {
    const auto profiles = builtin_profiles();
    std::string toml(std::ranges::find(profiles, "sails-rev-a", &BuiltinProfile::name)->toml);
    const std::size_t at = toml.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return write("cluster.toml", toml.replace(at, from.size(), to));
  }
};

TEST_F(CliFiles, AGgufPlansAsThePresetDoes) {
  const std::string file = write_gguf("model.gguf", "tinyllama-1.1b");
  for (const char* cards : {"1", "3", "4"}) {
    const Json from_file = json_of({"plan", file, "--cards", cards});
    const Json from_preset = json_of({"plan", "tinyllama-1.1b", "--cards", cards});
    EXPECT_EQ(from_file, from_preset);
  }
  const Json inspected = json_of({"inspect", file});
  EXPECT_EQ(inspected["model"], json_of({"inspect", "tinyllama-1.1b"})["model"]);
}

TEST_F(CliFiles, AGgufSaysItselfHowItIsQuantised) {
  expect_bad_input({"plan", write_gguf("model.gguf", "tinyllama-1.1b"), "--quant", "q4_0"}, "--quant: ...");
}

TEST_F(CliFiles, AConfigJsonPlansAsThePresetDoes) {
  const std::string folder = SPANKER_SOURCE_DIR "/tests/fuzz_seeds/config_json_fuzz/";
  // The published file says its own name.
  const std::string file = folder + "tinyllama-1.1b.json";
  for (const char* quant : {"q4_0", "f16"}) {
    Json from_file = json_of({"plan", file, "--quant", quant});
    EXPECT_EQ(from_file["model"]["name"], "TinyLlama-1.1B-Chat-v1.0");
    from_file["model"]["name"] = "tinyllama-1.1b";
    EXPECT_EQ(from_file, json_of({"plan", "tinyllama-1.1b", "--quant", quant}));
  }
  EXPECT_EQ(json_of({"inspect", folder + "mixtral-8x7b.json"})["shape"],
            json_of({"inspect", "mixtral-8x7b"})["shape"]);
  expect_bad_input({"plan", write("config.json", "{\"model_type\": \"gpt2\"}")},
                   path("config.json") + ": model_type: model type is not read...");
  expect_bad_input({"inspect", write("config.json", "")}, path("config.json") + ": byte 1: not JSON...");
}

TEST_F(CliFiles, ATruncatedGgufIsRefusedWhereverItEnds) {
  const std::string file = write_gguf("model.gguf", "tinyllama-1.1b");
  const auto whole = std::filesystem::file_size(file);
  for (const std::uintmax_t size :
       {whole - 1, whole / 2, std::uintmax_t{20000}, std::uintmax_t{100}, std::uintmax_t{23},
        std::uintmax_t{4}, std::uintmax_t{1}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(file, size);
    expect_bad_input({"plan", file}, file + "...");
    expect_bad_input({"inspect", file}, file + "...");
  }
}

TEST_F(CliFiles, AGgufOfAnotherKindIsRefused) {
  const std::string file = write("model.gguf", std::string("GGML") + std::string(100, '\0'));
  expect_bad_input({"plan", file}, file + "...");
}

TEST_F(CliFiles, FilesThatAreNotThere) {
  const std::string missing = path("missing.gguf");
  const std::string line = missing + ": cannot open: No such file or directory";
  expect_error({"plan", missing}, ExitCode::kIo, line);
  expect_error({"inspect", missing}, ExitCode::kIo, line);
  const std::string profile = path("missing.toml");
  const std::string profile_line = profile + ": cannot open: No such file or directory";
  expect_error({"plan", "tinyllama-1.1b", "--cluster", profile}, ExitCode::kIo, profile_line);
  expect_error({"profile", "check", profile}, ExitCode::kIo, profile_line);
  expect_error({"profile", "show", profile}, ExitCode::kIo, profile_line);
}

TEST_F(CliFiles, FoldersAreNoFiles) {
  const std::string folder = path("");
  const std::string line = folder + ": cannot be read, wanted a regular file, got a directory";
  // A model's folder is that of its config.json.
  const std::string no_config = path("config.json") + ": cannot open: No such file or directory";
  expect_error({"plan", folder}, ExitCode::kIo, no_config);
  expect_error({"inspect", folder}, ExitCode::kIo, no_config);
  expect_error({"plan", "tinyllama-1.1b", "--cluster", folder}, ExitCode::kIo, line);
  expect_error({"profile", "check", folder}, ExitCode::kIo, line);
}

TEST_F(CliFiles, ProfilesThatAreWrong) {
  struct Wrong {
    const char* from;
    const char* to;
    const char* key;
    const char* said;
  };
  for (const Wrong& wrong :
       {Wrong{"cards = 4", "cards = nan", "cards", ""},
        {"cards = 4", "cards = 0", "cards", "got 0"},
        {"cards = 4", "cards = 4\nsails = 4", "sails", "unknown key"},
        {"cards = 4", "cards = ", "", ""},
        {"value = \"2.0 GB/s\"", "value = nan", "memory_bandwidth", ""},
        {"value = \"2.0 GB/s\"", "value = \"nan GB/s\"", "memory_bandwidth", "nan GB/s"},
        {"value = \"2.0 GB/s\"", "value = \"-2.0 GB/s\"", "memory_bandwidth", "-2.0 GB/s"},
        {"value = \"2.0 GB/s\"", "value = \"0 GB/s\"", "memory_bandwidth", "0 GB/s"},
        {"value = \"2.0 GB/s\"", "value = 2.0", "memory_bandwidth", ""},
        {"value = \"2.0 GB/s\"", "value = \"3.0 GB/s\"", "memory_bandwidth", ""},
        {"\"ring\"", "\"r\xFFng\"", "", "UTF-8"}}) {
    const std::string file = write_profile(wrong.from, wrong.to);
    for (const Arguments& arguments :
         {Arguments{"profile", "check", file}, Arguments{"plan", "tinyllama-1.1b", "--cluster", file}}) {
      expect_bad_input(arguments, file + "...");
      const std::string line = run(arguments).error;
      EXPECT_NE(line.find(wrong.key), std::string::npos) << line;
      EXPECT_NE(line.find(wrong.said), std::string::npos) << line;
    }
  }
}

TEST_F(CliFiles, AProfileOfOnesOwnPlansAsTheBuiltInOneItIsACopyOf) {
  const Outcome toml = run({"profile", "show", "sails-rev-a", "--toml"});
  EXPECT_EQ(toml.code, ExitCode::kFine);
  const std::string file = write("mine.toml", toml.out);
  EXPECT_EQ(json_of({"plan", "tinyllama-1.1b", "--cluster", file}), json_of({"plan", "tinyllama-1.1b"}));
  EXPECT_EQ(run({"profile", "check", file}).code, ExitCode::kFine);
}

}  // namespace
}  // namespace spanker
