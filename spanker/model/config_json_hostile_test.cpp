#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "spanker/model/config_json.hpp"

namespace spanker {
namespace {

const std::string& valid_text() {
  static const std::string text = [] {
    std::stringstream file;
    file << std::ifstream(SPANKER_SOURCE_DIR "/tests/fuzz_seeds/config_json_fuzz/qwen3-30b-a3b.json").rdbuf();
    return file.str();
  }();
  return text;
}

/// An error is one line of bad input that begins with the file, and not much longer than what it tells.
Result<Model> read(const std::string& text) {
  auto model = model_from_config_json(text, "hostile.json", TensorType::kQ4_0);
  if (!model) {
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    const std::string line = to_line(model.error());
    EXPECT_TRUE(line.starts_with("hostile.json")) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_LT(line.size(), 1000u);
  }
  return model;
}

std::string error_line(const std::string& text) {
  const auto model = read(text);
  return model ? "no error" : to_line(model.error());
}

std::string repeated(const std::string& part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

TEST(HostileConfigJson, TheTextItselfIsValid) {
  const auto model = read(valid_text());
  ASSERT_TRUE(model) << to_line(model.error());
}

TEST(HostileConfigJson, EveryTruncationIsAnError) {
  const std::string& text = valid_text();
  const std::size_t end = text.rfind('}');
  for (std::size_t length = 0; length <= end; ++length) {
    ASSERT_FALSE(read(std::string(text.data(), length))) << length;
  }
}

TEST(HostileConfigJson, AnySingleByteMayBeAnyValue) {
  std::string text = valid_text();
  for (char& byte : text) {
    const char original = byte;
    for (const int value :
         {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x22, 0x2C, 0x39, 0x7B, original ^ 1, original ^ 0x20}) {
      byte = static_cast<char>(value);
      read(text);
    }
    byte = original;
  }
}

RC_GTEST_PROP(HostileConfigJson, FlippedBits, ()) {
  std::string text = valid_text();
  const auto flips =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, text.size() * 8));
  for (const std::size_t bit : flips) text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  read(text);
}

TEST(HostileConfigJson, WhatIsNoObject) {
  EXPECT_EQ(error_line(""),
            "hostile.json: byte 1: not JSON, wanted an object as in a config.json, got unexpected end "
            "of input; expected '[', '{', or a literal");
  EXPECT_EQ(error_line("[]"), "hostile.json: not a config.json, wanted a JSON object, got array");
  EXPECT_EQ(error_line("null"), "hostile.json: not a config.json, wanted a JSON object, got null");
  EXPECT_EQ(error_line("3"), "hostile.json: not a config.json, wanted a JSON object, got number");
  EXPECT_TRUE(error_line("{} {}").starts_with("hostile.json: byte 4: not JSON")) << error_line("{} {}");
  EXPECT_TRUE(error_line("GGUF").starts_with("hostile.json: byte 1: not JSON")) << error_line("GGUF");
  EXPECT_TRUE(error_line("{\"a\": NaN}").starts_with("hostile.json: byte 7: not JSON"))
      << error_line("{\"a\": NaN}");
  EXPECT_TRUE(error_line("{\"a\": \"\xFF\"}").starts_with("hostile.json: byte 8: not JSON"));
  EXPECT_EQ(
      error_line("{\"a\": 1e999}"),
      "hostile.json: byte 11: not JSON, wanted an object as in a config.json, got number overflow parsing "
      "'1e999'");
}

TEST(HostileConfigJson, KeysThatStandTwice) {
  EXPECT_EQ(error_line(R"({"hidden_size": 1, "hidden_size": 1})"),
            "hostile.json: hidden_size: key stands twice in an object");
  EXPECT_EQ(error_line(R"({"a": [{"b": {}, "b": {}}]})"),
            "hostile.json: a[0].b: key stands twice in an object");
  EXPECT_EQ(error_line(R"({"a": [1, [], {"b": {}, "b": {}}]})"),
            "hostile.json: a[2].b: key stands twice in an object");
  EXPECT_EQ(error_line(R"({"a": {"a": {}}, "b": [{"a": 1}, {"a": 1}]})").find("twice"), std::string::npos);
  const std::string key = "\"" + std::string(100'000, 'k') + "\": 1";
  EXPECT_EQ(error_line("{" + key + "," + key + "}"),
            "hostile.json: " + std::string(80, 'k') + "...: key stands twice in an object");
}

TEST(HostileConfigJson, DeepNestingIsAnErrorAtOnce) {
  for (const std::string& text : {repeated("[", 500'000), repeated("{\"a\":", 200'000),
                                  "{\"a\":" + repeated("[", 500'000) + repeated("]", 500'000) + "}"}) {
    EXPECT_EQ(error_line(text), "hostile.json: values nested too deeply, wanted at most 32 levels");
  }
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + repeated("[", levels) + repeated("]", levels) + "}";
  };
  EXPECT_NE(error_line(nested(31)).find("model_type"), std::string::npos);
  EXPECT_NE(error_line(nested(32)).find("nested"), std::string::npos);
}

TEST(HostileConfigJson, AMebibyteOfSmallValuesIsReadInNoTime) {
  const std::string many =
      "{\"mlp_only_layers\": [{}" + repeated(",{}", 340'000) + "], \"model_type\": \"llama\"}";
  EXPECT_EQ(error_line(many), "hostile.json: num_hidden_layers: key is missing, wanted a whole number");
}

}  // namespace
}  // namespace spanker
