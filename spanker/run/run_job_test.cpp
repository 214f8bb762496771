#include "spanker/run/run_job.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace spanker {
namespace {

using Json = nlohmann::json;

RunJob some_job() {
  RunJob job;
  job.plan = "{\n  \"schema\": \"a plan\"\n}\n";
  job.is_predicted = true;
  job.prompt = {1, 0, std::numeric_limits<std::uint32_t>::max()};
  job.generated = {7, 8};
  job.options.sampling = {.temperature = 0.7000000000000001,
                          .top_k = 40,
                          .top_p = 0.1,
                          .seed = std::numeric_limits<std::uint64_t>::max()};
  job.options.ignores_end = true;
  job.options.is_paced = true;
  job.options.native_all_reduce = true;
  job.trace = "a folder/\"trace\".json";
  job.json = true;
  return job;
}

void expect_same(const RunJob& got, const RunJob& wanted) {
  EXPECT_EQ(got.plan, wanted.plan);
  EXPECT_EQ(got.is_predicted, wanted.is_predicted);
  EXPECT_EQ(got.prompt, wanted.prompt);
  EXPECT_EQ(got.generated, wanted.generated);
  EXPECT_EQ(got.options.sampling.temperature, wanted.options.sampling.temperature);
  EXPECT_EQ(got.options.sampling.top_k, wanted.options.sampling.top_k);
  EXPECT_EQ(got.options.sampling.top_p, wanted.options.sampling.top_p);
  EXPECT_EQ(got.options.sampling.seed, wanted.options.sampling.seed);
  EXPECT_EQ(got.options.ignores_end, wanted.options.ignores_end);
  EXPECT_EQ(got.options.is_paced, wanted.options.is_paced);
  EXPECT_EQ(got.options.native_all_reduce, wanted.options.native_all_reduce);
  EXPECT_EQ(got.trace, wanted.trace);
  EXPECT_EQ(got.json, wanted.json);
}

TEST(RunJobText, IsOneLineAndReadAgainTheSame) {
  RunJob none;
  none.plan = "";
  for (const RunJob& job : {some_job(), none}) {
    const std::string text = to_json(job);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto read = run_job_from(text, "job");
    ASSERT_TRUE(read) << to_line(read.error());
    expect_same(*read, job);
  }
}

TEST(RunJobText, ANameOfAnyBytesIsStillAText) {
  RunJob job = some_job();
  job.trace = "\xff\xfe\x01.json";
  EXPECT_TRUE(run_job_from(to_json(job), "job"));
}

void expect_refused(const std::string& text) {
  const auto read = run_job_from(text, "job");
  ASSERT_FALSE(read) << text;
  EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
  EXPECT_TRUE(read.error().where.starts_with("job")) << to_line(read.error());
}

TEST(RunJobText, WhatIsNoJobIsRefused) {
  for (const char* text : {"", "x", "[]", "{}", "null", "{\"plan\": 1}", "{\"plan\"", "\"plan\""}) {
    expect_refused(text);
  }
  const std::string whole = to_json(some_job());
  for (std::size_t size = 0; size < whole.size(); ++size) expect_refused(whole.substr(0, size));
  expect_refused(whole + "x");
  expect_refused(std::string(100'000, '['));
}

TEST(RunJobText, EveryKeyIsNeededAndOfItsType) {
  const Json whole = Json::parse(to_json(some_job()));
  for (const auto& [key, value] : whole.items()) {
    SCOPED_TRACE(key);
    Json changed = whole;
    changed.erase(key);
    if (key != "trace") expect_refused(changed.dump());
    for (const Json& wrong : {Json(nullptr), Json::object(), Json(Json::array({"x"}))}) {
      changed[key] = wrong;
      expect_refused(changed.dump());
    }
  }
}

TEST(RunJobText, NumbersThatCannotBe) {
  const Json whole = Json::parse(to_json(some_job()));
  const auto with = [&](const char* key, const Json& value) {
    Json changed = whole;
    changed[key] = value;
    return changed.dump();
  };
  expect_refused(with("prompt", Json::array({4294967296})));
  expect_refused(with("prompt", Json::array({-1})));
  expect_refused(with("prompt", Json::array({1.5})));
  expect_refused(with("generated", Json::array({4294967296})));
  expect_refused(with("top_k", -1));
  expect_refused(with("top_k", 4294967296));
  expect_refused(with("temperature", -0.5));
  expect_refused(with("top_p", 0));
  expect_refused(with("seed", -1));
}

}  // namespace
}  // namespace spanker
