#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace spanker {

/// Time is `std::chrono::duration<double>`, in seconds.
using Seconds = std::chrono::duration<double>;

/// A number with a unit, so that two roofline arguments cannot be swapped. `.value` is in the base unit.
template <class Unit, class Rep>
struct Quantity {
  Rep value{};

  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep v) : value(v) {}

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value += other.value;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value + b.value); }
  friend constexpr Quantity operator*(Quantity a, Rep factor) { return Quantity(a.value * factor); }
  friend constexpr Quantity operator*(Rep factor, Quantity a) { return a * factor; }
};

/// A count of bytes.
using Bytes = Quantity<struct BytesUnit, std::uint64_t>;
/// A count of arithmetic operations; a multiply-add counts as two.
using Ops = Quantity<struct OpsUnit, std::uint64_t>;
/// Bytes per second.
using BytesPerSecond = Quantity<struct BytesPerSecondUnit, double>;
/// Arithmetic operations per second.
using OpsPerSecond = Quantity<struct OpsPerSecondUnit, double>;
/// How often something happens: times per second.
using PerSecond = Quantity<struct PerSecondUnit, double>;
/// Electrical power.
using Watts = Quantity<struct WattsUnit, double>;
/// An amount of money; whoever holds amounts says in which currency they all are.
using Money = Quantity<struct MoneyUnit, double>;
/// A part of a whole: 0.05 is five in a hundred.
using Share = Quantity<struct ShareUnit, double>;

constexpr Seconds operator/(Bytes bytes, BytesPerSecond rate) {
  return Seconds(static_cast<double>(bytes.value) / rate.value);
}
constexpr Seconds operator/(Ops ops, OpsPerSecond rate) {
  return Seconds(static_cast<double>(ops.value) / rate.value);
}

}  // namespace spanker
