#include "spanker/base/strict_object.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

#include "spanker/base/parse_json.hpp"

namespace spanker {
namespace {

enum class Colour { kRed, kBlue };
std::string_view to_string(Colour colour) { return colour == Colour::kRed ? "red" : "blue"; }
constexpr std::array kColours = {Colour::kRed, Colour::kBlue};

/// The fault of reading `text` so, or "none".
std::string fault_of(std::string_view text, const std::function<void(const StrictObject&)>& read) {
  const auto json = parse_json_object(text, "f.json", "a test");
  if (!json) return to_line(json.error());
  FirstFault fault;
  read(StrictObject(*json, "f.json", "", fault));
  return fault.error() ? to_line(*fault.error()) : "none";
}

TEST(StrictObject, ReadsWhatIsThere) {
  EXPECT_EQ(
      fault_of(
          R"({"text": "t", "flag": true, "whole": 18446744073709551615, "rate": 2.5, "zero": 0,
                         "list": [0, 4294967295], "inner": {"text": "u"}, "none": null, "colour": "blue",
                         "objects": [{"whole": 1}, {"whole": 2}]})",
          [](const StrictObject& object) {
            EXPECT_EQ(object.text("text"), "t");
            EXPECT_TRUE(object.flag("flag"));
            EXPECT_EQ(object.integer<std::uint64_t>("whole", 0, UINT64_MAX), UINT64_MAX);
            EXPECT_EQ(object.positive("rate"), 2.5);
            EXPECT_EQ(object.positive("whole"), 18446744073709551616.0);
            EXPECT_EQ(object.not_negative("zero"), 0);
            EXPECT_EQ(object.integers<std::uint32_t>("list"), (std::vector<std::uint32_t>{0, 4294967295}));
            EXPECT_EQ(object.object("inner").text("text"), "u");
            EXPECT_EQ(object.object_or_null("inner")->text("text"), "u");
            EXPECT_FALSE(object.object_or_null("none"));
            EXPECT_TRUE(object.is_null("none"));
            EXPECT_FALSE(object.is_null("text"));
            EXPECT_FALSE(object.is_null("absent"));
            EXPECT_TRUE(object.is_text("text"));
            EXPECT_FALSE(object.is_text("whole"));
            EXPECT_TRUE(object.has("none"));
            EXPECT_FALSE(object.has("absent"));
            EXPECT_EQ(object.choice<Colour>("colour", kColours), Colour::kBlue);
            ASSERT_EQ(object.objects("objects").size(), 2u);
            EXPECT_EQ(object.objects("objects")[1].integer<std::uint32_t>("whole", 0, 9), 2u);
          }),
      "none");
}

TEST(StrictObject, WhatIsMissing) {
  const auto fault = [](const std::function<void(const StrictObject&)>& read) {
    return fault_of(R"({"in": {}})", [&](const StrictObject& object) { read(object.object("in")); });
  };
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_EQ(o.text("k"), ""); }),
            "f.json: in.k: missing, wanted text");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_FALSE(o.flag("k")); }),
            "f.json: in.k: missing, wanted true or false");
  EXPECT_EQ(fault([](const StrictObject& o) { o.null("k", "not here"); }),
            "f.json: in.k: missing, wanted null");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_EQ(o.integer<std::uint32_t>("k", 3, 5), 3u); }),
            "f.json: in.k: missing, wanted a whole number from 3 to 5");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_GT(o.positive("k"), 0); }),
            "f.json: in.k: missing, wanted a number above 0");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_EQ(o.not_negative("k"), 0); }),
            "f.json: in.k: missing, wanted a number, 0 or more");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_TRUE(o.integers<std::uint32_t>("k").empty()); }),
            "f.json: in.k: missing, wanted an array of whole numbers");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_FALSE(o.object("k").has("any")); }),
            "f.json: in.k: missing, wanted an object");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_FALSE(o.object_or_null("k")); }),
            "f.json: in.k: missing, wanted an object or null");
  EXPECT_EQ(fault([](const StrictObject& o) { EXPECT_TRUE(o.objects("k").empty()); }),
            "f.json: in.k: missing, wanted an array of objects");
  EXPECT_EQ(fault([](const StrictObject& o) { o.choice<Colour>("k", kColours); }),
            "f.json: in.k: missing, wanted one of red, blue");
}

