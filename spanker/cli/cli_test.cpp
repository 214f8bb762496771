#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "spanker/cli/command.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

Outcome run(const Arguments& arguments) { return run_command_line(arguments, Style{}); }

Arguments operator+(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string shown(const Arguments& arguments) {
  std::string line = "spanker";
  for (const std::string& argument : arguments) line += " \"" + argument + "\"";
  return line;
}

/// Exactly one JSON object and nothing beside it.
Json object_of(const Outcome& outcome) {
  const Json json = Json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(json.is_object()) << outcome.out;
  return json;
}

Json json_of(const Arguments& arguments) {
  const Outcome outcome = run(arguments + Arguments{"--json"});
  EXPECT_EQ(outcome.code, ExitCode::kFine) << shown(arguments) << ": " << outcome.error;
  EXPECT_EQ(outcome.error, "");
  return object_of(outcome);
}

bool is_one_clean_line(const std::string& text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

/// Nothing on stdout, one line on stderr that is, or (where it ends in "...") starts with, `line`.
void expect_error(const Arguments& arguments, ExitCode code, const std::string& line) {
  SCOPED_TRACE(shown(arguments));
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
  if (line.ends_with("...")) {
    const std::string start = line.substr(0, line.size() - 3);
    EXPECT_EQ(outcome.error.substr(0, start.size()), start) << outcome.error;
  } else {
    EXPECT_EQ(outcome.error, line);
  }
}

void expect_bad_input(const Arguments& arguments, const std::string& line) {
  expect_error(arguments, ExitCode::kBadInput, line);
}

class CliFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "spanker_cli_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
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

 private:
  std::filesystem::path folder_;
};

// ---- tile

Arguments tile(const std::string& m, const std::string& n, const std::string& k, const std::string& bytes,
               const std::string& sails = "4") {
  return {"tile", "--m", m, "--n", n, "--k", k, "--bytes-per-element", bytes, "--sails", sails};
}

TEST(CliTile, TinyLlamaDecode) {
  const Json json = json_of(tile("1", "5632", "2048", "2"));
  EXPECT_EQ(json["strategy"], "model_parallel");
  EXPECT_DOUBLE_EQ(json["tensor_parallel_seconds"].get<double>(), 2.304e-05);
  EXPECT_DOUBLE_EQ(json["model_parallel_seconds"].get<double>(), 7.68e-06);
  EXPECT_EQ(json["matmul"]["strategy"], "tensor_parallel");
  EXPECT_DOUBLE_EQ(json["matmul"]["tensor_parallel_seconds"].get<double>(), 2.906112e-03);
  EXPECT_DOUBLE_EQ(json["matmul"]["model_parallel_seconds"].get<double>(), 1.1539968e-02);
}

TEST(CliTile, MatmulChangesItsMindBetween512And513Rows) {
  for (const auto& [m, matmul] : {std::pair{"512", "tensor_parallel"}, {"513", "model_parallel"}}) {
    const Json json = json_of(tile(m, "5632", "2048", "2"));
    EXPECT_EQ(json["matmul"]["strategy"], matmul) << m;
    EXPECT_EQ(json["strategy"], "model_parallel") << m;
  }
}

TEST(CliTile, OtherKnownAnswers) {
  EXPECT_EQ(json_of(tile("4", "4", "1048576", "4"))["strategy"], "tensor_parallel");
  EXPECT_EQ(json_of(tile("4096", "4096", "4", "4"))["strategy"], "model_parallel");
  EXPECT_EQ(json_of(tile("1", "1024", "1024", "4"))["strategy"], "model_parallel");
  const std::string most = "18446744073709551615";
  EXPECT_EQ(json_of(tile(most, most, most, "4"))["strategy"], "model_parallel");
  EXPECT_EQ(json_of(tile("1", "5632", "2048", "2", "0"))["strategy"], "tensor_parallel");
  EXPECT_EQ(json_of(tile("1", "5632", "2048", "2", "1"))["strategy"], "tensor_parallel");
}

TEST(CliTile, TimesThatAreNotFiniteAreNull) {
  for (const char* flag : {"--local-bandwidth", "--intercard-bandwidth"}) {
    const Json json = json_of(tile("1", "5632", "2048", "2") + Arguments{flag, "0"});
    EXPECT_EQ(json["strategy"], "tensor_parallel");
    EXPECT_EQ(json["matmul"]["strategy"], "tensor_parallel");
    for (const Json& times : {json, json["matmul"]}) {
      EXPECT_TRUE(times["tensor_parallel_seconds"].is_null()) << flag;
      EXPECT_TRUE(times["model_parallel_seconds"].is_null()) << flag;
    }
  }
}

TEST(CliTile, BandwidthsAreBytesOrQuantities) {
  const Json bytes =
      json_of(tile("1", "5632", "2048", "2") +
              Arguments{"--local-bandwidth", "8000000000", "--intercard-bandwidth", "250000000"});
  const Json quantities =
      json_of(tile("1", "5632", "2048", "2") +
              Arguments{"--local-bandwidth", "8 GB/s", "--intercard-bandwidth", "2 Gb/s"});
  EXPECT_EQ(bytes, quantities);
  EXPECT_NEAR(bytes["model_parallel_seconds"].get<double>(), 4096 / 8e9 + 11264 / (4 * 250e6), 1e-15);
}

TEST(CliTile, ShowsBothAnswersToPeople) {
  const Outcome outcome = run(tile("1", "5632", "2048", "2"));
  EXPECT_EQ(outcome.code, ExitCode::kFine);
  for (const char* piece :
       {"model_parallel", "tensor_parallel", "23.04 us", "7.68 us", "2.906 ms", "11.54 ms"}) {
    EXPECT_NE(outcome.out.find(piece), std::string::npos) << piece;
  }
}

TEST(CliTile, RefusesWhatIsNoNumber) {
  for (const char* wrong :
       {"-1", "1e3", "", " ", "18446744073709551616", "0x10", "+4", " 4", "4 ", "1.5", "nan", "1,000"}) {
    for (std::size_t at = 2; at <= 10; at += 2) {  // each of the five values
      Arguments arguments = tile("1", "5632", "2048", "2");
      arguments[at] = wrong;
      expect_bad_input(arguments,
                       "spanker tile: " + arguments[at - 1] +
                           ": not a whole number in range, wanted 0 to 18446744073709551615, got \"" + wrong +
                           "\"");
    }
  }
}

TEST(CliTile, RefusesABandwidthThatIsNone) {
  for (const char* wrong : {"-1", "1e999", "", "2 GB", "-2 GB/s", "nan", "fast"}) {
    for (const char* flag : {"--local-bandwidth", "--intercard-bandwidth"}) {
      expect_bad_input(tile("1", "1", "1", "1") + Arguments{flag, wrong}, std::string(flag) + ": ...");
    }
  }
  expect_bad_input(
      tile("1", "1", "1", "1") + Arguments{"--local-bandwidth", "18446744073709551616 B/s"},
      "--local-bandwidth: too fast, wanted below 2^64 bytes per second, got 18446744073709551616 B/s");
}

TEST(CliTile, RefusesWhatIsMissing) {
  expect_bad_input({"tile", "--m", "1"}, "spanker tile: --n is required");
}

// ---- plan

double rate_of(const Json& json) { return json["prediction"]["decode"]["tokens_per_second"].get<double>(); }

TEST(CliPlan, OneSail) {
  const Json json = json_of({"plan", "tinyllama-1.1b", "--cards", "1"});
  EXPECT_EQ(json["schema"], "spanker.plan/1");
  EXPECT_EQ(json["model"]["decode_weight_bytes"], 582231168);
  EXPECT_EQ(json["model"]["weight_bytes"], 619094016);
  EXPECT_EQ(json["model"]["kv_bytes_per_token"], 22528);
  EXPECT_EQ(json["plan"]["strategy"], "single_card");
  const Json& decode = json["prediction"]["decode"];
  EXPECT_NEAR(rate_of(json), 3.18, 0.005);
  EXPECT_NEAR(decode["tokens_per_second_low"].get<double>(), 2.39, 0.005);
  EXPECT_NEAR(decode["tokens_per_second_high"].get<double>(), 3.82, 0.005);
  EXPECT_NEAR(json["prediction"]["load"]["seconds"].get<double>(), 6.19, 0.005);
}

TEST(CliPlan, FourSails) {
  const Json json = json_of({"plan", "tinyllama-1.1b", "--cards", "4"});
  EXPECT_EQ(json["plan"]["strategy"], "tensor_parallel");
  EXPECT_EQ(json["plan"]["cards_used"], 4);
  EXPECT_NEAR(rate_of(json), 12.5, 0.05);
  ASSERT_EQ(json["plan"]["stages"].size(), 1u);
  const Json& stage = json["plan"]["stages"][0];
  EXPECT_EQ(stage["first_layer"], 0);
  EXPECT_EQ(stage["last_layer"], 21);
  EXPECT_EQ(stage["query_heads"], (std::vector<int>{8, 8, 8, 8}));
  EXPECT_EQ(stage["ffn_columns"], (std::vector<int>{1408, 1408, 1408, 1408}));
}

TEST(CliPlan, AnyNumberOfCardsLiesBetweenItsNeighbours) {
  std::vector<double> rates;
  for (int cards = 1; cards <= 8; ++cards) {
    rates.push_back(rate_of(json_of({"plan", "tinyllama-1.1b", "--cards", std::to_string(cards)})));
  }
  EXPECT_TRUE(std::ranges::is_sorted(rates));
  EXPECT_GE(rates[7], 22.1);
  EXPECT_LE(rates[7], 22.5);
}

TEST(CliPlan, HasEveryKeyAndABreakdownThatAddsUp) {
  for (const Arguments& more :
       {Arguments{},
        {"--streams", "4", "--strategy", "pipeline"},
        {"--cluster", "raspberry-pi-5-gbe"},
        {"--embedding", "host", "--kv-dtype", "q8_0", "--link-dtype", "f16", "--quant", "q8_0"}}) {
    const Json json = json_of(Arguments{"plan", "tinyllama-1.1b"} + more);
    for (const char* key : {"schema", "model", "cluster", "workload", "plan", "prediction", "memory",
                            "host_budget", "bottleneck", "sensitivity", "alternatives", "warnings"}) {
      EXPECT_TRUE(json.contains(key)) << key;
    }
    const Json& prediction = json["prediction"];
    double sum = 0;
    for (const char* term :
         {"memory", "compute", "link_bandwidth", "link_latency", "host_link", "overhead"}) {
      sum += prediction["decode"]["breakdown"][term].get<double>();
    }
    const double total = prediction["decode"]["seconds_per_token"].get<double>();
    EXPECT_NEAR(sum, total, 1e-9 * total);
    EXPECT_NEAR(rate_of(json) * total, 1, 1e-12);
    for (const char* key :
         {"prefill", "time_to_first_token_seconds", "throughput", "load", "session_seconds"}) {
      EXPECT_TRUE(prediction.contains(key)) << key;
    }
    double shares = 0;
    for (const Json& use : json["host_budget"]) shares += use["share_of_session"].get<double>();
    EXPECT_GT(shares, 0);
    EXPECT_LT(shares, 1);
    for (const Json& card : json["memory"]) {
      EXPECT_EQ(card["total_bytes"].get<std::uint64_t>(), card["weight_bytes"].get<std::uint64_t>() +
                                                              card["kv_bytes"].get<std::uint64_t>() +
                                                              card["activation_bytes"].get<std::uint64_t>());
    }
    EXPECT_EQ(json["memory"].size(), json["plan"]["cards_used"].get<std::size_t>());
  }
}

TEST(CliPlan, OneStreamsThroughputIsExactlyItsSpeed) {
  const Json json = json_of({"plan", "tinyllama-1.1b", "--strategy", "pipeline"});
  EXPECT_EQ(json["prediction"]["throughput"]["streams"], 1);
  EXPECT_EQ(json["prediction"]["throughput"]["tokens_per_second"].get<double>(), rate_of(json));
}

TEST(CliPlan, LengthsThatAreNotGivenAgreeWithThoseThatAre) {
  const auto workload = [](const Arguments& more) {
    return json_of(Arguments{"plan", "tinyllama-1.1b", "--cards", "1"} + more)["workload"];
  };
  const Json plain = workload({});
  EXPECT_EQ(plain["context"], 2048);
  EXPECT_EQ(plain["prompt"], 512);
  EXPECT_EQ(plain["generate"], 128);
  EXPECT_EQ(plain["streams"], 1);
  EXPECT_EQ(plain["kv_dtype"], "f16");
  EXPECT_EQ(plain["link_dtype"], "f32");
  EXPECT_EQ(plain["embedding"], "cards");
  EXPECT_EQ(plain["objective"], "latency");
  EXPECT_EQ(workload({"--prompt", "4000"})["context"], 4128);
  for (const char* context : {"2", "100", "600"}) {
    const Json shrunk = workload({"--context", context});
    EXPECT_EQ(shrunk["context"], std::stoull(context));
    EXPECT_LE(shrunk["prompt"].get<std::uint64_t>() + shrunk["generate"].get<std::uint64_t>(),
              std::stoull(context));
    EXPECT_GE(shrunk["prompt"].get<std::uint64_t>(), 1u);
    EXPECT_GE(shrunk["generate"].get<std::uint64_t>(), 1u);
  }
}

TEST(CliPlan, RefusesWhatIsNoNumber) {
  for (const char* wrong : {"-1", "1e3", "", " ", "18446744073709551616", "0x10", "+4", "1.5"}) {
    for (const char* flag : {"--context", "--prompt", "--generate", "--streams"}) {
      expect_bad_input({"plan", "tinyllama-1.1b", flag, wrong},
                       std::string("spanker plan: ") + flag +
                           ": not a whole number in range, wanted 0 to 18446744073709551615, got \"" + wrong +
                           "\"");
    }
    expect_bad_input(
        {"plan", "tinyllama-1.1b", "--cards", wrong},
        std::string("spanker plan: --cards: not a whole number in range, wanted 0 to 4294967295, got \"") +
            wrong + "\"");
  }
}

TEST(CliPlan, RefusesNumbersThatAreOutOfRange) {
  for (const char* wrong : {"0", "65537", "4294967295"}) {
    const Outcome outcome = run({"plan", "tinyllama-1.1b", "--cards", wrong});
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_clean_line(outcome.error));
    EXPECT_NE(outcome.error.find(std::string("cards: out of range, wanted 1 to 65536, got ") + wrong),
              std::string::npos)
        << outcome.error;
  }
  expect_bad_input({"plan", "tinyllama-1.1b", "--context", "0"},
                   "--context: out of range, wanted 1 to 16777216, got 0");
  expect_bad_input({"plan", "tinyllama-1.1b", "--prompt", "0"},
                   "--prompt: out of range, wanted 1 to 16777216, got 0");
  expect_bad_input({"plan", "tinyllama-1.1b", "--generate", "0"},
                   "--generate: out of range, wanted 1 to 16777216, got 0");
  expect_bad_input({"plan", "tinyllama-1.1b", "--streams", "0"},
                   "--streams: out of range, wanted 1 to 65536, got 0");
  expect_bad_input({"plan", "tinyllama-1.1b", "--context", "18446744073709551615"},
                   "--context: out of range, wanted 1 to 16777216, got 18446744073709551615");
}

