#pragma once

#include <span>
#include <vector>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// What goes up over the host link for so many rows of a pass: their token ids, 4 bytes each, or with
/// --embedding host their vectors.
Bytes uploaded_bytes(const Problem& problem, std::uint64_t rows);
/// What comes down: an id for each stream.
Bytes downloaded_bytes(std::uint64_t streams);

/// Who takes part in a gather of logits, and the vector that it works on.
struct GatherGroup {
  std::vector<CardId> cards;  ///< the sampling card is rank 0; in a pipeline it has no rows of its own, and
                              ///< its chunk is left unused
  Payload payload;
};
/// `elements` logits from each of `cards`, as whole blocks of `type` so that no two chunks share one.
GatherGroup gather_group(CardId sampling_card, std::span<const CardId> cards, std::uint64_t elements,
                         TensorType type);

/// The slowest cards of a stage, part by part: cards wait for one another at the collective that ends each
/// part.
struct StageParts {
  std::vector<Cost> layers;  ///< one layer of each kind, without its collectives
  Cost embedding;            ///< first stage only
  Cost logits;               ///< last stage only, without the gather

  /// Over all layers of the stage, which `counts` counts by kind.
  Cost all_layers(std::span<const std::uint32_t> counts) const;
};

/// What the parts of a pass cost on given cards. Everything that prices plans, the search included, goes
/// through here.
class PassPricer {
 public:
  /// All must outlive the pricer.
  PassPricer(const Problem& problem, const ClusterRates& rates, CollectivePricer& links, const Pass& pass)
      : problem_(problem), rates_(rates), links_(links), pass_(pass) {}

  const Pass& pass() const { return pass_; }

  /// One card's kernels of attention, of the feed-forward network or of the logits.
  Cost attention(CardId card, const LayerTensors& layer, HeadShare share) const;
  Cost ffn(CardId card, const LayerTensors& layer, std::uint64_t columns) const;
  Cost logits(CardId card, std::uint64_t rows) const;

  StageParts stage_parts(std::span<const CardId> cards, std::span<const CardShare> shares,
                         StageEnds ends) const;

  /// The activations of all rows of the pass.
  Payload activations() const;
  /// One collective on them among a stage's cards; the cheapest algorithm where none is given.
  CollectiveChoice all_reduce(std::span<const CardId> cards) const;
  Cost all_reduce(std::span<const CardId> cards, Algorithm algorithm) const;
  /// No all_reduce between so many cards side by side takes less: see CollectivePricer.
  Seconds least_all_reduce(std::size_t cards) const;
  CollectiveChoice broadcast(std::span<const CardId> cards) const;
  Cost broadcast(std::span<const CardId> cards, Algorithm algorithm) const;
  /// Activations from the last card of one stage to the first of the next.
  Cost boundary(CardId from, CardId to) const;
  /// Logits from a last stage's cards to the sampling card. Each sends as many rows as the largest share has,
  /// so the price depends on that alone.
  CollectiveChoice gather(CardId sampling_card, std::span<const CardId> cards,
                          std::uint64_t largest_rows) const;
  Cost gather(CardId sampling_card, std::span<const CardId> cards, std::uint64_t largest_rows,
              Algorithm algorithm) const;

  /// Fixed cost of the pass on the card that samples, and what crosses the host link: uploaded_bytes of its
  /// rows and downloaded_bytes of its streams.
  Cost pass_overhead(CardId sampling_card) const;

 private:
  const Problem& problem_;
  const ClusterRates& rates_;
  CollectivePricer& links_;
  Pass pass_;
};

/// A pass by a plan, piece by piece.
struct PassPrice {
  Cost overhead;                 ///< PassPricer::pass_overhead
  std::vector<Cost> boundaries;  ///< into each stage but the first
  std::vector<Cost>
      stages;  ///< embedding, broadcast, layers [attention + all_reduce + ffn + all_reduce], logits, gather

  Cost total() const;
};

/// Which of a stage's collectives a pass uses; null for the cheapest ones of that pass.
using CollectivesOf = StageCollectives Stage::*;

PassPrice price_pass(const Problem& problem, const PassPricer& pricer, const Plan& plan,
                     CollectivesOf collectives);

/// Sets every algorithm of the plan to the cheapest one for its use.
void choose_collectives(Plan& plan, const PassPricer& decode, const PassPricer& prefill);

}  // namespace spanker
