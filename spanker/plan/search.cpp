#include "spanker/plan/search.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "spanker/cluster/network.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/shares.hpp"

namespace spanker {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// A later candidate must be better by more than rounding.
bool is_better(double candidate, double incumbent) { return candidate < incumbent * (1 - 1e-12); }

/// What a plan, or its first stages, cost: all stages one after another and, to tell equals apart, the
/// slowest of them.
struct Value {
  double seconds = kInfinite;
  double slowest_stage = kInfinite;
};

bool is_better(const Value& candidate, const Value& incumbent) {
  if (is_better(candidate.seconds, incumbent.seconds)) return true;
  if (is_better(incumbent.seconds, candidate.seconds)) return false;
  return is_better(candidate.slowest_stage, incumbent.slowest_stage);
}

std::size_t index_of(StageEnds ends) { return (ends.first ? 2u : 0u) + (ends.last ? 1u : 0u); }

/// What a group of cards can do as a stage, wherever on uniform wiring it stands.
struct Run {
  StageShares shares;                         ///< the fastest, with rows as a last stage deals them
  std::vector<std::uint64_t> embedding_rows;  ///< rows as a first stage that is not last deals them
  std::vector<double> seconds_before;         ///< by layer: all layers before it, with their collectives
  double broadcast_seconds = 0;
  double embedding_seconds = 0;
  double logits_seconds = 0;
  /// By ends and first layer: how far layers fit with the fastest shares; 0 where not asked yet.
  std::array<std::vector<std::uint32_t>, 4> end_that_fits;
};

/// A run at its place.
struct Place {
  Run* run = nullptr;
  std::vector<CardId> cards;
  CardId sampling_card = 0;
  double boundary_seconds = 0;                   ///< from the card before it in the list
  mutable std::optional<double> gather_seconds;  ///< Search::gather_seconds, once asked for
};

struct Fitted {
  double seconds = kInfinite;
  StageShares shares;
};

struct FoundStage {
  std::uint32_t first_layer = 0;
  std::uint32_t end_layer = 0;
  std::vector<CardId> cards;
  StageShares shares;
};

class Search {
 public:
  Search(const Problem& problem, StrategySet allowed)
      : problem_(problem),
        allowed_(allowed),
        rates_(problem.cluster, Bound::kValue),
        links_(rates_),
        decode_(problem, rates_, links_, problem.decode()),
        prefill_(problem, rates_, links_, problem.prefill()),
        layer_count_(problem.model.shape.num_hidden_layers) {}

  std::optional<Plan> best();
  std::optional<Plan> best_one_stage(std::span<const CardId> cards);

 private:
  Run& run_of(std::span<const CardId> cards);
  Place place_of(std::span<const CardId> cards, CardId sampling_card);
  /// Of logits dealt with the fastest shares. A place that is never last is never asked: gathers are costly
  /// to price.
  double gather_seconds(const Place& place) const;
  ShareQuestion question(const Place& place, StageEnds ends) const {
    return {problem_, decode_, place.cards, ends, place.sampling_card};
  }

  StageShares fastest(const Place& place, StageEnds ends) const;
  std::uint32_t end_that_fits(const Place& place, std::uint32_t first, StageEnds ends);
  const Fitted& fitted(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends);
  bool layers_are_alike() const { return problem_.layers.kinds.size() == 1; }
  /// Seconds of layers [first, end) at that place, with what enters and leaves, by the fastest shares,
  /// whatever the memory.
  double fastest_seconds(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends) const;
  /// The same by shares that fit; infinite where none do, or where even the fastest shares need more than
  /// `bound`.
  double stage_seconds(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends,
                       double bound);
  FoundStage found_stage(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends);

  bool all_cards_together_hold_the_model() const;
  bool fits_with_fastest_shares(std::span<const CardId> cards);
  void try_one_stage(std::span<const CardId> cards);
  void try_stages(const std::vector<CardId>& list, bool prefixes_count);
  std::optional<Plan> as_plan() const;

