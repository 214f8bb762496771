#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// How the engine of a run spread its work and moved its vectors (docs/schedules.md).
enum class EngineSchedule {
  kPlan,        ///< a plan of our own
  kRootStarV1,  ///< the root hands out and gathers every vector inside a layer
  kRootStar,    ///< the root sums partial vectors, two each way a layer
  kAllToAll,    ///< every card sends its partial vectors to every other
  kPipeline,    ///< whole layers on each card; a vector passes from one to the next and back to the root
};
/// "plan", "root_star_v1", "root_star", "all_to_all", "pipeline".
std::string_view to_string(EngineSchedule schedule);

/// The schedule of that name, of another engine: not "plan". Fails with kBadInput at `where`.
Result<EngineSchedule> parse_engine_schedule(std::string_view name, std::string_view where);

/// What is exchanged at one place of a pass, `times` times. Card 0 is the root.
struct EngineExchange {
  double times = 0;
  std::uint32_t peers = 0;  ///< cards that the root exchanges with; 0: others among themselves
  Bytes sent;               ///< by the root to each peer
  Bytes received;           ///< by the root from each peer
  bool answered = false;    ///< what is received answers what was sent; else both are under way at once
};

/// The exchanges of one decoded token of an engine's schedule among so many cards (1: none), vectors as
/// `wire` in whole blocks of each slice; not of kPlan. With dim = hidden_size, kv = key/value heads *
/// head_dim, q = query heads * head_dim and ffn = intermediate_size of all experts of a token, n cards, per
/// layer:
///   root_star_v1: dim -> (q + 2 kv) / n, q -> dim / n, dim -> ffn / n, (1 - 1/n) ffn -> dim / n
///   root_star: dim -> dim, twice
///   all_to_all: dim to and from every other card, twice; and once a token the embedding row to all cards and
///   vocab_size / n logits from each, both as F32
///   pipeline (once a token, not per layer): dim from card to card and from the last back to the root
/// Source: the communication of distributed-llama 0.1 (root_star_v1), 0.5 (root_star) and 0.12 (all_to_all),
/// whose printed byte counts these are; pipeline as in prima.cpp's ring.
std::vector<EngineExchange> engine_exchanges(EngineSchedule schedule, const ModelShape& shape,
                                             TensorType wire, std::uint32_t cards);

/// Over all exchanges.
Bytes root_sent_bytes(const std::vector<EngineExchange>& exchanges);
Bytes root_received_bytes(const std::vector<EngineExchange>& exchanges);

}  // namespace spanker
