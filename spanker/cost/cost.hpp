#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "spanker/base/quantity.hpp"
#include "spanker/graph/operators.hpp"

namespace spanker {

/// Seconds, told apart by what they are spent on. An operator's time goes whole to the larger of its memory
/// and its compute term, so that the parts of a price add up to it.
struct Cost {
  Seconds memory{0};          ///< reading weights and the KV cache
  Seconds compute{0};         ///< arithmetic, where it is the larger term
  Seconds link_bandwidth{0};  ///< bytes over inter-card links
  Seconds link_latency{0};    ///< hops over inter-card links
  Seconds host_link{0};       ///< everything over the host link
  Seconds overhead{0};        ///< fixed costs of steps and passes

  Seconds total() const { return memory + compute + link_bandwidth + link_latency + host_link + overhead; }

  Cost& operator+=(const Cost& other);
  friend Cost operator+(Cost a, const Cost& b) { return a += b; }
  friend Cost operator*(const Cost& cost, double times);
};

/// One part of a price, with the name it has in tables and JSON.
struct CostTerm {
  std::string_view name;
  Seconds Cost::*seconds;
};
/// All parts: memory, compute, link_bandwidth, link_latency, host_link, overhead.
std::span<const CostTerm> cost_terms();
/// The name of the largest part.
std::string_view largest_term(const Cost& cost);

/// A card as prices see it: plain numbers, at one end of their ranges.
struct CardRates {
  BytesPerSecond memory_bandwidth;
  OpsPerSecond compute;  ///< infinite where compute is not modelled
  Seconds step_overhead{0};
  Seconds token_overhead{0};
  Bytes memory_capacity;
  double serial_share = 0;  ///< 0 to 1

  /// Whether every operator costs the same on both.
  bool performs_like(const CardRates& other) const {
    return memory_bandwidth == other.memory_bandwidth && compute == other.compute &&
           step_overhead == other.step_overhead && serial_share == other.serial_share;
  }
};

/// max(bytes / memory_bandwidth, ops / compute) + step_overhead; nothing for an operator of no bytes and no
/// ops.
Cost operator_cost(const Operator& op, const CardRates& card);
/// The sum over operators that a card runs one after another.
Cost operators_cost(std::span<const Operator> operators, const CardRates& card);

/// A card's part of an operator that several cards share, `whole` being all of it: with the card's serial
/// share s
///   s * cost of the whole + (1 - s) * cost of the part
/// (Amdahl's law: so much of it takes every card as long as one alone); nothing for an empty part.
Cost part_cost(const Operator& part, const Operator& whole, const CardRates& card);
/// The sum of part_cost over operators that a card runs one after another; spans of one length.
Cost parts_cost(std::span<const Operator> parts, std::span<const Operator> wholes, const CardRates& card);

}  // namespace spanker