TEST(CliPlan, RefusesAContextThatIsTooShort) {
  expect_bad_input({"plan", "tinyllama-1.1b", "--context", "639", "--prompt", "512", "--generate", "128"},
                   "--context: too short for the prompt and what is generated, wanted 640 or more, got 639");
}

TEST(CliPlan, RefusesUnknownWords) {
  expect_bad_input({"plan", "tinyllama-1.1b", "--strategy", "hybrid"},
                   "--strategy: unknown strategy, wanted auto, tensor, pipeline or single, got \"hybrid\"");
  expect_bad_input({"plan", "tinyllama-1.1b", "--objective", "speed"},
                   "--objective: unknown objective, wanted latency, got \"speed\"");
  expect_bad_input({"plan", "tinyllama-1.1b", "--embedding", "disk"},
                   "--embedding: unknown place, wanted cards or host, got \"disk\"");
  for (const char* flag : {"--quant", "--kv-dtype", "--link-dtype"}) {
    expect_bad_input({"plan", "tinyllama-1.1b", flag, "f17"}, std::string(flag) + ": ...");
    const std::string line = run({"plan", "tinyllama-1.1b", flag, "f17"}).error;
    EXPECT_NE(line.find("f16"), std::string::npos) << line;
    EXPECT_NE(line.find("got \"f17\""), std::string::npos) << line;
  }
  expect_bad_input({"plan", "tinyllama-1.1b", "--kv-dtype", "q4_0"},
                   "--kv-dtype: type not supported here, wanted f32, f16 or q8_0, got \"q4_0\"");
  expect_bad_input({"plan", "tinyllama-1.1b", "--link-dtype", "bf16"},
                   "--link-dtype: type not supported here, wanted f32, f16 or q8_0, got \"bf16\"");
  expect_bad_input({"plan", "tinyllama-1.1b", "--quant", "i8"},
                   "tinyllama-1.1b: weights cannot be stored as plain integers...");
}