  const Problem& problem_;
  StrategySet allowed_;
  ClusterRates rates_;
  CollectivePricer links_;
  PassPricer decode_;
  PassPricer prefill_;
  std::uint32_t layer_count_;
  std::map<std::vector<CardId>, Run> runs_;
  /// By place, layers (their number where all are alike) and ends.
  std::map<std::tuple<std::vector<CardId>, CardId, std::uint32_t, std::uint32_t, std::size_t>, Fitted>
      fitted_;
  bool fit_shares_ = true;  ///< whether stages that do not hold their fastest shares are given others
  Value best_;
  std::vector<FoundStage> best_stages_;
};

std::optional<Plan> Search::best() {
  if (!all_cards_together_hold_the_model()) return std::nullopt;
  const auto lists = candidate_card_lists(problem_.cluster);
  const bool prefixes_count = lists.size() == 1;
  // Where memory is short, shares are costly to find: by then the best of the others is known and rules most
  // of them out.
  for (const bool short_of_memory : {false, true}) {
    for (const auto& list : lists) {
      for (std::size_t count = prefixes_count ? 1 : list.size(); count <= list.size(); ++count) {
        const auto cards = std::span(list).first(count);
        if (fits_with_fastest_shares(cards) != short_of_memory) try_one_stage(cards);
      }
    }
  }
  if (allowed_.pipeline_parallel || allowed_.hybrid) {
    for (const bool short_of_memory : {false, true}) {
      fit_shares_ = short_of_memory;
      for (const auto& list : lists) try_stages(list, prefixes_count);
    }
  }
  return as_plan();
}

bool Search::all_cards_together_hold_the_model() const {
  const auto layers = problem_.layers.count(0, layer_count_ - 1);
  const std::uint64_t empty = stage_card_memory(problem_, layers, {}, {}, false).total().value;
  std::uint64_t room = 0;
  for (const CardId card : Network(problem_.cluster).connected_cards()) {
    const std::uint64_t capacity = problem_.cluster.card_at(card).memory_capacity.value.value;
    room += capacity - std::min(capacity, empty);
  }
  const ModelShape& shape = problem_.model.shape;
  const CardShare all = {
      {shape.num_attention_heads, shape.num_key_value_heads}, shape.intermediate_size, shape.vocab_size};
  const CardMemory memory = stage_card_memory(problem_, layers, {true, true}, all, true);
  return memory.total().value - empty <= room;
}

std::optional<Plan> Search::best_one_stage(std::span<const CardId> cards) {
  try_one_stage(cards);
  return as_plan();
}

Run& Search::run_of(std::span<const CardId> cards) {
  const auto key = rates_.cards_are_equal() ? links_.equivalent_cards(cards)
                                            : std::vector<CardId>(cards.begin(), cards.end());
  const auto [entry, is_new] = runs_.try_emplace(key);
  Run& run = entry->second;
  if (!is_new) return run;

  const ShareQuestion as_last{problem_, decode_, key, {true, true}, key.front()};
  const ShareQuestion as_first{problem_, decode_, key, {true, false}, key.front()};
  run.shares = fastest_shares(as_last);
  run.embedding_rows = fastest_shares(as_first).vocabulary_rows;
  const StageParts parts =
      decode_.stage_parts(key, card_shares(problem_.model.shape, run.shares), as_last.ends);
  const double all_reduce = decode_.all_reduce(key).cost.total().count();
  run.seconds_before.assign(1, 0);
  for (const std::uint32_t kind : problem_.layers.kind_of_layer) {
    run.seconds_before.push_back(run.seconds_before.back() + parts.layers[kind].total().count() +
                                 2 * all_reduce);
  }
  run.broadcast_seconds = decode_.broadcast(key).cost.total().count();
  run.embedding_seconds = parts.embedding.total().count();
  run.logits_seconds = parts.logits.total().count();
  run.end_that_fits.fill(std::vector<std::uint32_t>(layer_count_, 0));
  return run;
}

Place Search::place_of(std::span<const CardId> cards, CardId sampling_card) {
  return {&run_of(cards), {cards.begin(), cards.end()}, sampling_card, 0, std::nullopt};
}

double Search::gather_seconds(const Place& place) const {
  if (!place.gather_seconds) {
    const std::uint64_t largest_rows = std::ranges::max(place.run->shares.vocabulary_rows);
    place.gather_seconds =
        decode_.gather(place.sampling_card, place.cards, largest_rows).cost.total().count();
  }
  return *place.gather_seconds;
}

StageShares Search::fastest(const Place& place, StageEnds ends) const {
  StageShares shares = place.run->shares;
  if (!ends.last) {
    shares.vocabulary_rows =
        ends.first ? place.run->embedding_rows : std::vector<std::uint64_t>(place.cards.size());
  }
  return shares;
}

std::uint32_t Search::end_that_fits(const Place& place, std::uint32_t first, StageEnds ends) {
  // Where all layers are alike only their number counts.
  const std::uint32_t asked_first = layers_are_alike() ? 0 : first;
  std::uint32_t& known = place.run->end_that_fits[index_of(ends)][asked_first];
  if (known == 0)
    known = spanker::end_that_fits(question(place, ends), asked_first, fastest(place, ends)) + 1;
  return known - 1 - asked_first + first;
}

const Fitted& Search::fitted(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends) {
  const std::uint32_t skipped = layers_are_alike() ? first : 0;
  const auto [entry, is_new] =
      fitted_.try_emplace({place.cards, place.sampling_card, first - skipped, end - skipped, index_of(ends)});
  Fitted& fitted = entry->second;
  if (!is_new || place.cards.size() == 1) return fitted;
  const auto layers = problem_.layers.count(first, end - 1);
  auto shares = fitting_shares(question(place, ends), layers);
  if (!shares) return fitted;
  const auto by_card = card_shares(problem_.model.shape, *shares);
  Cost cost = decode_.stage_parts(place.cards, by_card, ends).all_layers(layers);
  cost += decode_.all_reduce(place.cards).cost * (2.0 * (end - first));
  if (ends.last) {
    cost += decode_.gather(place.sampling_card, place.cards, std::ranges::max(shares->vocabulary_rows)).cost;
  }
  fitted = {cost.total().count() + place.run->broadcast_seconds, std::move(*shares)};
  return fitted;
}

double Search::fastest_seconds(const Place& place, std::uint32_t first, std::uint32_t end,
                               StageEnds ends) const {
  const Run& run = *place.run;
  double seconds = run.broadcast_seconds + run.seconds_before[end] - run.seconds_before[first];
  if (ends.first) seconds += run.embedding_seconds;
  if (ends.last) seconds += run.logits_seconds + gather_seconds(place);
  return seconds;
}

double Search::stage_seconds(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends,
                             double bound) {
  const double fastest = fastest_seconds(place, first, end, ends);
  if (is_better(bound, fastest)) return kInfinite;
  if (end <= end_that_fits(place, first, ends)) return fastest;
  return fit_shares_ ? fitted(place, first, end, ends).seconds : kInfinite;
}

FoundStage Search::found_stage(const Place& place, std::uint32_t first, std::uint32_t end, StageEnds ends) {
  const bool roomy = end <= end_that_fits(place, first, ends);
  return {first, end, place.cards, roomy ? fastest(place, ends) : fitted(place, first, end, ends).shares};
}

bool Search::fits_with_fastest_shares(std::span<const CardId> cards) {
  return end_that_fits(place_of(cards, cards.front()), 0, {true, true}) == layer_count_;
}

void Search::try_one_stage(std::span<const CardId> cards) {
  if (cards.size() == 1 ? !allowed_.single_card : !allowed_.tensor_parallel) return;
  const Place place = place_of(cards, cards.front());
  constexpr StageEnds kBoth{true, true};
  const double seconds = stage_seconds(place, 0, layer_count_, kBoth, best_.seconds);
  // Equals go to fewer cards, so to what came first; no stages tie with it later.
  if (!is_better(seconds, best_.seconds)) return;
  best_ = {seconds, 0};
  best_stages_ = {found_stage(place, 0, layer_count_, kBoth)};
}

/// Two stages or more on consecutive cards of the list: dynamic programming over (layers done, cards used,
/// whether an earlier stage was on several cards), bounded by the best plan so far.
void Search::try_stages(const std::vector<CardId>& list, bool prefixes_count) {
  const auto card_count = static_cast<std::uint32_t>(list.size());
  if (card_count < 2 || layer_count_ < 2) return;

  std::vector<std::vector<Place>> places(card_count);  // [first card][cards - 1]
  std::vector<double> least_after(layer_count_ + 1, kInfinite);
  double least_boundary = kInfinite;
  const std::uint32_t widest = allowed_.hybrid ? card_count - 1 : 1;
  for (std::uint32_t first = 0; first < card_count; ++first) {
    double boundary = 0;
    if (first > 0) {
      boundary = decode_.boundary(list[first - 1], list[first]).total().count();
      least_boundary = std::min(least_boundary, boundary);
    }
    for (std::uint32_t length = 1; length <= std::min(widest, card_count - first); ++length) {
      places[first].push_back(place_of(std::span(list).subspan(first, length), list.front()));
      places[first].back().boundary_seconds = boundary;
    }
  }
  // Every layer after a point needs at least its share of the quickest run.
  for (std::uint32_t layer = layer_count_ + 1; layer-- > 0;) {
    double least = kInfinite;
    for (const auto& from_card : places) {
      for (const Place& place : from_card) {
        const auto& before = place.run->seconds_before;
        if (layer < layer_count_) least = std::min(least, before[layer + 1] - before[layer]);
      }
    }
    least_after[layer] = layer == layer_count_ ? 0 : least_after[layer + 1] + least;
  }
  if (is_better(best_.seconds, least_after[0] + least_boundary)) return;

  struct Cell {
    Value value;
    std::uint32_t first_layer = 0;
    std::uint32_t first_card = 0;
    bool wide_before = false;
  };
  std::vector<std::array<Cell, 2>> cells((layer_count_ + 1) * (card_count + 1));
  const auto cell = [&](std::uint32_t layer, std::uint32_t card, bool wide) -> Cell& {
    return cells[layer * (card_count + 1) + card][wide ? 1 : 0];
  };
  struct LastStage {
    std::uint32_t layer = 0;
    std::uint32_t card = 0;
    std::uint32_t length = 0;
    bool wide_before = false;
  } last;
  cell(0, 0, false).value = {0, 0};

  const auto extend = [&](std::uint32_t layer, std::uint32_t card, bool wide) {
    const Value before = cell(layer, card, wide).value;
    if (before.seconds == kInfinite || is_better(best_.seconds, before.seconds + least_after[layer])) return;
    for (std::uint32_t length = 1; length <= places[card].size(); ++length) {
      const Place& place = places[card][length - 1];
      const std::uint32_t next_card = card + length;
      const bool now_wide = wide || length > 1;
      const double entered = before.seconds + place.boundary_seconds;
      const bool allowed = now_wide ? allowed_.hybrid : allowed_.pipeline_parallel;
      if (layer > 0 && allowed && (prefixes_count || next_card == card_count)) {
        const double stage =
            stage_seconds(place, layer, layer_count_, {false, true}, best_.seconds - entered);
        const Value value = {entered + stage, std::max(before.slowest_stage, stage)};
        if (is_better(value, best_)) {
          best_ = value;
          last = {layer, card, length, wide};
        }
      }
      if (next_card == card_count) continue;
      for (std::uint32_t next_layer = layer + 1; next_layer < layer_count_; ++next_layer) {
        // More layers take longer and hold more: the first end that is too slow or does not fit ends the
        // loop.
        const double bound = best_.seconds - entered - least_after[next_layer];
        const double stage = stage_seconds(place, layer, next_layer, {layer == 0, false}, bound);
        if (stage == kInfinite) break;
        Cell& next = cell(next_layer, next_card, now_wide);
        const Value value = {entered + stage, std::max(before.slowest_stage, stage)};
        if (is_better(value, next.value)) next = {value, layer, card, wide};
      }
    }
  };
  extend(0, 0, false);
  for (std::uint32_t layer = 1; layer < layer_count_; ++layer) {
    for (std::uint32_t card = 1; card < card_count; ++card) {
      for (const bool wide : {false, true}) extend(layer, card, wide);
    }
  }
  if (last.length == 0) return;

  best_stages_.clear();
  const auto prepend = [&](std::uint32_t first_layer, std::uint32_t end_layer, std::uint32_t card,
                           std::uint32_t length) {
    best_stages_.insert(best_stages_.begin(), found_stage(places[card][length - 1], first_layer, end_layer,
                                                          {first_layer == 0, end_layer == layer_count_}));
  };
  prepend(last.layer, layer_count_, last.card, last.length);
  for (std::uint32_t layer = last.layer, card = last.card, wide = last.wide_before; layer > 0;) {
    const Cell& at = cell(layer, card, wide != 0);
    prepend(at.first_layer, layer, at.first_card, card - at.first_card);
    layer = at.first_layer;
    card = at.first_card;
    wide = at.wide_before;
  }
}

std::optional<Plan> Search::as_plan() const {
  if (best_stages_.empty()) return std::nullopt;
  Plan plan;
  for (const FoundStage& found : best_stages_) {
    plan.stages.push_back({found.first_layer, found.end_layer - 1, found.cards, found.shares, {}, {}});
  }
  choose_collectives(plan, decode_, prefill_);
  return plan;
}

bool is_uniform_ring(const Cluster& cluster, const Network& network) {
  return cluster.topology == Topology::kRing && cluster.cards_are_equal() && network.is_uniform();
}

bool any_cards_serve(const Cluster& cluster, const Network& network) {
  const bool placeless = cluster.topology == Topology::kStar || cluster.topology == Topology::kFullMesh ||
                         cluster.topology == Topology::kLine;
  return placeless && cluster.cards_are_equal() && network.is_uniform();
}

}  // namespace

