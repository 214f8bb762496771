#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "spanker/cli/command_line_for_test.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

using namespace testing;

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
                   "--objective: unknown objective, wanted latency, throughput, first-token or session, got "
                   "\"speed\"");
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

// ---- Objectives

double objective_of(const Json& json, const std::string& objective) {
  const Json& prediction = json["prediction"];
  if (objective == "throughput") return 1 / prediction["throughput"]["tokens_per_second"].get<double>();
  if (objective == "first-token") return prediction["time_to_first_token_seconds"].get<double>();
  if (objective == "session") return prediction["session_seconds"].get<double>();
  return prediction["decode"]["seconds_per_token"].get<double>();
}

TEST(CliPlanObjective, EachIsBestAtItsOwn) {
  const std::vector<std::string> objectives = {"latency", "throughput", "first-token", "session"};
  std::vector<Json> answers;
  for (const std::string& objective : objectives) {
    answers.push_back(json_of({"plan", "tinyllama-1.1b", "--cards", "4", "--streams", "6", "--generate", "16",
                               "--objective", objective}));
    EXPECT_EQ(answers.back()["workload"]["objective"], objective);
  }
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    for (const Json& other : answers) {
      EXPECT_LE(objective_of(answers[i], objectives[i]), objective_of(other, objectives[i]) * (1 + 1e-9))
          << objectives[i];
    }
  }
  EXPECT_EQ(answers[0]["plan"]["strategy"], "tensor_parallel");
  EXPECT_NE(answers[2]["plan"]["strategy"], "tensor_parallel");
}

TEST(CliPlanObjective, LongPromptsPreferThePipelineAndTheCrossingIsTheClosedForms) {
  const Json json = json_of({"plan", "tinyllama-1.1b", "--cards", "4"});
  const Json& choice = json["prefill_choice"];
  EXPECT_TRUE(choice["differs"].get<bool>());
  EXPECT_EQ(choice["seconds_here"], json["prediction"]["time_to_first_token_seconds"]);
  std::uint64_t prompt = 0;
  for (const Json& each : choice["crossings"]) {
    if (each["strategy"] == "pipeline_parallel") prompt = each["prompt"].get<std::uint64_t>();
  }
  ASSERT_GT(prompt, 1u);
  // docs/cost-model.md by hand, for m tokens of 8 KiB: four cards read a quarter of the layers each and do 44
  // all_reduces and a broadcast of 6 rounds; two of a pipeline read everything and send the vectors once.
  // What both pay alike is left out, the last gather apart.
  const auto tensor = [](double m) {
    const double layers = 22 * (2 * 8192 + 737280 + 589824 + 3244032 + 1622016 + 512 * m);
    const double logits = 8192 + 8000 * 1152.0;
    return (layers + logits + 1152 * m) / 2e9 + 45 * 6 * (1e-6 + m * 1024 / 500e6) + 130e-6;
  };
  const auto pipeline = [](double m) {
    const double layers = 22 * (2 * 8192 + 2949120 + 2359296 + 12976128 + 6488064 + 2048 * m);
    const double logits = 8192 + 32000 * 1152.0;
    return (layers + logits + 1152 * m) / 2e9 + 1e-6 + m * 8192 / 500e6 + 1e-6 + 128000 / 500e6;
  };
  const auto m = static_cast<double>(prompt);
  EXPECT_LT(pipeline(m), tensor(m));
  EXPECT_GE(pipeline(m - 1), tensor(m - 1));
}

// ---- Target

TEST(CliPlanTarget, TheSmallestNumberOfCards) {
  const Json json = json_of({"plan", "tinyllama-1.1b", "--target", "10"});
  const int cards = json["plan"]["cards_used"].get<int>();
  EXPECT_EQ(cards, 4);
  EXPECT_EQ(json["cluster"]["cards"], cards);
  EXPECT_GE(rate_of(json), 10);
  EXPECT_LT(rate_of(json_of({"plan", "tinyllama-1.1b", "--cards", std::to_string(cards - 1)})), 10);
}

TEST(CliPlanTarget, OutOfReach) {
  const Outcome outcome = run({"plan", "llama-2-70b", "--target", "30", "--json"});
  EXPECT_EQ(outcome.code, ExitCode::kNo);
  EXPECT_NE(outcome.error.find("--target: llama-2-70b reaches 3.4"), std::string::npos) << outcome.error;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["feasible"], false);
  EXPECT_GT(json["best"]["tokens_per_second"].get<double>(), 3);
  EXPECT_LT(json["best"]["tokens_per_second"].get<double>(), 4);
  EXPECT_GT(json["best"]["cards_used"].get<int>(), 150);
  EXPECT_LT(json["best"]["cards_used"].get<int>(), 260);
  EXPECT_EQ(json["best"]["limiting_term"], "memory");
}

TEST(CliPlanTarget, NoMoreThanTheCardsAskedFor) {
  const Outcome outcome = run({"plan", "tinyllama-1.1b", "--target", "10", "--cards", "3"});
  EXPECT_EQ(outcome.code, ExitCode::kNo);
  EXPECT_NE(outcome.error.find("on up to 3 cards"), std::string::npos) << outcome.error;
}

TEST(CliPlanTarget, NumbersThatAreNoRate) {
  expect_bad_input({"plan", "tinyllama-1.1b", "--target", "0"},
                   "--target: out of range, wanted tokens per second, above 0, got 0");
  expect_bad_input({"plan", "tinyllama-1.1b", "--target", "-3"},
                   "--target: out of range, wanted tokens per second, above 0, got -3");
}

// ---- Host budget

TEST(CliPlanHostBudget, CheckpointsAndStreamedData) {
  const Json json = json_of(
      {"plan", "tinyllama-1.1b", "--checkpoint-bytes", "2 GB", "--stream-bytes-per-token", "1000000"});
  std::map<std::string, Json> uses;
  for (const Json& use : json["host_budget"]) uses[use["what"].get<std::string>()] = use;
  EXPECT_EQ(uses.at("checkpoints")["bytes"], 2'000'000'000);
  EXPECT_NEAR(uses.at("checkpoints")["seconds"].get<double>(), 20 + 50e-6, 1e-9);
  EXPECT_EQ(uses.at("streamed_data")["bytes"], 128'000'000);
  EXPECT_NEAR(uses.at("streamed_data")["seconds"].get<double>(), 1.28 + 128 * 50e-6, 1e-9);
  // 20 s of checkpoints take longer than 10.6 s of decoding.
  EXPECT_TRUE(std::ranges::any_of(json["warnings"], [](const Json& warning) {
    return warning.get<std::string>().starts_with("host link: what crosses it");
  }));
  expect_bad_input({"plan", "tinyllama-1.1b", "--stream-bytes-per-token", "1000000000000000000"},
                   "--stream-bytes-per-token: bytes too many to count, wanted fewer bytes or tokens, got "
                   "1000000000000000000");
  EXPECT_EQ(run({"plan", "tinyllama-1.1b", "--checkpoint-bytes", "many"}).code, ExitCode::kBadInput);
  EXPECT_EQ(run({"plan", "tinyllama-1.1b", "--stream-bytes-per-token", "-1"}).code, ExitCode::kBadInput);
}

}  // namespace
}  // namespace spanker
