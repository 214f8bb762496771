#include "spanker/base/parse_quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace spanker {
namespace {

struct Prefix {
  std::string_view symbol;
  double factor;
};

constexpr std::array kPrefixes = {
    Prefix{"Ki", 1024.0}, Prefix{"Mi", 1048576.0}, Prefix{"Gi", 1073741824.0}, Prefix{"Ti", 1099511627776.0},
    Prefix{"k", 1e3},     Prefix{"M", 1e6},        Prefix{"G", 1e9},           Prefix{"T", 1e12},
};

struct NumberAndUnit {
  double number;
  std::string_view unit;
};

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::optional<NumberAndUnit> split(std::string_view text) {
  NumberAndUnit parts{};
  // from_chars would take "inf" and "nan"; a quantity starts with a digit or a point.
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
  if (error != std::errc{} || !std::isfinite(parts.number)) return std::nullopt;
  parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!parts.unit.empty() && is_space(parts.unit.front())) parts.unit.remove_prefix(1);
  return parts;
}

/// The factor of `unit` read as prefix + base, where base is one of ours.
std::optional<double> scale(std::string_view unit, std::string_view base) {
  if (!unit.ends_with(base)) return std::nullopt;
  unit.remove_suffix(base.size());
  if (unit.empty()) return 1.0;
  for (const Prefix& prefix : kPrefixes) {
    if (unit == prefix.symbol) return prefix.factor;
  }
  return std::nullopt;
}

bool is_amount(double value, bool zero_allowed) {
  return std::isfinite(value) && (value > 0 || (value == 0 && zero_allowed));
}

Failure not_a(std::string_view wanted, std::string_view text, std::string_view where) {
  return bad_input(std::string(where), "not a quantity", std::string(wanted),
                   "\"" + std::string(text) + "\"");
}

/// number * scale, or failure; `bases` pairs a base unit with its factor and takes every prefix.
template <std::size_t N>
Result<double> parse(std::string_view text, std::string_view where, std::string_view wanted,
                     const std::array<Prefix, N>& bases) {
  const auto parts = split(text);
  if (!parts) return not_a(wanted, text, where);
  for (const Prefix& base : bases) {
    if (const auto factor = scale(parts->unit, base.symbol)) {
      const double value = parts->number * *factor * base.factor;
      if (!is_amount(value, false)) return not_a(wanted, text, where);
      return value;
    }
  }
  return not_a(wanted, text, where);
}

/// As `parse`, but only exactly these units.
template <std::size_t N>
Result<double> parse_listed(std::string_view text, std::string_view where, std::string_view wanted,
                            const std::array<Prefix, N>& units, bool zero_allowed) {
  const auto parts = split(text);
  if (!parts) return not_a(wanted, text, where);
  for (const Prefix& unit : units) {
    if (parts->unit != unit.symbol) continue;
    const double value = parts->number * unit.factor;
    if (!is_amount(value, zero_allowed)) return not_a(wanted, text, where);
    return value;
  }
  return not_a(wanted, text, where);
}

}  // namespace

Result<Bytes> parse_bytes(std::string_view text, std::string_view where) {
  constexpr std::string_view kWanted = "whole bytes such as \"4 GiB\" or \"512 MB\"";
  const auto value = parse(text, where, kWanted, std::array{Prefix{"B", 1.0}});
  if (!value) return tl::unexpected(value.error());
  // 0.067 GB is 67000000.00000001 in binary: a fraction within rounding of the number and its factor is none.
  const double whole = std::round(*value);
  if (std::abs(*value - whole) > whole * 0x1p-51 || whole >= 0x1p63) return not_a(kWanted, text, where);
  return Bytes(static_cast<std::uint64_t>(whole));
}

Result<BytesPerSecond> parse_bandwidth(std::string_view text, std::string_view where) {
  return parse(text, where, "a rate above zero such as \"2.0 GB/s\" or \"1.25 Gb/s\"",
               std::array{Prefix{"B/s", 1.0}, Prefix{"b/s", 0.125}})
      .map([](double v) { return BytesPerSecond(v); });
}

Result<OpsPerSecond> parse_op_rate(std::string_view text, std::string_view where) {
  return parse(text, where, "an operation rate above zero such as \"20 Gop/s\"",
               std::array{Prefix{"op/s", 1.0}})
      .map([](double v) { return OpsPerSecond(v); });
}

Result<Seconds> parse_duration(std::string_view text, std::string_view where) {
  constexpr std::array kUnits = {Prefix{"ns", 1e-9}, Prefix{"us", 1e-6}, Prefix{"ms", 1e-3},
                                 Prefix{"s", 1.0}};
  return parse_listed(text, where, "a time such as \"1 us\" or \"0.5 ms\"", kUnits, true).map([](double v) {
    return Seconds(v);
  });
}

Result<PerSecond> parse_frequency(std::string_view text, std::string_view where) {
  constexpr std::array kUnits = {Prefix{"/s", 1.0}};
  return parse_listed(text, where, "how often, above zero, such as \"5/s\"", kUnits, false).map([](double v) {
    return PerSecond(v);
  });
}

Result<Watts> parse_power(std::string_view text, std::string_view where) {
  constexpr std::array kUnits = {Prefix{"mW", 1e-3}, Prefix{"W", 1.0}, Prefix{"kW", 1e3}};
  return parse_listed(text, where, "a power above zero such as \"12 W\" or \"800 mW\"", kUnits, false)
      .map([](double v) { return Watts(v); });
}

Result<Share> parse_share(std::string_view text, std::string_view where) {
  constexpr std::string_view kWanted = "a share from \"0 %\" to \"100 %\"";
  constexpr std::array kUnits = {Prefix{"%", 0.01}};
  const auto share = parse_listed(text, where, kWanted, kUnits, true);
  if (!share) return tl::unexpected(share.error());
  if (*share > 1) return not_a(kWanted, text, where);
  return Share(*share);
}

Result<Price> parse_price(std::string_view text, std::string_view where) {
  constexpr std::string_view kWanted = "a price above zero such as \"89 EUR\"";
  const auto parts = split(text);
  if (!parts || !is_amount(parts->number, false)) return not_a(kWanted, text, where);
  const std::string_view code = parts->unit;
  const bool is_currency =
      code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_currency) return not_a(kWanted, text, where);
  return Price{Money(parts->number), std::string(code)};
}

}  // namespace spanker
