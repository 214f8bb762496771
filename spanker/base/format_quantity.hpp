#pragma once

#include <string>

#include "spanker/base/quantity.hpp"

namespace spanker {

// For people: three or four significant digits and the unit that fits. The texts of bytes, rates, powers
// and durations are valid quantities again (parse_quantity.hpp), but rounded.

/// "582 MB", powers of 1000.
std::string format(Bytes bytes);
/// "4 GiB" where it is a whole number of KiB, MiB or GiB; else as `format`.
std::string format_binary(Bytes bytes);
/// "2 GB/s".
std::string format(BytesPerSecond rate);
/// "20 Gop/s".
std::string format(OpsPerSecond rate);
/// "11 W", "800 mW", "1.2 kW".
std::string format(Watts power);
/// "5 %", "12.5 %".
std::string format(Share share);
/// "80", "79.95": two decimals unless they are zeros. The currency is its holder's to add.
std::string format(Money amount);
/// "30.6 us"; above a minute still in seconds.
std::string format(Seconds time);

}  // namespace spanker
