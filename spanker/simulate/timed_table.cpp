#include "spanker/simulate/timed_table.hpp"

#include <fmt/format.h>

#include <array>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/parse_quantity.hpp"

namespace spanker {

std::vector<StrictTable> timed_tables(const StrictTable& file, std::string_view schema, std::string_view key,
                                      std::size_t most) {
  file.expect_schema(schema);
  file.allow_only(std::array<std::string_view, 2>{"schema", key});
  auto tables = file.tables(key);
  if (tables.size() > most) {
    file.fail(key, "too many", fmt::format("at most {}", most), std::to_string(tables.size()));
    tables.clear();
  }
  return tables;
}

Seconds read_at(const StrictTable& table) {
  const Seconds at = table.quantity("at", parse_duration);
  if (at <= kLatestTime) return at;
  table.fail("at", "too late", fmt::format("at most {}", format(kLatestTime)), table.text("at"));
  return Seconds(0);
}

}  // namespace spanker