TEST(StrictObject, WhatIsOfAWrongTypeOrOutOfRange) {
  const auto fault = [](const std::string& value, const std::function<void(const StrictObject&)>& read) {
    return fault_of("{\"k\": " + value + "}", read);
  };
  const auto text = [](const StrictObject& o) { EXPECT_EQ(o.text("k"), ""); };
  EXPECT_EQ(fault("3", text), "f.json: k: wrong type, wanted text, got 3");
  const auto flag = [](const StrictObject& o) { EXPECT_FALSE(o.flag("k")); };
  EXPECT_EQ(fault("1", flag), "f.json: k: wrong type, wanted true or false, got 1");
  const auto null = [](const StrictObject& o) { o.null("k", "not here"); };
  EXPECT_EQ(fault("0", null), "f.json: k: not here, wanted null, got 0");
  const auto whole = [](const StrictObject& o) { EXPECT_EQ(o.integer<std::uint32_t>("k", 1, 9), 1u); };
  const std::string wanted = ", wanted a whole number from 1 to 9, got ";
  EXPECT_EQ(fault("10", whole), "f.json: k: out of range" + wanted + "10");
  EXPECT_EQ(fault("0", whole), "f.json: k: out of range" + wanted + "0");
  EXPECT_EQ(fault("-1", whole), "f.json: k: out of range" + wanted + "-1");
  EXPECT_EQ(fault("1.0", whole), "f.json: k: wrong type" + wanted + "1.0");
  EXPECT_EQ(fault("18446744073709551616", whole),
            "f.json: k: wrong type" + wanted + "1.8446744073709552e+19");
  EXPECT_EQ(fault("null", whole), "f.json: k: wrong type" + wanted + "null");
  const auto positive = [](const StrictObject& o) { EXPECT_GT(o.positive("k"), 0); };
  EXPECT_EQ(fault("0", positive), "f.json: k: out of range, wanted a number above 0, got 0");
  EXPECT_EQ(fault("-2.5", positive), "f.json: k: out of range, wanted a number above 0, got -2.5");
  EXPECT_EQ(fault("\"2 GB/s\"", positive), "f.json: k: wrong type, wanted a number above 0, got \"2 GB/s\"");
  const auto not_negative = [](const StrictObject& o) { EXPECT_EQ(o.not_negative("k"), 0); };
  EXPECT_EQ(fault("-1e-9", not_negative), "f.json: k: out of range, wanted a number, 0 or more, got -1e-09");
  const auto list = [](const StrictObject& o) { o.integers<std::uint32_t>("k"); };
  EXPECT_EQ(fault("{}", list), "f.json: k: wrong type, wanted an array of whole numbers, got {}");
  EXPECT_EQ(fault("[1, 4294967296]", list),
            "f.json: k[1]: out of range, wanted a whole number from 0 to 4294967295, got 4294967296");
  EXPECT_EQ(fault("[[]]", list),
            "f.json: k[0]: wrong type, wanted a whole number from 0 to 4294967295, got []");
  const auto object = [](const StrictObject& o) { EXPECT_FALSE(o.object("k").has("any")); };
  EXPECT_EQ(fault("null", object), "f.json: k: wrong type, wanted an object, got null");
  const auto objects = [](const StrictObject& o) { EXPECT_LE(o.objects("k").size(), 1u); };
  EXPECT_EQ(fault("{}", objects), "f.json: k: wrong type, wanted an array of objects, got {}");
  EXPECT_EQ(fault("[{}, 3]", objects), "f.json: k[1]: wrong type, wanted an object, got 3");
  const auto colour = [](const StrictObject& o) { EXPECT_EQ(o.choice<Colour>("k", kColours), Colour::kRed); };
  EXPECT_EQ(fault("\"green\"", colour), "f.json: k: unknown, wanted one of red, blue, got \"green\"");
  EXPECT_EQ(fault("\"" + std::string(5000, 'x') + "\"", colour),
            "f.json: k: unknown, wanted one of red, blue, got \"" + std::string(79, 'x') + "...");
}

TEST(StrictObject, UnknownKeys) {
  constexpr std::array<std::string_view, 2> kKeys = {"cards", "layers"};
  const auto fault = [&](const char* text) {
    return fault_of(text, [&](const StrictObject& object) { object.allow_only(kKeys); });
  };
  EXPECT_EQ(fault(R"({"cards": 1})"), "none");
  EXPECT_EQ(fault(R"({"card": 1})"), "f.json: card: unknown key, did you mean cards?");
  EXPECT_EQ(fault(R"({"x": 1})"), "f.json: x: unknown key, wanted one of cards, layers");
}

TEST(StrictObject, TheFirstFaultIsTold) {
  EXPECT_EQ(fault_of(R"({"a": 1, "b": 2})",
                     [](const StrictObject& object) {
                       object.text("b");
                       object.text("a");
                       object.fail("c", "anything");
                     }),
            "f.json: b: wrong type, wanted text, got 2");
}

TEST(StrictObject, ParsersOfText) {
  const auto parse = [](std::string_view text, std::string_view where) -> Result<int> {
    if (text == "four") return 4;
    return bad_input(std::string(where), "not four");
  };
  EXPECT_EQ(fault_of(R"({"k": "four"})",
                     [&](const StrictObject& object) { EXPECT_EQ(object.parsed("k", parse), 4); }),
            "none");
  EXPECT_EQ(fault_of(R"({"k": "five"})",
                     [&](const StrictObject& object) { EXPECT_EQ(object.parsed("k", parse), 0); }),
            "f.json: k: not four");
}

}  // namespace
}  // namespace spanker
