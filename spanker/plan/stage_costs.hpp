#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "spanker/plan/aim.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/share_costs.hpp"
#include "spanker/plan/shares.hpp"

namespace spanker {

/// What a group of cards can do as a stage, wherever on uniform wiring it stands.
struct StageRun;

/// A group of cards at its place, in a plan whose logits go to `sampling_card`.
struct StagePlace {
  std::vector<CardId> cards;
  CardId sampling_card = 0;
  StageRun* run = nullptr;
  /// Rows as a last stage deals them there, once asked for.
  struct LastEnd {
    std::vector<std::uint64_t> rows;
    std::vector<double> seconds;  ///< logits and gather, by pass
  };
  std::optional<LastEnd> last_end;
};

/// Layers [first, end).
struct LayerRange {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

/// What stages cost under one aim, remembered.
class StageCosts {
 public:
  /// All must outlive the object.
  StageCosts(const Problem& problem, const ClusterRates& rates, CollectivePricer& links, const Aim& aim);
  ~StageCosts();

  StagePlace place(std::vector<CardId> cards, CardId sampling_card);

  /// What every pass of a plan pays beside its stages, and a load's latency.
  double overhead(CardId sampling_card) const;
  PieceTotals boundary(CardId from, CardId to) const;

  // Lower bounds by the aim's sum (with a period: of its first pass).
  /// A layer of that kind on these cards, from their speeds alone.
  double quick_layer(std::span<const CardId> cards, std::size_t kind) const;
  /// A layer of that kind; with its collectives where these have been priced.
  double least_layer(const StagePlace& place, std::size_t kind) const;
  double least_layers(const StagePlace& place, LayerRange layers) const;
  /// What comes on top of a stage's layers when it is first, last or neither, without the gather.
  double least_beside_layers(const StagePlace& place, StageEnds ends) const;
  /// The gather of logits on a card that has none of the rows.
  double least_far_gather() const { return least_far_gather_; }
  void price_layer_collectives(StagePlace& place);

  /// Seconds by the fastest shares, whatever the memory.
  PieceTotals fastest(StagePlace& place, LayerRange layers, StageEnds ends);
  /// The same with the least load that any shares have: no shares take less.
  PieceTotals least(StagePlace& place, LayerRange layers, StageEnds ends);
  /// Whether every card holds its fastest share.
  bool holds_fastest(StagePlace& place, LayerRange layers, StageEnds ends);
  /// By the best shares that every card holds; nothing where there are none.
  std::optional<PieceTotals> fitting(StagePlace& place, LayerRange layers, StageEnds ends);
  /// The shares of `fastest` where every card holds them, else of `fitting`.
  StageShares shares(StagePlace& place, LayerRange layers, StageEnds ends);

 private:
  struct Fitted {
    std::optional<StageShares> shares;
    PieceTotals totals;
  };
  StageRun& run_of(const std::vector<CardId>& cards);
  /// The run with shares for the kinds of layers in that range.
  StageRun& run_for(StagePlace& place, LayerRange layers);
  void price_layers(StageRun& run) const;
  void price_run_collectives(StageRun& run) const;
  ShareQuestion question(const StagePlace& place, StageEnds ends,
                         std::span<const std::uint32_t> layers) const;
  const StagePlace::LastEnd& last_end(StagePlace& place, StageEnds ends);
  StageShares fastest_shares_of(StagePlace& place, const StageRun& run, StageEnds ends);
  const Fitted& fitted(StagePlace& place, LayerRange layers, StageEnds ends);
  /// One number for each of the aim's passes.
  using ByPass = std::array<double, 2>;
  template <class Seconds>
  ByPass by_pass(const Seconds& seconds) const;
  PieceTotals combined(const ByPass& by_pass) const;
  PieceTotals fastest_passes(StagePlace& place, LayerRange layers, StageEnds ends);
  void add_load(PieceTotals& totals, const StagePlace& place, LayerRange layers, StageEnds ends,
                const StageShares& shares) const;
  /// Over one port for all cards bytes add up; else a level deal also loads best.
  bool least_bytes() const { return aim_.kind == Aim::Kind::kSession; }
  double weighed(const ByPass& by_pass) const;
  double layer_load(std::size_t kind) const;
  double price_far_gather() const;
  double least_all_reduces(std::size_t pass, std::span<const CardId> cards) const;
  /// Logits in that pass, whatever the shares; without the gather.
  double least_logits(std::span<const CardId> cards, std::size_t pass) const;
  /// Least seconds that one unit of heads, columns or rows takes of the card in any share.
  struct UnitSeconds {
    double heads;
    double columns;
    double rows;
  };
  UnitSeconds unit_seconds(std::size_t pass, std::size_t kind, CardId card) const;

  const Problem& problem_;
  const ClusterRates& rates_;
  CollectivePricer& links_;
  const Aim& aim_;
  std::vector<PassPricer> pricers_;
  ShareCosts share_costs_;
  std::vector<std::uint32_t> all_layers_;
  double least_far_gather_ = 0;
  double load_seconds_per_byte_ = 0;  ///< that a session adds for each byte
  mutable std::map<std::tuple<std::size_t, std::size_t, CardId>, UnitSeconds> unit_seconds_;
  std::map<std::vector<CardId>, std::unique_ptr<StageRun>> runs_;
  std::map<std::tuple<std::vector<CardId>, CardId, std::vector<std::uint32_t>, bool, bool>, Fitted> fitted_;
};

}  // namespace spanker
