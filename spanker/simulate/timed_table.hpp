#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/strict_table.hpp"

// Internal to this module: what the TOML files of a simulation share.
namespace spanker {

/// The longest file, in bytes.
inline constexpr std::size_t kMostTimedFileBytes = std::size_t{1} << 24;
/// Simulated time ends here: a double still tells a tenth of a nanosecond.
inline constexpr Seconds kLatestTime{1e6};

/// The elements of the array of tables `key` of a file that holds nothing else but its schema; none after a
/// fault.
std::vector<StrictTable> timed_tables(const StrictTable& file, std::string_view schema, std::string_view key,
                                      std::size_t most);

/// The key `at`, 0 to kLatestTime.
Seconds read_at(const StrictTable& table);

}  // namespace spanker
