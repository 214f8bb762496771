#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "spanker/plan/problem.hpp"

namespace spanker {

/// What one card must hold.
struct CardMemory {
  CardId card = 0;
  Bytes weight_bytes;
  Bytes kv_bytes;
  Bytes activation_bytes;
  Bytes capacity_bytes;

  Bytes total() const { return weight_bytes + kv_bytes + activation_bytes; }
  bool fits() const { return total() <= capacity_bytes; }
};

/// Which ends of the model a stage holds.
struct StageEnds {
  bool first = false;
  bool last = false;
};

/// Weights: the shares' stored bytes, norms on every card that has a share of what follows them. KV cache:
/// the workload's context for all streams. Activations, in f32: two vectors of the widest pass's rows (the
/// residual and what a collective works on), queries, attention output, keys and values, gate and up (of each
/// expert that a row uses) of at most kActivationTileRows rows, and logits (a card's own rows; all of them on
/// the card that samples).
inline constexpr std::uint64_t kActivationTileRows = 512;

/// One card's share of a stage.
struct CardShare {
  HeadShare heads;
  std::uint64_t ffn_columns = 0;
  std::uint64_t vocabulary_rows = 0;
};

/// All of a stage on one card; rows only where the stage has an end of the model.
CardShare whole_share(const ModelShape& shape, StageEnds ends);

/// What a card with this share of a stage holds; `layers` counts the stage's layers by kind.
CardMemory stage_card_memory(const Problem& problem, std::span<const std::uint32_t> layers, StageEnds ends,
                             const CardShare& share, bool samples);

/// Every used card's memory, in the order of the plan. Where the model's ends are tied and lie in different
/// stages, each holds its own copy of the table.
std::vector<CardMemory> plan_memory(const Problem& problem, const Plan& plan);

/// The same shares, card by card.
std::vector<CardShare> card_shares(const ModelShape& shape, const StageShares& shares);

}  // namespace spanker
