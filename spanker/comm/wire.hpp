#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spanker {

/// How a vector of floats travels. Values are cut into units, the smallest pieces that can travel alone.
///
/// Encoding is a projection: what was decoded once is encoded into the same values again. So it does not
/// matter how often a value is passed on.
enum class WireType : std::uint8_t {
  kF32,  ///< as it is: 4 bytes an element
  /// IEEE binary16 to nearest: 2 bytes an element. Within 2^-11 of the value, or 2^-25 below 2^-14; beyond
  /// 65519 infinite.
  kF16,
  /// Units of 32 elements, or fewer in a last one: a scale (f16) and an int8 for each, 34 bytes a whole unit.
  /// Within 1/253 of the unit's largest magnitude; 1/127 where that is below 0.0078, plus 2^-25. A unit that
  /// holds what is not finite, or beyond 8.3e6, becomes NaN as a whole.
  kQ8_0,
};

/// "f32", "f16", "q8_0".
std::string_view to_string(WireType type);

/// Elements of a unit: 1, 1, 32.
std::uint32_t unit_elements(WireType type);

/// Bytes of `elements` on the wire.
std::uint64_t wire_bytes(WireType type, std::uint64_t elements);

/// Writes wire_bytes(type, values.size()) bytes.
void encode(WireType type, std::span<const float> values, std::byte* wire);

/// Reads wire_bytes(type, values.size()) bytes.
void decode(WireType type, const std::byte* wire, std::span<float> values);

/// Each value as it is after it has travelled.
void round_to_wire(WireType type, std::span<float> values);

}  // namespace spanker
