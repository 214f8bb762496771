#include "spanker/base/format_quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace spanker {
namespace {

/// From 1000 on, %g would turn to exponents; people read whole numbers more easily, up to a length.
std::string number(double value) {
  return value >= 1000 && value < 1e12 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string with_prefix(double value, std::string_view unit) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"", "k", "M", "G", "T"};
  std::size_t step = 0;
  // 999.95 would print as 1000 of the smaller unit.
  while (value >= 999.95 && step + 1 < kPrefixes.size()) {
    value /= 1000;
    ++step;
  }
  return fmt::format("{} {}{}", number(value), kPrefixes[step], unit);
}

}  // namespace

std::string format(Bytes bytes) { return with_prefix(static_cast<double>(bytes.value), "B"); }

std::string format_binary(Bytes bytes) {
  constexpr std::array<std::string_view, 3> kUnits = {"KiB", "MiB", "GiB"};
  std::uint64_t value = bytes.value;
  std::size_t step = 0;
  while (step < kUnits.size() && value != 0 && value % 1024 == 0) {
    value /= 1024;
    ++step;
  }
  return step == 0 ? format(bytes) : fmt::format("{} {}", value, kUnits[step - 1]);
}

std::string format(BytesPerSecond rate) { return with_prefix(rate.value, "B/s"); }

std::string format(OpsPerSecond rate) { return with_prefix(rate.value, "op/s"); }

std::string format(Watts power) {
  const double watts = power.value;
  if (watts < 0.99995) return fmt::format("{:.4g} mW", watts * 1e3);
  return watts < 999.95 ? number(watts) + " W" : number(watts / 1e3) + " kW";
}

std::string format(Share share) { return fmt::format("{:.4g} %", share.value * 100); }

std::string format(Money amount) {
  if (amount.value < 0.005 || amount.value >= 1e12) return fmt::format("{:.4g}", amount.value);
  const std::string text = fmt::format("{:.2f}", amount.value);
  return text.ends_with(".00") ? text.substr(0, text.size() - 3) : text;
}

std::string format(Seconds time) {
  const double seconds = time.count();
  if (seconds == 0) return "0 s";
  if (seconds < 999.95e-9) return fmt::format("{:.4g} ns", seconds * 1e9);
  if (seconds < 999.95e-6) return fmt::format("{:.4g} us", seconds * 1e6);
  if (seconds < 999.95e-3) return fmt::format("{:.4g} ms", seconds * 1e3);
  return number(seconds) + " s";
}

}  // namespace spanker
