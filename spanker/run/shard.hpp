#pragma once

#include <vector>

#include "spanker/plan/problem.hpp"
#include "spanker/run/interval.hpp"

namespace spanker {

/// What of a model one card holds: of each of its layers some heads and columns, and of the model's ends
/// rows.
struct Shard {
  CardId card = 0;
  std::uint32_t first_layer = 0;
  std::uint32_t layer_count = 0;
  Interval query_heads;
  Interval key_value_heads;  ///< all that one of its query heads uses
  Interval ffn_columns;
  Interval embedding_rows;  ///< none outside the first stage, or where the table stays on the host
  Interval output_rows;     ///< none outside the last stage
  bool adds_output_bias =
      false;                    ///< whether the bias of attention outputs is this card's to add: once a stage
  bool gathers_logits = false;  ///< whether it takes part in bringing them together, with rows or without
  bool samples = false;         ///< whether the logits of all cards come to this one
};

/// The shards of a valid plan, stage by stage in the order of their cards.
std::vector<Shard> shards_of(const Problem& problem, const Plan& plan);

}  // namespace spanker
