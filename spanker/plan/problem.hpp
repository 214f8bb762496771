#pragma once

#include <cstdint>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/graph/operators.hpp"
#include "spanker/plan/plan.hpp"

namespace spanker {

/// Layers whose tensors are stored alike are one kind: they cost the same, whatever their number.
struct LayerKinds {
  std::vector<LayerTensors> kinds;
  std::vector<std::uint32_t> kind_of_layer;

  /// How many layers of each kind lie in [first, last].
  std::vector<std::uint32_t> count(std::uint32_t first, std::uint32_t last) const;

 private:
  friend struct Problem;
  std::vector<std::vector<std::uint32_t>> before_;  ///< before_[l][kind]: layers of the kind below l
};

/// The largest cluster that is planned for.
inline constexpr std::uint32_t kMaxPlannedCards = 1024;

/// A question for the planner: model, cluster and workload that fit together, with what follows from them.
struct Problem {
  Model model;
  Cluster cluster;  ///< as it is for the model's layers (for_layers_of)
  Workload workload;
  LayerKinds layers;
  std::uint32_t head_unit = 1;    ///< query_head_unit
  std::uint64_t column_unit = 1;  ///< ffn_column_unit
  std::uint64_t row_unit = 1;     ///< vocabulary_row_unit
  Bytes layer_bytes;              ///< decode_layer_bytes

  /// Fails with kBadInput where the workload is impossible for the model: no tokens, more than the context
  /// holds, a KV or link type that is not F32, F16 or Q8_0, or whose block does not divide a head.
  static Result<Problem> make(Model model, Cluster cluster, Workload workload);

  /// The same question about another cluster.
  Problem with_cluster(Cluster other) const;

  Pass decode(std::uint64_t streams = 1) const {
    return decode_pass(workload.context, streams, workload.kv_type);
  }
  Pass prefill() const { return prefill_pass(workload.prompt, workload.kv_type); }
};

}  // namespace spanker
