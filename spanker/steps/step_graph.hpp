#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "spanker/collective/schedule.hpp"
#include "spanker/cost/collective_cost.hpp"
#include "spanker/graph/operators.hpp"

namespace spanker {

/// A step's place in its graph.
using StepId = std::uint32_t;
inline constexpr std::uint32_t kNoIndex = std::numeric_limits<std::uint32_t>::max();

enum class StepKind : std::uint8_t {
  kUpload,        ///< `bytes` from the host to `card`
  kKernel,        ///< the operator `op` on `card`
  kSend,          ///< `bytes` from `card` to `to`
  kCollective,    ///< a whole exchange that is not expanded
  kJoin,          ///< nothing; ends when all that it waits for has ended
  kPassOverhead,  ///< the fixed cost of a pass, on `card`
  kDownload,      ///< `bytes` from `card` to the host
};
/// "upload", "kernel", "send", "collective", "join", "pass_overhead", "download".
std::string_view to_string(StepKind kind);

/// One thing that one card or one route does.
struct Step {
  StepKind kind = StepKind::kJoin;
  OperatorKind op = OperatorKind::kEmbedding;  ///< of a kernel
  std::uint32_t layer = kNoIndex;              ///< of a kernel within a layer
  std::uint32_t exchange = kNoIndex;           ///< that this step is part of
  CardId card = kNoIndex;
  CardId to = kNoIndex;
  Bytes bytes;        ///< of a kernel: stored bytes of weights, and cache read and written
  Ops ops;            ///< of a kernel
  Bytes whole_bytes;  ///< of the whole kernel, of which this is the card's part
  Ops whole_ops;

  Operator part() const { return {op, bytes, ops}; }
  Operator whole() const { return {op, whole_bytes, whole_ops}; }

  bool operator==(const Step&) const = default;
};

/// What cards exchange vectors for.
enum class ExchangeUse : std::uint8_t {
  kBoundary,         ///< activations, from a stage's last card to the next one's first
  kStageInput,       ///< activations, from a stage's first card to the others
  kAttentionOutput,  ///< partial sums of a layer's attention
  kFfnOutput,        ///< partial sums of a layer's network
  kLogits,           ///< to the card that samples
};
/// "boundary", "stage_input", "attention_all_reduce", "ffn_all_reduce", "logits_gather".
std::string_view to_string(ExchangeUse use);

/// One collective of a pass. It starts when all its cards have come to it, each round starts when the one
/// before has ended for all, and it ends for all of them together. Its steps are [first_step, end_step): a
/// join, then of each round the sends and a join; or, not expanded, a single kCollective.
struct Exchange {
  ExchangeUse use = ExchangeUse::kBoundary;
  std::uint32_t layer = 0;  ///< of a stage's input the stage's first layer; of the logits the last layer
  Collective collective = Collective::kBroadcast;
  Algorithm algorithm = Algorithm::kTree;
  std::uint32_t group = 0;  ///< index into groups(): rank r is the group's r-th card
  Payload payload;
  bool expanded = true;
  StepId first_step = 0;
  StepId end_step = 0;
  std::uint32_t first_round = 0;  ///< index into round_ends()
  std::uint32_t rounds = 0;       ///< 0 where not expanded
};

/// The steps of one pass by a plan. Only ever appended to, so each step comes after those that it waits for.
class StepGraph {
 public:
  std::size_t size() const { return steps_.size(); }
  const Step& step(StepId id) const { return steps_[id]; }
  std::span<const Step> steps() const { return steps_; }
  /// The steps that must end before this one starts.
  std::span<const StepId> waits_for(StepId id) const;

  std::span<const Exchange> exchanges() const { return exchanges_; }
  std::size_t group_count() const { return groups_.size(); }
  /// The cards of a group, in the order of their ranks.
  std::span<const CardId> group(std::uint32_t index) const { return groups_[index]; }
  /// The steps [begin, end) of an expanded exchange's round: its sends, and the join that ends it.
  struct Range {
    StepId begin;
    StepId end;
  };
  Range round(const Exchange& exchange, std::uint32_t index) const;

  /// `waits_for`: of steps that are there already. Returns the new step.
  StepId add(const Step& step, std::span<const StepId> waits_for);
  /// Reuses the group where the same cards were added before.
  std::uint32_t add_group(std::span<const CardId> cards);
  /// The exchange whose steps are added next, until end_exchange().
  std::uint32_t begin_exchange(Exchange exchange);
  void end_round();
  void end_exchange();

 private:
  std::vector<Step> steps_;
  std::vector<std::size_t> wait_ends_;
  std::vector<StepId> waits_;
  std::vector<Exchange> exchanges_;
  std::vector<StepId> round_ends_;
  std::vector<std::vector<CardId>> groups_;
};

}  // namespace spanker
