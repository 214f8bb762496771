#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/synth.hpp"

namespace spanker {
namespace {

using namespace testing;
namespace fs = std::filesystem;

class RunCommand : public FolderTest {
 protected:
  void SetUp() override {
    ::setenv("XDG_CONFIG_HOME", path("config").c_str(), 1);  // where no machine is measured
    model_ = synth("m.gguf", shape());
  }
  static ModelShape shape() {
    return {Architecture::kLlama, 2, 64, 96, 4, 2, 16, 320, 128, 1e-5, 10000, false};
  }

  std::string synth(const std::string& name, const ModelShape& shape) const {
    const auto model = make_model("small", shape, TensorType::kQ8_0);
    EXPECT_TRUE(write_synthetic_gguf(*model, 1, path(name), [](Bytes, Bytes) { return true; }).has_value());
    return path(name);
  }
  Arguments with(const Arguments& more) const { return Arguments{"run", model_} + more; }

  std::string model_;
};

TEST_F(RunCommand, AnswersInJson) {
  const Json json = json_of(with({"--prompt", "Hello", "--generate", "5", "--ignore-eos"}));
  EXPECT_EQ(json["schema"], "spanker.run/1");
  EXPECT_EQ(json["tokens"].size(), 5u);
  EXPECT_TRUE(json["text"].is_string());
  EXPECT_GT(json["prompt_tokens"], 1);
  EXPECT_GT(json["prefill_seconds"], 0.0);
  EXPECT_GT(json["decode_seconds"], 0.0);
  EXPECT_GT(json["tokens_per_second"], 0.0);
  EXPECT_GE(json["time_to_first_token_seconds"], json["prefill_seconds"]);
  EXPECT_TRUE(json["predicted"].is_null());
  EXPECT_EQ(json["cards"], 1);
}

TEST_F(RunCommand, AnySplitSaysTheSame) {
  const Arguments question = {"--tokens", "1,70,71", "--generate", "12", "--ignore-eos", "--kv-dtype", "f32"};
  const Json one = json_of(with(question));
  for (const Arguments& split : std::vector<Arguments>{{"--cards", "2"},
                                                       {"--cards", "3", "--strategy", "tensor"},
                                                       {"--cards", "2", "--strategy", "pipeline"},
                                                       {"--threads", "3"}}) {
    const Json json = json_of(with(question + split));
    EXPECT_EQ(json["tokens"], one["tokens"]) << shown(split);
    EXPECT_EQ(json["text"], one["text"]);
    EXPECT_EQ(json["cards"], split.front() == "--cards" ? std::stoi(split[1]) : 1);
  }
}

TEST_F(RunCommand, APlanFileIsRun) {
  const std::string plan = path("plan.json");
  json_of({"plan", model_, "--cards", "3", "--strategy", "tensor", "--context", "64", "--out", plan});
  const Json json = json_of(with({"--tokens", "1,70", "--generate", "4", "--ignore-eos", "--plan", plan}));
  EXPECT_EQ(json["cards"], 3);
  EXPECT_EQ(json["strategy"], "tensor_parallel");
  EXPECT_GT(json["predicted"]["tokens_per_second"], 0.0);
  EXPECT_FALSE(json["kinds"].empty());
  for (const Json& kind : json["kinds"]) {
    if (kind["kind"] == "qkv") {
      EXPECT_GT(kind["predicted_seconds"], 0.0);
    }
  }
  EXPECT_EQ(json["tokens"],
            json_of(with({"--tokens", "1,70", "--generate", "4", "--ignore-eos", "--cards", "1"}))["tokens"]);
}

TEST_F(RunCommand, WithAClusterItIsPredicted) {
  const Json json =
      json_of(with({"--tokens", "1,70", "--generate", "4", "--cluster", "sails-rev-a", "--cards", "2"}));
  EXPECT_GT(json["predicted"]["tokens_per_second"], 0.0);
}

TEST_F(RunCommand, TextComesAsItIsChosenAndTheTablesAfterIt) {
  const Arguments arguments = with({"--prompt", "Hello", "--generate", "6", "--ignore-eos"});
  std::vector<std::string> pieces;
  const Outcome streamed =
      run_command_line(arguments, Style{}, {}, [&](std::string_view piece) { pieces.emplace_back(piece); });
  ASSERT_EQ(streamed.code, ExitCode::kFine) << streamed.error;
  EXPECT_GT(pieces.size(), 1u);
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  EXPECT_EQ(streamed.out.substr(0, 2), "\n\n");
  EXPECT_NE(streamed.out.find("small: single_card on 1 card with "), std::string::npos) << streamed.out;
  EXPECT_NE(streamed.out.find("tokens/s"), std::string::npos);
  const Outcome whole = run(arguments);
  EXPECT_EQ(whole.out.substr(0, text.size() + 2), text + "\n\n");
}

TEST_F(RunCommand, AnInterruptEndsBetweenTokens) {
  int pieces = 0;
  const Outcome outcome = run_command_line(with({"--prompt", "Hello", "--generate", "100", "--ignore-eos"}),
                                           Style{}, {}, [&](std::string_view) {
                                             if (++pieces == 3) std::raise(SIGINT);
                                           });
  EXPECT_EQ(outcome.code, ExitCode::kFine);
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(outcome.out.find(", interrupted\n"), std::string::npos) << outcome.out;
  EXPECT_LT(pieces, 8);
}

TEST_F(RunCommand, WritesATrace) {
  const std::string trace = path("trace.json");
  json_of(with({"--tokens", "1,70", "--generate", "3", "--ignore-eos", "--cards", "2", "--trace", trace}));
  std::ifstream file(trace);
  const Json json = Json::parse(file, nullptr, false);
  EXPECT_FALSE(json.is_discarded());
  expect_error(with({"--tokens", "1", "--generate", "1", "--trace", path("none/t.json")}), ExitCode::kIo,
               path("none/t.json") + ": ...");
}

TEST_F(RunCommand, ARunIsRecorded) {
  const std::string runs = path("runs.json");
  const Arguments question = {"--tokens", "1,70", "--generate", "5", "--ignore-eos", "--record", runs};
  json_of(with(question));
  json_of(with(question + Arguments{"--cluster", "sails-rev-a", "--cards", "2", "--strategy", "tensor"}));
  std::ifstream file(runs);
  const Json json = Json::parse(file, nullptr, false);
  ASSERT_EQ(json["runs"].size(), 2u);
  EXPECT_EQ(json["runs"][0]["cluster"], "localhost");
  EXPECT_EQ(json["runs"][0]["model"], model_);
  EXPECT_EQ(json["runs"][0]["cards"], 1);
  EXPECT_FALSE(json["runs"][0].contains("transfer_seconds"));
  EXPECT_EQ(json["runs"][1]["cluster"], "sails-rev-a");
  EXPECT_EQ(json["runs"][1]["strategy"], "tensor_parallel");
  EXPECT_EQ(json["runs"][1]["samples"], 4);
  EXPECT_GT(json["runs"][1]["seconds_per_token"], 0.0);
  EXPECT_LE(json["runs"][1]["compute_seconds"], json["runs"][1]["seconds_per_token"]);
  expect_bad_input(with({"--tokens", "1", "--generate", "1", "--record", runs}),
                   "--record: no token was decoded after the first, wanted --generate 2 or more, got 1");
  std::ofstream(path("bad.json")) << "{}";
  expect_bad_input(with({"--tokens", "1", "--generate", "3", "--ignore-eos", "--record", path("bad.json")}),
                   path("bad.json") + ": ...");
}

TEST_F(RunCommand, AMeasuredMachineIsPredicted) {
  fs::create_directories(path("config/spanker"));
  fs::copy_file(std::string(SPANKER_SOURCE_DIR) + "/spanker/cluster/profiles/raspberry-pi-5-gbe.toml",
                path("config/spanker/localhost.toml"));
  const auto cards = json_of({"profile", "show", "localhost", "--json"})["cards"].get<int>();
  const Arguments question = {"--tokens", "1,70", "--generate", "3", "--ignore-eos"};
  const Json json = json_of(with(question + Arguments{"--cards", std::to_string(cards)}));
  EXPECT_TRUE(json["predicted"].is_object());
  // Measured otherwise than it runs: other cards, other threads.
  EXPECT_TRUE(
      json_of(with(question + Arguments{"--cards", std::to_string(cards + 1)}))["predicted"].is_null());
  EXPECT_TRUE(
      json_of(with(question + Arguments{"--cards", std::to_string(cards), "--threads", "2"}))["predicted"]
          .is_null());
  std::ofstream(path("config/spanker/localhost.toml")) << "cards = 1";
  expect_bad_input(with(question), path("config/spanker/localhost.toml") + ": ...");
}

TEST_F(RunCommand, PaceNeedsACluster) {
  expect_bad_input(with({"--tokens", "1", "--generate", "2", "--pace"}),
                   "--pace: paces what is not known, wanted --cluster or --plan, got neither");
  const Json json = json_of(with({"--tokens", "1,70", "--generate", "3", "--ignore-eos", "--pace",
                                  "--cluster", "sails-rev-a", "--cards", "2"}));
  EXPECT_GE(json["lateness_seconds"], 0.0);
  EXPECT_GT(json["predicted"]["tokens_per_second"], 0.0);
}

TEST_F(RunCommand, OnlyAFileHasWeights) {
  expect_bad_input(
      {"run", "tinyllama-1.1b", "--prompt", "x"},
      "tinyllama-1.1b: has no weights to run, wanted a GGUF file (spanker synth writes one of random "
      "weights), got a preset's name");
  expect_bad_input({"run", "some/config.json", "--prompt", "x"},
                   "some/config.json: has no weights to run...");
  expect_error({"run", path("none.gguf"), "--prompt", "x"}, ExitCode::kIo,
               path("none.gguf") + ": cannot open...");
}

TEST_F(RunCommand, ATruncatedFile) {
  const auto size = fs::file_size(model_);
  fs::resize_file(model_, size - 1);
  expect_bad_input(with({"--prompt", "x"}), model_ + ": ...");
  fs::resize_file(model_, size / 2);
  expect_bad_input(with({"--prompt", "x"}), model_ + ": ...");
}

TEST_F(RunCommand, PromptsThatCannotBe) {
  expect_bad_input(with({}),
                   "spanker run: what to continue is not clear, wanted either --prompt or --tokens, got "
                   "neither");
  expect_bad_input(with({"--prompt", "x", "--tokens", "1"}), "spanker run: what to continue is not clear...");
  expect_bad_input(with({"--tokens", "1,320"}), "--tokens: token 1: no such token, wanted 0 to 319, got 320");
  expect_bad_input(with({"--tokens="}), "spanker run: --tokens: ...");
  for (const char* list : {"1,,2", "1,", "a", "-1", "1 2", "0x1", "4294967296"}) {
    expect_bad_input(with({"--tokens=" + std::string(list)}), "--tokens: not a list of token ids...");
  }
  expect_bad_input(
      with({"--tokens", "1,2,3", "--generate", "126"}),
      "--tokens: prompt and generated tokens are more than the model's context, wanted at most 128 "
      "together, got 3 and 126");
  expect_bad_input(with({"--prompt", std::string(500, 'x')}),
                   "--prompt: prompt and generated tokens are more...");
  expect_bad_input(with({"--tokens", "1,2,3", "--generate", "8", "--context", "10"}),
                   "--context: too short for the prompt and what is generated...");
}

TEST_F(RunCommand, PlansThatAreNotForIt) {
  ModelShape other = shape();
  other.intermediate_size = 128;
  const std::string other_model = synth("other.gguf", other);
  const std::string plan = path("plan.json");
  json_of({"plan", other_model, "--cards", "2", "--context", "32", "--out", plan});
  expect_bad_input(
      with({"--tokens", "1", "--generate", "4", "--plan", plan}),
      plan +
          ": the plan is for another model: blk.0.ffn_gate.weight, wanted q8_0 of 64 x 96, got q8_0 of "
          "64 x 128");
  json_of({"plan", model_, "--cards", "2", "--context", "32", "--out", plan});
  expect_bad_input(
      with({"--tokens", "1", "--generate", "40", "--plan", plan}),
      plan +
          ": its context is too short for the prompt and what is generated, wanted 41 or more, got "
          "32");
  expect_error(with({"--tokens", "1", "--generate", "4", "--plan", path("none.json")}), ExitCode::kIo,
               path("none.json") + ": ...");
  for (const Arguments& flag : std::vector<Arguments>{
           {"--cards", "2"}, {"--cluster", "sails-rev-a"}, {"--strategy", "single"}, {"--context", "64"}}) {
    expect_bad_input(with(Arguments{"--tokens", "1", "--plan", plan} + flag), "spanker run: ...");
  }
}

TEST_F(RunCommand, TooLittleMemory) {
  // 4 GiB of the sails' memory hold no cache of so many positions.
  ModelShape longer = shape();
  longer.max_position_embeddings = 1 << 24;
  const std::string model = synth("long.gguf", longer);
  expect_error({"run", model, "--tokens", "1", "--context", "16000000", "--kv-dtype", "f32", "--cluster",
                "sails-rev-a", "--cards", "1"},
               ExitCode::kNo, "plan: ...");
}

TEST_F(RunCommand, FlagsThatAreWrong) {
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--temperature", "-1"}), "temperature...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--top-p", "0"}), "top_p...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--strategy", "both"}),
                   "--strategy: unknown strategy...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--strategy", "tensor"}),
                   "--strategy: tensor needs several cards...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--kv-dtype", "q4_0"}),
                   "--kv-dtype: type not supported here...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--link-dtype", "x"}),
                   "--link-dtype: type not supported here...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--cards", "0"}), "--cards: out of range...");
  expect_bad_input(with({"--tokens", "1", "--generate", "0"}), "--generate: out of range...");
  expect_bad_input(with({"--tokens", "1", "--generate", "4", "--threads", "many"}), "spanker run: ...");
}

TEST_F(RunCommand, AModelWithoutATokenizer) {
  // Ids are enough to run it, text is not.
  const auto model = make_model("bare", shape(), TensorType::kF32);
  GgufWriter writer;
  put_model(writer, *model);
  std::string bytes = writer.header();
  bytes.resize(writer.file_bytes());
  std::ofstream(path("bare.gguf"), std::ios::binary) << bytes;
  const Json json = json_of({"run", path("bare.gguf"), "--tokens", "1,2", "--generate", "3"});
  EXPECT_EQ(json["tokens"].size(), 3u);
  EXPECT_TRUE(json["text"].is_null());
  expect_bad_input({"run", path("bare.gguf"), "--prompt", "x"}, path("bare.gguf") + ": tokenizer.ggml...");
}

}  // namespace
}  // namespace spanker
