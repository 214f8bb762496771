#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/model/model.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/plan/search.hpp"

// Internal to this module: what flags mean.
namespace spanker {

/// MODEL and --quant. Quantised as q4_0 where a preset is named and no type is given.
Result<Model> model_from_flags(const std::string& model, const std::string& quant);

/// --cluster and --cards.
Result<Cluster> cluster_from_flags(const std::string& cluster, std::optional<std::uint32_t> cards);

/// --strategy: auto, tensor, pipeline, single.
Result<StrategySet> strategies_from_flag(const std::string& strategy);

/// --kv-dtype and --link-dtype.
Result<void> set_vector_types(const std::string& kv_type, const std::string& link_type, Workload& workload);

Result<EmbeddingPlace> embedding_from_flag(const std::string& place);

/// --objective: latency, throughput, first-token, session.
Result<Objective> objective_from_flag(const std::string& objective);

/// A whole number of bytes ("2000000000") or a quantity ("2 GB"); 0 where the flag was not given.
Result<Bytes> bytes_from_flag(const std::string& text, const std::string& flag);

/// A whole number of bytes per second ("500000000") or a quantity ("500 MB/s").
Result<std::uint64_t> bandwidth_from_flag(const std::string& text, const std::string& flag);

}  // namespace spanker