StrategySet StrategySet::only(PlanStrategy strategy) {
  return {strategy == PlanStrategy::kSingleCard, strategy == PlanStrategy::kTensorParallel,
          strategy == PlanStrategy::kPipelineParallel, strategy == PlanStrategy::kHybrid};
}

bool StrategySet::contains(PlanStrategy strategy) const {
  switch (strategy) {
    case PlanStrategy::kSingleCard:
      return single_card;
    case PlanStrategy::kTensorParallel:
      return tensor_parallel;
    case PlanStrategy::kPipelineParallel:
      return pipeline_parallel;
    case PlanStrategy::kHybrid:
      return hybrid;
  }
  return false;
}

std::optional<Plan> search(const Problem& problem, StrategySet allowed) {
  return Search(problem, allowed).best();
}

std::optional<Plan> search_one_stage(const Problem& problem, std::span<const CardId> cards) {
  return Search(problem, {}).best_one_stage(cards);
}

std::vector<std::vector<CardId>> candidate_card_lists(const Cluster& cluster) {
  const Network network(cluster);
  const std::vector<CardId> cards = network.connected_cards();
  if (cards.size() > kMaxSubsetCards || any_cards_serve(cluster, network)) return {cards};
  std::vector<std::vector<CardId>> lists;
  for (std::uint32_t chosen = 1; chosen < (1u << cards.size()); ++chosen) {
    if (is_uniform_ring(cluster, network) && (chosen & 1u) == 0) continue;
    std::vector<CardId> list;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      if ((chosen >> i & 1u) != 0) list.push_back(cards[i]);
    }
    lists.push_back(std::move(list));
  }
  // Fewer cards first: ties go to them.
  std::ranges::stable_sort(lists, {}, &std::vector<CardId>::size);
  return lists;
}

}  // namespace spanker
