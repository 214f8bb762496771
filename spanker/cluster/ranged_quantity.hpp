#pragma once

#include <array>
#include <string_view>
#include <type_traits>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/strict_table.hpp"
#include "spanker/cluster/ranged.hpp"

// Internal to this module.
namespace spanker {

/// A quantity string of a table, or a table of such: value, and perhaps low, high and source. `parse` is one
/// of parse_quantity.hpp's, or what takes and returns the like.
template <class Parse>
auto ranged_quantity(const StrictTable& table, std::string_view key, const Parse& parse) {
  constexpr std::array<std::string_view, 4> kKeys = {"value", "low", "high", "source"};
  constexpr std::string_view kWanted =
      "a quantity: a string of a number and a unit, or a table {value, low, high, source}";
  Ranged<typename std::invoke_result_t<Parse, std::string_view, std::string_view>::value_type> ranged;
  if (!table.is_table(key)) {
    ranged.value = ranged.low = ranged.high = table.quantity(key, parse, kWanted);
    return ranged;
  }
  const StrictTable parts = table.table(key);
  parts.allow_only(kKeys);
  ranged.value = parts.quantity("value", parse);
  ranged.low = parts.has("low") ? parts.quantity("low", parse) : ranged.value;
  ranged.high = parts.has("high") ? parts.quantity("high", parse) : ranged.value;
  if (parts.has("source")) ranged.source = parts.text("source");
  if (ranged.low > ranged.value || ranged.value > ranged.high) {
    table.fail(
        key, "value outside its own range", "low <= value <= high",
        "low " + format(ranged.low) + ", value " + format(ranged.value) + ", high " + format(ranged.high));
  }
  return ranged;
}

}  // namespace spanker