TEST(CliPlan, RefusesToSplitOverOneCard) {
  for (const char* strategy : {"tensor", "pipeline"}) {
    expect_bad_input(
        {"plan", "tinyllama-1.1b", "--strategy", strategy, "--cards", "1"},
        std::string("--strategy: ") + strategy + " needs several cards, wanted two cards or more, got 1");
  }
}

TEST(CliPlan, AnUnknownPresetGetsASuggestion) {
  for (const char* command : {"plan", "inspect"}) {
    const Outcome outcome = run({command, "tinylama-1.1b"});
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_clean_line(outcome.error));
    EXPECT_NE(outcome.error.find("did you mean \"tinyllama-1.1b\"?"), std::string::npos) << outcome.error;
    EXPECT_NE(outcome.error.find("got \"tinylama-1.1b\""), std::string::npos) << outcome.error;
  }
}

TEST(CliPlan, AnUnknownProfileGetsAList) {
  expect_bad_input({"plan", "tinyllama-1.1b", "--cluster", "sails"},
                   "sails: no such cluster profile, wanted ...");
  EXPECT_NE(run({"plan", "tinyllama-1.1b", "--cluster", "sails"}).error.find("sails-rev-a"),
            std::string::npos);
}

TEST(CliPlan, TooLargeAModelIsAnAnswerOfItsOwn) {
  const Arguments arguments = {"plan", "llama-2-70b", "--cards", "8"};
  const Outcome text = run(arguments);
  EXPECT_EQ(text.code, ExitCode::kNo);
  EXPECT_EQ(text.out, "");
  EXPECT_TRUE(is_one_clean_line(text.error));
  EXPECT_NE(text.error.find("does not fit on 8 cards: card "), std::string::npos) << text.error;
  EXPECT_NE(text.error.find("wanted 10 cards or more"), std::string::npos) << text.error;

  const Outcome outcome = run(arguments + Arguments{"--json"});
  EXPECT_EQ(outcome.code, ExitCode::kNo);
  EXPECT_EQ(outcome.error, text.error);
  const Json json = object_of(outcome);
  EXPECT_EQ(json["schema"], "spanker.plan/1");
  EXPECT_EQ(json["feasible"], false);
  EXPECT_EQ(json["smallest_cards"], 10);
  EXPECT_TRUE(json["reason"].is_string());
  EXPECT_EQ(json["tightest"]["capacity_bytes"], 4294967296);
  EXPECT_GT(json["tightest"]["need_bytes"].get<std::uint64_t>(), 4294967296u);
  EXPECT_LT(json["tightest"]["card"].get<std::uint32_t>(), 8u);

  EXPECT_EQ(run({"plan", "llama-2-70b", "--cards", "12"}).code, ExitCode::kFine);
}

