#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "spanker/plan/card_groups.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/stage_costs.hpp"

// Internal to this module: the search under one aim.
namespace spanker {

struct FoundStage {
  LayerRange layers;
  std::vector<CardId> cards;
  StageShares shares;
};

/// The best plan so far, over all aims.
struct BestStages {
  double value = std::numeric_limits<double>::infinity();
  double slowest_stage = std::numeric_limits<double>::infinity();  ///< tells equals apart
  std::vector<FoundStage> stages;
};

class StageSearch {
 public:
  /// All must outlive the object.
  StageSearch(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
              const CardGroups& groups, const Aim& aim);

  /// No plan's value is less, where it is a sum over the stages.
  double least_value();

  // Each improves on `best` where it can, and may be asked again.
  /// One stage on each group.
  void try_one_stage(StrategySet allowed, BestStages& best);
  void try_one_stage_on(std::vector<CardId> cards, BestStages& best);
  /// Two stages or more, by dynamic programming over layers done, cards used and whether any stage so far has
  /// several cards. A state keeps every way to it that may still win. `few_widths`: wide stages only at the
  /// few widths whose layers are quickest, unless nothing fits so.
  void try_stages(StrategySet allowed, BestStages& best, bool few_widths);

 private:
  struct Candidate;
  struct Label;
  class Table;
  enum class Effort { kFewGroups, kFastestShares, kFittingShares };

  StagePlace& place_at(std::size_t place, std::size_t group);
  /// The same in plans whose logits go to that card.
  StagePlace& place_for(std::size_t place, std::size_t group, CardId sampling_card);
  /// Lower bound of one layer of that kind on a group.
  double least_layer(std::size_t place, std::size_t group, std::size_t kind);
  double least_layers(std::size_t place, std::size_t group);
  /// Groups that may be a stage among several, each as (place, group); where places are alike, at the first.
  std::vector<std::pair<std::size_t, std::size_t>> stage_groups() const;
  void price_quickest_groups();
  void set_bounds();
  void try_stages_from(std::size_t first_place, Effort effort, BestStages& best);
  double value(PieceTotals totals, CardId sampling_card) const;

  const Problem& problem_;
  const CardGroups& groups_;
  const Aim& aim_;
  StrategySet allowed_;  ///< by the question that is being answered
  StageCosts costs_;
  std::uint32_t layer_count_;
  /// By place and group, where asked for.
  std::vector<std::vector<std::optional<StagePlace>>> places_;
  std::vector<std::vector<std::vector<double>>> quick_layer_;  ///< by place, group and kind
  std::vector<double> least_after_;  ///< by layer: all layers from there on, each on its quickest group
  double least_first_ = 0;           ///< what a first stage adds, at least
  double least_last_ = 0;
  double least_boundary_ = 0;
  double quick_enough_ = 0;  ///< a layer of the first kind, for Effort::kFewGroups
};

}  // namespace spanker
