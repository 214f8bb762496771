#include "spanker/plan/readable_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

TEST(ReadableJson, PlainThingsTakeOneLine) {
  const Json json = {{"list", {1, 2.5, "three", nullptr}},
                     {"small", {{"value", 1e9}, {"source", "x \"y\"\n"}}},
                     {"empty", Json::array()},
                     {"none", Json::object()},
                     {"nested", {{{"a", {1}}}}}};
  EXPECT_EQ(readable_json(json), R"({
  "list": [1, 2.5, "three", null],
  "small": {"value": 1000000000.0, "source": "x \"y\"\n"},
  "empty": [],
  "none": {},
  "nested": [
    {
      "a": [1]
    }
  ]
}
)");
}

TEST(ReadableJson, LongObjectsAreBrokenAndLongListsAreNot) {
  const Json json = {{"object", {{"a", std::string(100, 'x')}, {"b", std::string(20, 'y')}}},
                     {"list", std::vector<int>(200, 7)}};
  const std::string text = readable_json(json);
  EXPECT_NE(text.find("  \"object\": {\n    \"a\": \"xxx"), std::string::npos) << text;
  EXPECT_NE(text.find("\",\n    \"b\": \"yyy"), std::string::npos) << text;
  EXPECT_NE(text.find("\"list\": [7, 7, 7,"), std::string::npos) << text;
  EXPECT_EQ(Json::parse(text), json);
}

TEST(ReadableJson, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(readable_json({{"a", "\xff"}}), "{\"a\": \"\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace spanker
