#pragma once

#include <string>
#include <string_view>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"

namespace spanker {

// Quantities are a decimal number, optional spaces and a unit: "2.0 GB/s", "1.25 Gb/s", "4 GiB", "0.5 us".
// Prefixes k, M, G, T are powers of 1000; Ki, Mi, Gi, Ti powers of 1024. Case counts: B is byte, b is bit.
// Each parser fails (bad input, naming `where`) on a missing or foreign unit, trailing text, a sign, a value
// that is not finite or, but for durations and shares, zero.

/// "4 GiB" and the like; whole bytes, less than 2^63, above 2^53 rounded to a double.
Result<Bytes> parse_bytes(std::string_view text, std::string_view where);
/// "2.0 GB/s" or, in bits, "1.25 Gb/s".
Result<BytesPerSecond> parse_bandwidth(std::string_view text, std::string_view where);
/// "20 Gop/s".
Result<OpsPerSecond> parse_op_rate(std::string_view text, std::string_view where);
/// "1 us", "50 ms"; may be zero.
Result<Seconds> parse_duration(std::string_view text, std::string_view where);
/// "5/s", "0.5 /s"; no prefixes.
Result<PerSecond> parse_frequency(std::string_view text, std::string_view where);
/// "12 W", "800 mW", "1.2 kW"; no other prefixes.
Result<Watts> parse_power(std::string_view text, std::string_view where);

/// "5 %", "12.5 %": 0 to 100.
Result<Share> parse_share(std::string_view text, std::string_view where);

struct Price {
  Money amount;
  std::string currency;  ///< three capital letters, as in ISO 4217
};

/// "89 EUR"; any three capital letters are a currency.
Result<Price> parse_price(std::string_view text, std::string_view where);

}  // namespace spanker
