#include <gtest/gtest.h>

#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace spanker
