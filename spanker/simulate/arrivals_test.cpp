#include "spanker/simulate/arrivals.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "spanker/base/file.hpp"
#include "spanker/base/text.hpp"

namespace spanker {
namespace {

const std::string kHead = "schema = \"spanker.arrivals/1\"\n";

/// Room for 100 tokens: a prompt of 30, 20 to generate.
Workload workload(std::uint64_t streams = 3) {
  Workload workload;
  workload.context = 100;
  workload.prompt = 30;
  workload.generate = 20;
  workload.streams = streams;
  return workload;
}

std::vector<Request> made(const std::string& spec, std::optional<std::uint64_t> count = {},
                          std::uint64_t seed = 1) {
  const auto requests = load_arrivals(spec, count, seed, workload());
  EXPECT_TRUE(requests) << to_line(requests.error());
  return requests.value_or(std::vector<Request>{});
}

std::string line_of(const Result<std::vector<Request>>& requests) {
  if (requests) return "accepted";
  EXPECT_EQ(requests.error().kind, ErrorKind::kBadInput);
  return to_line(requests.error());
}

std::string refused_spec(const std::string& spec, std::optional<std::uint64_t> count = {}) {
  return line_of(load_arrivals(spec, count, 1, workload()));
}

std::string refused(const std::string& toml) { return line_of(parse_arrivals(toml, "x.toml", workload())); }

TEST(Arrivals, AllAtTheStart) {
  EXPECT_EQ(made("all"), (std::vector<Request>(3, Request{Seconds(0), 30, 20})));
  EXPECT_EQ(made("all", 2).size(), 2u);
}

TEST(Arrivals, AtAFixedInterval) {
  const auto requests = made("every:200ms", 4);
  ASSERT_EQ(requests.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(requests[i].at.count(), 0.2 * static_cast<double>(i));
    EXPECT_EQ(requests[i].prompt, 30u);
    EXPECT_EQ(requests[i].generate, 20u);
  }
}

TEST(Arrivals, PoissonGapsAreExponential) {
  constexpr double kRate = 5;
  constexpr std::size_t kCount = 200'000;
  const auto requests = made("poisson:5/s", kCount, 42);
  ASSERT_EQ(requests.size(), kCount);
  double last = 0;
  double sum = 0;
  double squares = 0;
  double longer_than_mean = 0;
  double longer_than_thrice = 0;
  for (const Request& request : requests) {
    const double gap = (request.at.count() - last) * kRate;
    ASSERT_GE(gap, 0);
    last = request.at.count();
    sum += gap;
    squares += gap * gap;
    longer_than_mean += gap > 1;
    longer_than_thrice += gap > 3;
  }
  // Of an exponential distribution with mean 1: mean 1 and variance 1, whose estimates from n draws spread by
  // 1 / sqrt(n) = 0.0022 and sqrt(8 / n) = 0.0063; shares e^-1 and e^-3, which spread by 0.0011 and 0.0005.
  // Each may be off by four times that.
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 1, 0.009);
  EXPECT_NEAR(squares / kCount - mean * mean, 1, 0.026);
  EXPECT_NEAR(longer_than_mean / kCount, std::exp(-1), 0.0044);
  EXPECT_NEAR(longer_than_thrice / kCount, std::exp(-3), 0.002);
}

TEST(Arrivals, PoissonCountsInASecondSpreadAsTheirMean) {
  const auto requests = made("poisson:4/s", 100'000, 7);
  std::vector<double> counts(24'000, 0);
  for (const Request& request : requests) {
    const auto second = static_cast<std::size_t>(request.at.count());
    if (second < counts.size()) ++counts[second];
  }
  ASSERT_GT(requests.back().at.count(), 24'000);
  double mean = 0;
  for (const double count : counts) mean += count / 24'000;
  double variance = 0;
  for (const double count : counts) variance += (count - mean) * (count - mean) / 24'000;
  // Both are 4; they spread by sqrt(4 / 24000) = 0.013 and by sqrt((4 + 2 * 16) / 24000) = 0.039.
  EXPECT_NEAR(mean, 4, 0.052);
  EXPECT_NEAR(variance, 4, 0.156);
}

TEST(Arrivals, ASeedGivesTheSameTimesAlways) {
  EXPECT_EQ(made("poisson:5/s", 100, 1), made("poisson:5/s", 100, 1));
  EXPECT_NE(made("poisson:5/s", 100, 1), made("poisson:5/s", 100, 2));
  // More requests do not move those before.
  auto longer = made("poisson:5/s", 100, 1);
  longer.resize(10);
  EXPECT_EQ(made("poisson:5/s", 10, 1), longer);
  // SplitMix64 of the seed 1234567 starts 0.350, 0.174, 0.248 of 2^64 (random_test.cpp): a run of two, which
  // fails, then 0.248 < 0.889, a run of one.
  EXPECT_DOUBLE_EQ(made("poisson:1/s", 1, 1234567)[0].at.count(),
                   1 + 4593380528125082431.0 / 18446744073709551616.0);
}

TEST(Arrivals, RefusesOtherSpecs) {
  EXPECT_EQ(refused_spec("sometimes"),
            "--arrivals: unknown, wanted all, every:TIME, poisson:RATE or the path of a TOML file, got "
            "\"sometimes\"");
  EXPECT_EQ(refused_spec(""),
            "--arrivals: unknown, wanted all, every:TIME, poisson:RATE or the path of a TOML file, got \"\"");
  EXPECT_EQ(refused_spec("every:5"),
            "--arrivals: not a quantity, wanted a time such as \"1 us\" or \"0.5 ms\", got \"5\"");
  EXPECT_EQ(refused_spec("poisson:5"),
            "--arrivals: not a quantity, wanted how often, above zero, such as \"5/s\", got \"5\"");
  EXPECT_EQ(refused_spec("poisson:0/s"),
            "--arrivals: not a quantity, wanted how often, above zero, such as \"5/s\", got \"0/s\"");
}

TEST(Arrivals, RefusesTooManyOrTooLate) {
  EXPECT_EQ(refused_spec("all", 0), "--requests: out of range, wanted 1 to 1000000, got 0");
  EXPECT_EQ(refused_spec("all", 1'000'001), "--requests: out of range, wanted 1 to 1000000, got 1000001");
  EXPECT_EQ(made("all", 1'000'000).size(), 1'000'000u);
  EXPECT_EQ(refused_spec("every:1000s", 1002),
            "--arrivals: the last request comes too late, wanted at most 1000000 s after the start, got "
            "1001000 s");
  EXPECT_EQ(made("every:1000s", 1001).back().at, Seconds(1e6));
  EXPECT_NE(refused_spec("every:1e308s").find("too late"), std::string::npos);
  EXPECT_NE(refused_spec("poisson:1e-320/s").find("too late"), std::string::npos);
  EXPECT_NE(refused_spec("poisson:0.00001/s", 100).find("too late"), std::string::npos);
}

TEST(Arrivals, ReadsFiles) {
  const auto requests = parse_arrivals(kHead + R"(
[[request]]
at = "1 s"
prompt = 60
generate = 40
[[request]]
at = "0 s"
[[request]]
at = "1 s"
prompt = 1
[[request]]
at = "500 ms"
generate = 70
)",
                                       "x.toml", workload());
  ASSERT_TRUE(requests) << to_line(requests.error());
  EXPECT_EQ(*requests,
            (std::vector<Request>{
                {Seconds(0), 30, 20}, {Seconds(0.5), 30, 70}, {Seconds(1), 60, 40}, {Seconds(1), 1, 20}}));
}

TEST(Arrivals, RefusesWrongFiles) {
  EXPECT_EQ(refused(""), "x.toml: schema: missing, wanted \"spanker.arrivals/1\"");
  EXPECT_EQ(refused("schema = \"spanker.faults/1\""),
            "x.toml:1: schema: unknown schema, wanted \"spanker.arrivals/1\", got \"spanker.faults/1\"");
  EXPECT_EQ(refused(kHead), "x.toml: request: missing, wanted tables, each headed [[request]]");
  EXPECT_EQ(refused(kHead + "request = []"),
            "x.toml:2: request: missing, wanted tables, each headed [[request]]");
  EXPECT_EQ(refused(kHead + "[[requests]]"), "x.toml:2: requests: unknown key, did you mean request?");
  EXPECT_EQ(refused(kHead + "[[request]]\nat = \"0 s\"\ngenerates = 1"),
            "x.toml:4: request[0].generates: unknown key, did you mean generate?");
  EXPECT_TRUE(refused(kHead + "[[request]]\nat = ").starts_with("x.toml:3: not valid TOML"));
}

TEST(Arrivals, RefusesWrongRequests) {
  const auto second = [](const std::string& keys) {
    return refused(kHead + "[[request]]\nat = \"0 s\"\n[[request]]\n" + keys);
  };
  EXPECT_EQ(second("prompt = 1"),
            "x.toml: request[1].at: missing, wanted a quantity: a string of a number and a unit");
  EXPECT_NE(second("at = \"-1 s\"").find("x.toml:5: request[1].at: not a quantity"), std::string::npos);
  EXPECT_EQ(second("at = \"2000000 s\""),
            "x.toml:5: request[1].at: too late, wanted at most 1000000 s, got 2000000 s");
  EXPECT_EQ(second("at = \"0 s\"\nprompt = 0"),
            "x.toml:6: request[1].prompt: out of range, wanted a whole number from 1 to 100, got 0");
  EXPECT_EQ(second("at = \"0 s\"\ngenerate = 101"),
            "x.toml:6: request[1].generate: out of range, wanted a whole number from 1 to 100, got 101");
  EXPECT_EQ(second("at = \"0 s\"\ngenerate = 1.5"),
            "x.toml:6: request[1].generate: wrong type, wanted a whole number from 1 to 100, got a fraction");
  EXPECT_EQ(
      second("at = \"0 s\"\nprompt = 81"),
      "x.toml:6: request[1].prompt: more than the context holds, wanted prompt and generate of together "
      "at most 100, got 81 and 20");
  EXPECT_EQ(second("at = \"0 s\"\ngenerate = 71"),
            "x.toml:6: request[1].generate: more than the context holds, wanted prompt and generate of "
            "together at most 100, got 30 and 71");
  EXPECT_EQ(second("at = \"0 s\"\nprompt = 80"), "accepted");
}

RC_GTEST_PROP(Arrivals, DamagedFilesGiveRequestsOrOneLine, ()) {
  const auto seed =
      read_text_file(SPANKER_SOURCE_DIR "/tests/fuzz_seeds/arrivals_fuzz/requests.toml", 1 << 20).value();
  std::string damaged = seed.substr(0, *rc::gen::inRange<std::size_t>(0, seed.size() + 1));
  const auto changes = *rc::gen::inRange(0, 4);
  for (int i = 0; i < changes && !damaged.empty(); ++i) {
    damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] = *rc::gen::arbitrary<char>();
  }
  const auto requests = parse_arrivals(damaged, "x.toml", Workload{});
  if (requests) {
    RC_ASSERT(std::ranges::is_sorted(*requests, {}, &Request::at));
    for (const Request& request : *requests) RC_ASSERT(request.prompt + request.generate <= 2048u);
  } else {
    const std::string line = to_line(requests.error());
    RC_ASSERT(line.starts_with("x.toml"));
    RC_ASSERT(escape_control(line) == line);
  }
}

TEST(Arrivals, LoadsFiles) {
  const std::string path = SPANKER_SOURCE_DIR "/tests/fuzz_seeds/arrivals_fuzz/requests.toml";
  const auto requests = load_arrivals(path, {}, 1, Workload{});
  ASSERT_TRUE(requests) << to_line(requests.error());
  EXPECT_EQ(requests->size(), 4u);
  EXPECT_EQ(refused_spec(path, 4),
            "--requests: the file of --arrivals tells how many, wanted no such flag, got 4");
  const auto absent = load_arrivals("none.toml", {}, 1, Workload{});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace spanker
