#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "spanker/cluster/cluster.hpp"
#include "spanker/collective/schedule.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// What a plan is to be good at.
enum class Objective {
  kLatency,     ///< seconds per token of one stream in decode
  kThroughput,  ///< tokens per second of all streams together in decode
  kFirstToken,  ///< seconds from a prompt to its first token
  kSession,     ///< seconds to load the model, read a prompt and generate tokens
};
std::string_view to_string(Objective objective);  ///< "latency", "throughput", "first-token", "session"

/// Where the embedding table lives.
enum class EmbeddingPlace {
  kCards,  ///< split by rows over the first stage's cards
  kHost,   ///< on the host, which uploads the vectors of each pass
};
std::string_view to_string(EmbeddingPlace place);  ///< "cards", "host"

/// How a plan spreads a model, from its shape alone.
enum class PlanStrategy { kSingleCard, kTensorParallel, kPipelineParallel, kHybrid };
std::string_view to_string(
    PlanStrategy strategy);  ///< "single_card", "tensor_parallel", "pipeline_parallel", "hybrid"

/// What the cards are asked to do.
struct Workload {
  std::uint64_t context = 2048;  ///< positions at which decode is priced and for which KV memory is kept
  std::uint64_t prompt = 512;    ///< tokens of the prompt
  std::uint64_t generate = 128;  ///< tokens to generate
  std::uint64_t streams = 1;     ///< sequences kept at once
  TensorType kv_type = TensorType::kF16;    ///< F32, F16 or Q8_0
  TensorType link_type = TensorType::kF32;  ///< of vectors between cards: F32, F16 or Q8_0
  EmbeddingPlace embedding = EmbeddingPlace::kCards;
  Objective objective = Objective::kLatency;
  Bytes checkpoint_bytes;        ///< that go to host memory over a session
  Bytes stream_bytes_per_token;  ///< other data that comes from the host with each token
};

/// The collectives that one stage uses in one kind of pass.
struct StageCollectives {
  Algorithm all_reduce = Algorithm::kDirect;  ///< twice a layer
  Algorithm broadcast = Algorithm::kDirect;   ///< of what enters the stage, from its first card

  bool operator==(const StageCollectives&) const = default;
};

/// How each layer of a stage is dealt to its cards: counts parallel to the cards, dealt in order.
struct StageShares {
  std::vector<std::uint32_t> query_heads;      ///< sum to num_attention_heads
  std::vector<std::uint64_t> ffn_columns;      ///< sum to intermediate_size
  std::vector<std::uint64_t> vocabulary_rows;  ///< rows of the embedding table in the first stage, of the
                                               ///< output matrix in the last (of both where they are one);
                                               ///< sum to vocab_size. Zeros in a stage between

  bool operator==(const StageShares&) const = default;
};

/// Consecutive layers on a group of cards, each layer split over all of them.
struct Stage {
  std::uint32_t first_layer = 0;
  std::uint32_t last_layer = 0;  ///< inclusive
  std::vector<CardId> cards;
  StageShares shares;
  StageCollectives decode;
  StageCollectives prefill;

  std::uint32_t layer_count() const { return last_layer - first_layer + 1; }

  bool operator==(const Stage&) const = default;
};

/// Which card does what. Stages follow one another; the first card of the first stage samples, and the logits
/// of the last stage are gathered there.
struct Plan {
  std::vector<Stage> stages;
  Algorithm gather = Algorithm::kDirect;  ///< of the logits

  PlanStrategy strategy() const;
  std::uint32_t cards_used() const;
  CardId sampling_card() const { return stages.front().cards.front(); }

  bool operator==(const Plan&) const = default;
};

}  // namespace spanker