// ---- Files

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
  expect_error({"plan", folder}, ExitCode::kIo, line);
  expect_error({"inspect", folder}, ExitCode::kIo, line);
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

// ---- profile and inspect

TEST(CliProfile, ListsWhatCanBeShown) {
  const Json list = json_of({"profile", "list"});
  std::vector<std::string> names;
  for (const Json& profile : list.front()) names.push_back(profile["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"raspberry-pi-4b-gbe", "raspberry-pi-5-gbe", "sails-rev-a",
                                             "sails-rev-a-64b66b", "sails-rev-b-10gbe", "sails-rev-b-pcie"}));
  const Outcome text = run({"profile", "list"});
  for (const std::string& name : names) {
    EXPECT_NE(text.out.find(name), std::string::npos);
    EXPECT_TRUE(json_of({"profile", "show", name}).contains("name"));
    EXPECT_EQ(json_of({"profile", "check", name}), json_of({"profile", "show", name}));
    EXPECT_EQ(run({"profile", "show", name}).code, ExitCode::kFine);
  }
}

TEST(CliProfile, RefusesANameThatIsNone) {
  for (const char* action : {"show", "check"}) {
    expect_bad_input({"profile", action, "nix"}, "nix: no such cluster profile, wanted ...");
  }
}

TEST(CliProfile, TomlAndJsonTogetherAreNotBoth) {
  const Outcome outcome = run({"profile", "show", "sails-rev-a", "--toml", "--json"});
  if (outcome.code == ExitCode::kFine) {
    object_of(outcome);
  } else {
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CliInspect, SaysWhatAPresetIs) {
  const Json json = json_of({"inspect", "tinyllama-1.1b", "--quant", "q8_0"});
  EXPECT_EQ(json["model"]["architecture"], "llama");
  EXPECT_EQ(json["model"]["parameters"], 1100048384);
  // 34 bytes for 32 elements of every matrix; 45 norms of 2048 in F32.
  EXPECT_EQ(json["model"]["weight_bytes"], (1100048384 - 45 * 2048) / 32 * 34 + 45 * 2048 * 4);
  EXPECT_NE(run({"inspect", "tinyllama-1.1b"}).out.find("582231168"), std::string::npos);
}

// ---- The command line itself

TEST(CliUsage, SaysWhatIsWrong) {
  expect_bad_input({}, "spanker: ...");
  expect_bad_input({"profile"}, "spanker profile: ...");
  expect_bad_input({"plan"}, "spanker plan: MODEL is required");
  expect_bad_input({"inspect"}, "spanker inspect: MODEL is required");
  expect_bad_input({"profile", "show"}, "spanker profile show: NAME is required");
  expect_bad_input({"profile", "check"}, "spanker profile check: FILE is required");
  expect_bad_input({"plan", "tinyllama-1.1b", "--cards"}, "spanker plan: --cards: ...");
  expect_bad_input({"plan", "tinyllama-1.1b", "--cards", "4", "--cards", "5"}, "spanker plan: --cards: ...");
}

TEST(CliUsage, NamesWhatItDoesNotKnow) {
  for (const Arguments& arguments : {Arguments{"plan", "tinyllama-1.1b", "--bogus"},
                                     {"plan", "tinyllama-1.1b", "bogus"},
                                     {"bogus"},
                                     {"--bogus"},
                                     tile("1", "1", "1", "1") + Arguments{"--bogus"},
                                     {"profile", "bogus"},
                                     {"profile", "list", "bogus"},
                                     {"inspect", "tinyllama-1.1b", "--bogus"}}) {
    const Outcome outcome = run(arguments);
    SCOPED_TRACE(shown(arguments));
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
    EXPECT_NE(outcome.error.find("bogus"), std::string::npos) << outcome.error;
  }
}

TEST(CliUsage, EscapesControlCharacters) {
  const std::string wrong = "x\x1b[31m\n\ty\x7f";
  const std::string escaped = "x\\x1b[31m\\n\\ty\\x7f";
  for (const Arguments& arguments : {Arguments{"plan", wrong},
                                     {"plan", "./" + wrong},
                                     {"inspect", wrong},
                                     {"plan", "tinyllama-1.1b", "--cluster", wrong},
                                     {"profile", "show", wrong},
                                     {"profile", "check", "./" + wrong},
                                     {"plan", "tinyllama-1.1b", wrong},
                                     {"plan", "tinyllama-1.1b", "--" + wrong},
                                     {"plan", "tinyllama-1.1b", "--cards", wrong},
                                     {"plan", "tinyllama-1.1b", "--strategy", wrong},
                                     {"plan", "tinyllama-1.1b", "--quant", wrong},
                                     {"plan", "tinyllama-1.1b", "--kv-dtype", wrong},
                                     {"tile", "--m", wrong},
                                     tile("1", "1", "1", "1") + Arguments{"--local-bandwidth", wrong}}) {
    const Outcome outcome = run(arguments);
    EXPECT_NE(outcome.code, ExitCode::kFine);
    EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
    EXPECT_NE(outcome.error.find(escaped), std::string::npos) << outcome.error;
  }
}

TEST(CliUsage, HelpOfEveryCommandShowsExamples) {
  for (const Arguments& command : {Arguments{},
                                   {"plan"},
                                   {"tile"},
                                   {"profile"},
                                   {"profile", "list"},
                                   {"profile", "show"},
                                   {"profile", "check"},
                                   {"inspect"}}) {
    for (const char* flag : {"--help", "-h"}) {
      const Outcome outcome = run(command + Arguments{flag});
      SCOPED_TRACE(shown(command));
      EXPECT_EQ(outcome.code, ExitCode::kFine);
      EXPECT_EQ(outcome.error, "");
      std::string usage = "Usage: spanker ";
      for (const std::string& word : command) usage += word + " ";
      EXPECT_NE(outcome.out.find(usage), std::string::npos) << outcome.out;
      EXPECT_NE(outcome.out.find("  spanker " + (command.empty() ? "plan" : command.front()) + " "),
                std::string::npos)
          << outcome.out;
    }
  }
}

TEST(CliUsage, SaysItsVersion) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, ExitCode::kFine);
  EXPECT_TRUE(outcome.out.starts_with("spanker ")) << outcome.out;
}

TEST(CliUsage, ColoursOnlyWhereAskedTo) {
  for (const Arguments& arguments : {Arguments{"plan", "tinyllama-1.1b"},
                                     {"profile", "list"},
                                     {"inspect", "tinyllama-1.1b"},
                                     tile("1", "5632", "2048", "2")}) {
    EXPECT_EQ(run(arguments).out.find('\x1b'), std::string::npos);
    EXPECT_NE(run_command_line(arguments, Style{true}).out.find("\x1b["), std::string::npos)
        << shown(arguments);
    EXPECT_EQ(run_command_line(arguments + Arguments{"--json"}, Style{true}).out.find('\x1b'),
              std::string::npos);
  }
}

TEST(CliUsage, ExitCodesAreThoseOfTheContract) {
  EXPECT_EQ(static_cast<int>(ExitCode::kFine), 0);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kInfeasible)), 1);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kBadInput)), 2);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kIo)), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kInternal), 4);
}

}  // namespace
}  // namespace spanker
