#pragma once

#include <cstddef>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/kernels/memory.hpp"
#include "spanker/kernels/packed_matrix.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/run/shard.hpp"
#include "spanker/run/thread_team.hpp"

namespace spanker {

/// A card's part of one layer. Matrices of no rows, and empty vectors, where it has no part, or the model no
/// such tensor.
struct LayerWeights {
  std::vector<float> attention_norm;
  PackedMatrix query, key, value;
  PackedMatrix attention_output;
  std::vector<float> query_bias, key_bias, value_bias, attention_output_bias;
  std::vector<float> query_norm, key_norm;
  std::vector<float> ffn_norm;
  PackedMatrix gate, up, down;
};

/// What a card holds of a model, in memory of its own. Move-only.
struct CardWeights {
  Memory memory;  ///< of all matrices
  std::vector<LayerWeights> layers;
  PackedMatrix embedding;  ///< the shard's rows of the table; the same memory as `output` where they are tied
  std::vector<float> output_norm;
  PackedMatrix output;

  /// Reads the shard's bytes from the file, and no others, with all threads of the team; gives back the
  /// memory of what was read. Fails with kInfeasible where there is not enough memory, and as weight_type_of
  /// does.
  static Result<CardWeights> load(const ModelFile& file, const Shard& shard, ThreadTeam& team);
};

}  // namespace spanker
