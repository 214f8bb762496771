#include "spanker/base/strict_table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "spanker/base/parse_quantity.hpp"

namespace spanker {
namespace {

/// What `read` notes as the first fault of the file; "" for none.
std::string fault_of(std::string_view toml, const std::function<void(const StrictTable&)>& read) {
  const auto root = parse_toml(toml, "x.toml");
  if (!root) return to_line(root.error());
  FirstFault fault;
  read(StrictTable(*root, "x.toml", "", fault));
  return fault.error() ? to_line(*fault.error()) : "";
}

TEST(StrictTable, NumbersMayBeWholeOrNot) {
  EXPECT_EQ(fault_of("a = 3\nb = 2.5\nc = 1\nd = 1000",
                     [](const StrictTable& table) {
                       EXPECT_EQ(table.number("a", 1, 1000), 3);
                       EXPECT_EQ(table.number("b", 1, 1000), 2.5);
                       EXPECT_EQ(table.number("c", 1, 1000), 1);
                       EXPECT_EQ(table.number("d", 1, 1000), 1000);
                     }),
            "");
}

TEST(StrictTable, RefusesOtherNumbers) {
  const auto fault = [](std::string_view toml) {
    return fault_of(toml, [](const StrictTable& table) { EXPECT_EQ(table.number("a", 1, 8), 1); });
  };
  EXPECT_EQ(fault("b = 1"), "x.toml: a: missing, wanted a number from 1 to 8");
  EXPECT_EQ(fault("\na = \"2\""), "x.toml:2: a: wrong type, wanted a number from 1 to 8, got a string");
  EXPECT_EQ(fault("a = 0.5"), "x.toml:1: a: out of range, wanted a number from 1 to 8, got 0.5");
  EXPECT_EQ(fault("a = 9"), "x.toml:1: a: out of range, wanted a number from 1 to 8, got 9");
  EXPECT_EQ(fault("a = nan"), "x.toml:1: a: out of range, wanted a number from 1 to 8, got nan");
  EXPECT_EQ(fault("a = inf"), "x.toml:1: a: out of range, wanted a number from 1 to 8, got inf");
}

TEST(StrictTable, ArraysAreOfAnyElements) {
  EXPECT_EQ(fault_of("a = [1, \"x\"]",
                     [](const StrictTable& table) { EXPECT_EQ(table.array("a", "two")->size(), 2u); }),
            "");
  const auto none = [](const StrictTable& table) { EXPECT_EQ(table.array("a", "two ends"), nullptr); };
  EXPECT_EQ(fault_of("", none), "x.toml: a: missing, wanted two ends");
  EXPECT_EQ(fault_of("a = 1979-05-27", none), "x.toml:1: a: wrong type, wanted two ends, got a date or time");
}

TEST(StrictTable, QuantitiesAreStrings) {
  EXPECT_EQ(fault_of("a = \"2 ms\"",
                     [](const StrictTable& table) {
                       EXPECT_EQ(table.quantity("a", parse_duration), Seconds(2e-3));
                     }),
            "");
  EXPECT_EQ(fault_of("a = 2", [](const StrictTable& table) { table.quantity("a", parse_duration); }),
            "x.toml:1: a: wrong type, wanted a quantity: a string of a number and a unit, got a bare number");
}

TEST(StrictTable, NamesItself) {
  fault_of("\n[[b]]\n[[b]]\na = 1", [](const StrictTable& table) {
    const auto elements = table.tables("b");
    ASSERT_EQ(elements.size(), 2u);
    EXPECT_EQ(elements[1].where(), "x.toml:3: b[1]");
    EXPECT_EQ(elements[1].where("a"), "x.toml:4: b[1].a");
    EXPECT_EQ(elements[1].where("c"), "x.toml: b[1].c");
  });
}

TEST(StrictTable, ExpectsASchema) {
  const auto expect = [](const StrictTable& table) { table.expect_schema("y/1"); };
  EXPECT_EQ(fault_of("schema = \"y/1\"", expect), "");
  EXPECT_EQ(fault_of("", expect), "x.toml: schema: missing, wanted \"y/1\"");
  EXPECT_EQ(fault_of("schema = \"y/2\"", expect),
            "x.toml:1: schema: unknown schema, wanted \"y/1\", got \"y/2\"");
}

}  // namespace
}  // namespace spanker
