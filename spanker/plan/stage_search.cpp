#include "spanker/plan/stage_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace spanker {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr StageEnds kBothEnds{true, true};

/// A later candidate must be better by more than rounding.
bool is_better(double candidate, double incumbent) { return candidate < incumbent * (1 - 1e-12); }

PieceTotals added(PieceTotals totals, const PieceTotals& piece) {
  totals.seconds += piece.seconds;
  totals.largest = std::max(totals.largest, piece.largest);
  totals.largest_of_second = std::max(totals.largest_of_second, piece.largest_of_second);
  return totals;
}

}  // namespace

/// One stage on one group.
struct StageSearch::Candidate {
  std::size_t place;
  std::size_t group;
  std::uint32_t size;
  double least;  ///< lower bound of its value
};

/// One way to have done some layers on some cards.
struct StageSearch::Label {
  PieceTotals totals;
  // The last stage, and the way to what was before it.
  LayerRange layers;
  std::size_t place = 0;
  std::size_t group = 0;
  std::size_t before = 0;
};

/// The ways to each state: layers done, the place after the last card, whether a stage was wide.
class StageSearch::Table {
 public:
  Table(std::uint32_t layers, std::size_t places, bool keeps_all)
      : places_(places), keeps_all_(keeps_all), cells_((layers + 1) * (places + 1) * 2) {}

  std::vector<std::size_t>& at(std::uint32_t layer, std::size_t place, bool wide) {
    return cells_[(layer * (places_ + 1) + place) * 2 + (wide ? 1 : 0)];
  }
  const Label& label(std::size_t index) const { return labels_[index]; }
  std::size_t add(const Label& label) {
    labels_.push_back(label);
    return labels_.size() - 1;
  }
  /// Keeps the label unless another way to the state is as good.
  void add(std::uint32_t layer, std::size_t place, bool wide, const Label& label) {
    auto& cell = at(layer, place, wide);
    for (const std::size_t other : cell) {
      if (!beats(label.totals, labels_[other].totals)) return;
    }
    std::erase_if(cell, [&](std::size_t other) { return !beats(labels_[other].totals, label.totals); });
    cell.push_back(add(label));
  }

 private:
  /// Whether `a` is better than `b` in some way that counts.
  bool beats(const PieceTotals& a, const PieceTotals& b) const {
    if (is_better(a.seconds, b.seconds)) return true;
    const bool largest = is_better(a.largest, b.largest);
    if (keeps_all_) return largest || is_better(a.largest_of_second, b.largest_of_second);
    return !is_better(b.seconds, a.seconds) && largest;
  }

  std::size_t places_;
  bool keeps_all_;  ///< else only the least seconds count, and the largest piece to tell equals apart
  std::vector<std::vector<std::size_t>> cells_;
  std::vector<Label> labels_;
};

StageSearch::StageSearch(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
                         const CardGroups& groups, const Aim& aim)
    : problem_(problem),
      groups_(groups),
      aim_(aim),
      costs_(problem, rates, links, aim),
      layer_count_(problem.model.shape.num_hidden_layers),
      places_(groups.cards().size()) {
  for (std::size_t place = 0; place < places_.size(); ++place) {
    places_[place].resize(groups.from(place).size());
    quick_layer_.emplace_back(groups.from(place).size());
  }
}

double StageSearch::value(PieceTotals totals, CardId sampling_card) const {
  totals.seconds += costs_.overhead(sampling_card);
  return aim_.value(totals);
}

StagePlace& StageSearch::place_at(std::size_t place, std::size_t group) {
  auto& known = places_[place][group];
  if (!known) {
    auto cards = groups_.cards_of(place, groups_.from(place)[group]);
    const CardId first = cards.front();
    known = costs_.place(std::move(cards), first);
  }
  return *known;
}

StagePlace& StageSearch::place_for(std::size_t place, std::size_t group, CardId sampling_card) {
  StagePlace& found = place_at(place, group);
  if (found.sampling_card != sampling_card) {
    found.sampling_card = sampling_card;
    found.last_end.reset();
  }
  return found;
}

double StageSearch::least_layer(std::size_t place, std::size_t group, std::size_t kind) {
  if (places_[place][group]) return costs_.least_layer(*places_[place][group], kind);
  std::vector<double>& known = quick_layer_[place][group];
  if (known.empty()) {
    const auto cards = groups_.cards_of(place, groups_.from(place)[group]);
    for (std::size_t i = 0; i < problem_.layers.kinds.size(); ++i) {
      known.push_back(costs_.quick_layer(cards, i));
    }
  }
  return known[kind];
}

double StageSearch::least_layers(std::size_t place, std::size_t group) {
  const auto counts = problem_.layers.count(0, layer_count_ - 1);
  double sum = 0;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    sum += counts[kind] * least_layer(place, group, kind);
  }
  return sum;
}

void StageSearch::try_one_stage_on(std::vector<CardId> cards, BestStages& best) {
  StagePlace place = costs_.place(cards, cards.front());
  const LayerRange all{0, layer_count_};
  const auto totals = costs_.fitting(place, all, kBothEnds);
  if (!totals) return;
  best = {value(*totals, cards.front()), 0, {{all, cards, costs_.shares(place, all, kBothEnds)}}};
}

double StageSearch::least_value() {
  std::vector<double> least(problem_.layers.kinds.size(), kInfinite);
  for (const auto& [place, group] : stage_groups()) {
    for (std::size_t kind = 0; kind < least.size(); ++kind) {
      least[kind] = std::min(least[kind], least_layer(place, group, kind));
    }
  }
  const auto counts = problem_.layers.count(0, layer_count_ - 1);
  double sum = 0;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) sum += counts[kind] * least[kind];
  double overhead = kInfinite;
  for (const CardId card : groups_.cards()) overhead = std::min(overhead, costs_.overhead(card));
  return aim_.value({sum + overhead, 0, 0});
}

void StageSearch::try_one_stage(StrategySet allowed, BestStages& best) {
  allowed_ = allowed;
  const LayerRange all{0, layer_count_};
  std::vector<Candidate> candidates;
  const std::size_t first_places = groups_.starts_at_first_card() ? 1 : groups_.cards().size();
  for (std::size_t place = 0; place < first_places; ++place) {
    const auto groups = groups_.from(place);
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (groups[group].size == 1 ? !allowed_.single_card : !allowed_.tensor_parallel) continue;
      const double least = value({least_layers(place, group), 0, 0}, groups_.cards()[place]);
      candidates.push_back({place, group, groups[group].size, least});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.least < b.least; });

  std::uint32_t best_size = 0;
  const auto hopeless = [&](double least) { return is_better(best.value, least); };
  const auto offer = [&](const Candidate& candidate, StagePlace& place, const PieceTotals& totals) {
    const double found = value(totals, place.sampling_card);
    const bool equal = !is_better(found, best.value) && !is_better(best.value, found);
    if (!is_better(found, best.value) && !(equal && candidate.size < best_size)) return;
    best = {found, 0, {{all, place.cards, costs_.shares(place, all, kBothEnds)}}};
    best_size = candidate.size;
  };
  // Where memory is short, shares are costly to find: by then the best of the others is known and rules most
  // of them out.
  std::vector<Candidate> short_of_memory;
  for (Candidate& candidate : candidates) {
    if (hopeless(candidate.least)) break;
    StagePlace& place = place_for(candidate.place, candidate.group, groups_.cards()[candidate.place]);
    candidate.least =
        value({costs_.least_layers(place, all) + costs_.least_beside_layers(place, kBothEnds), 0, 0},
              place.sampling_card);
    if (hopeless(candidate.least)) continue;
    if (costs_.holds_fastest(place, all, kBothEnds)) {
      offer(candidate, place, costs_.fastest(place, all, kBothEnds));
    } else {
      candidate.least = value(costs_.least(place, all, kBothEnds), place.sampling_card);
      short_of_memory.push_back(candidate);
    }
  }
  std::stable_sort(short_of_memory.begin(), short_of_memory.end(),
                   [](const Candidate& a, const Candidate& b) { return a.least < b.least; });
  for (const Candidate& candidate : short_of_memory) {
    if (hopeless(candidate.least)) break;
    StagePlace& place = place_for(candidate.place, candidate.group, groups_.cards()[candidate.place]);
    if (const auto totals = costs_.fitting(place, all, kBothEnds)) offer(candidate, place, *totals);
  }
}

std::vector<std::pair<std::size_t, std::size_t>> StageSearch::stage_groups() const {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  const std::size_t places = groups_.placeless() ? 1 : groups_.cards().size();
  for (std::size_t place = 0; place < places; ++place) {
    const auto groups = groups_.from(place);
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (groups[group].size == 1 || allowed_.hybrid) all.emplace_back(place, group);
    }
  }
  return all;
}

/// With collectives, so that bounds and the first effort know them.
void StageSearch::price_quickest_groups() {
  constexpr std::size_t kFew = 4;
  auto groups = stage_groups();
  const auto least = [&](const auto& at) { return least_layer(at.first, at.second, 0); };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return least(a) < least(b); });
  std::vector<double> quickest;
  for (const auto& [place, group] : groups) {
    if (quickest.size() == kFew && least_layer(place, group, 0) >= quickest.back()) break;
    StagePlace& here = place_at(place, group);
    costs_.price_layer_collectives(here);
    quickest.push_back(costs_.least_layer(here, 0));
    std::ranges::sort(quickest);
    if (quickest.size() > kFew) quickest.pop_back();
  }
  quick_enough_ = quickest.back();
}

void StageSearch::set_bounds() {
  price_quickest_groups();
  const auto all = stage_groups();
  const std::vector<std::uint32_t>& kinds = problem_.layers.kind_of_layer;
  std::vector<double> least(problem_.layers.kinds.size(), kInfinite);
  for (const auto& [place, group] : all) {
    for (std::size_t kind = 0; kind < least.size(); ++kind) {
      least[kind] = std::min(least[kind], least_layer(place, group, kind));
    }
  }
  least_after_.assign(layer_count_ + 1, 0);
  for (std::uint32_t layer = layer_count_; layer-- > 0;) {
    least_after_[layer] = least_after_[layer + 1] + least[kinds[layer]];
  }

  // A first stage has the first layer and a last one the last: what a group is slower there than the quickest
  // comes on top.
  least_first_ = kInfinite;
  least_last_ = kInfinite;
  for (const auto& [place, group] : all) {
    double first = least_layer(place, group, kinds.front()) - least[kinds.front()];
    double last = least_layer(place, group, kinds.back()) - least[kinds.back()];
    if (const auto& known = places_[place][group]) {
      first += costs_.least_beside_layers(*known, {true, false});
      last += costs_.least_beside_layers(*known, {false, true});
    }
    least_first_ = std::min(least_first_, first);
    least_last_ = std::min(least_last_, last);
  }
  least_last_ += costs_.least_far_gather();

  least_boundary_ = kInfinite;
  const auto& cards = groups_.cards();
  const std::size_t places = groups_.placeless() ? 2 : cards.size();
  for (std::size_t from = 0; from < places; ++from) {
    for (std::size_t to = from + 1; to < places; ++to) {
      least_boundary_ = std::min(least_boundary_, costs_.boundary(cards[from], cards[to]).seconds);
    }
  }
}

void StageSearch::try_stages(StrategySet allowed, BestStages& best, bool few_widths) {
  allowed_ = allowed;
  if (groups_.cards().size() < 2 || layer_count_ < 2) return;
  set_bounds();
  const std::size_t starts = groups_.starts_at_first_card() ? 1 : groups_.cards().size() - 1;
  for (const Effort effort : {Effort::kFewGroups, Effort::kFastestShares, Effort::kFittingShares}) {
    for (std::size_t place = 0; place < starts; ++place) try_stages_from(place, effort, best);
    if (few_widths && !best.stages.empty()) break;
  }
}

void StageSearch::try_stages_from(std::size_t first_place, Effort effort, BestStages& best) {
  const auto& cards = groups_.cards();
  const CardId sampling_card = cards[first_place];
  const double overhead = costs_.overhead(sampling_card);
  const auto hopeless = [&](PieceTotals totals) {
    totals.seconds += overhead;
    return is_better(best.value, aim_.value(totals));
  };
  if (hopeless({least_after_[0] + least_boundary_ + least_first_ + least_last_, 0, 0})) return;

  const bool keeps_all = aim_.kind == Aim::Kind::kPeriod || aim_.kind == Aim::Kind::kOwnPorts;
  Table table(layer_count_, cards.size(), keeps_all);
  std::optional<Label> last;

  const auto totals_of = [&](StagePlace& place, LayerRange layers,
                             StageEnds ends) -> std::optional<PieceTotals> {
    if (effort == Effort::kFittingShares) return costs_.fitting(place, layers, ends);
    if (!costs_.holds_fastest(place, layers, ends)) return std::nullopt;
    return costs_.fastest(place, layers, ends);
  };
  const auto finish = [&](const Label& before, std::size_t from, Label label, StagePlace& place) {
    label.layers.end = layer_count_;
    label.before = from;
    const StageEnds ends{false, true};
    const double least = before.totals.seconds + costs_.least_layers(place, label.layers) +
                         costs_.least_beside_layers(place, ends) + costs_.least_far_gather();
    if (hopeless({least, before.totals.largest, before.totals.largest_of_second})) return;
    if (hopeless(added(before.totals, costs_.least(place, label.layers, ends)))) return;
    const auto stage = totals_of(place, label.layers, ends);
    if (!stage) return;
    label.totals = added(before.totals, *stage);
    PieceTotals whole = label.totals;
    whole.seconds += overhead;
    const double found = aim_.value(whole);
    const bool equal = !is_better(found, best.value) && !is_better(best.value, found);
    if (!is_better(found, best.value) && !(equal && is_better(whole.largest, best.slowest_stage))) return;
    best.value = found;
    best.slowest_stage = whole.largest;
    last = label;
  };
  const auto extend = [&](std::uint32_t layer, std::size_t end_place, bool wide, std::size_t from) {
    const bool is_first = layer == 0;
    const std::size_t last_start = groups_.placeless() || is_first ? end_place : cards.size() - 1;
    for (std::size_t start = end_place; start <= last_start && start < cards.size(); ++start) {
      Label before = table.label(from);
      if (!is_first)
        before.totals = added(before.totals, costs_.boundary(cards[end_place - 1], cards[start]));
      if (hopeless({before.totals.seconds + least_after_[layer] + least_last_, before.totals.largest,
                    before.totals.largest_of_second})) {
        continue;
      }
      const auto groups = groups_.from(start);
      for (std::size_t group = 0; group < groups.size(); ++group) {
        const bool is_wide = groups[group].size > 1;
        if (is_wide && !allowed_.hybrid) continue;
        const double here = least_layer(start, group, problem_.layers.kind_of_layer[layer]);
        const double extra = here + least_after_[layer + 1] + (layer + 1 < layer_count_ ? least_last_ : 0);
        if (hopeless(
                {before.totals.seconds + extra, before.totals.largest, before.totals.largest_of_second})) {
          continue;
        }
        const bool is_quick = is_wide ? least_layer(start, group, 0) <= quick_enough_ : true;
        if (effort == Effort::kFewGroups && !is_quick) continue;
        StagePlace& place = place_for(start, group, sampling_card);
        const std::size_t next_place = groups_.end_of(start, groups[group]);
        const bool now_wide = wide || is_wide;
        Label label{{}, {layer, layer}, start, group, from};
        const bool allowed = now_wide ? allowed_.hybrid : allowed_.pipeline_parallel;
        if (!is_first && allowed) finish(before, from, label, place);
        if (next_place == cards.size()) continue;
        double least_here = before.totals.seconds + costs_.least_beside_layers(place, {is_first, false});
        for (std::uint32_t next_layer = layer + 1; next_layer < layer_count_; ++next_layer) {
          // More layers take longer and hold more: the first end that is too slow or does not fit ends the
          // loop.
          least_here += costs_.least_layer(place, problem_.layers.kind_of_layer[next_layer - 1]);
          if (hopeless({least_here + least_after_[next_layer] + least_last_ + least_boundary_,
                        before.totals.largest, before.totals.largest_of_second})) {
            break;
          }
          label.layers.end = next_layer;
          const auto stage = totals_of(place, label.layers, {is_first, false});
          if (!stage) break;
          label.totals = added(before.totals, *stage);
          PieceTotals least = label.totals;
          least.seconds += least_after_[next_layer] + least_last_ + least_boundary_;
          if (hopeless(least)) continue;
          table.add(next_layer, next_place, now_wide, label);
        }
      }
    }
  };
  const std::size_t origin = table.add(Label{});
  extend(0, first_place, false, origin);
  for (std::uint32_t layer = 1; layer < layer_count_; ++layer) {
    for (std::size_t place = 1; place < cards.size(); ++place) {
      for (const bool wide : {false, true}) {
        const auto labels = table.at(layer, place, wide);
        for (const std::size_t label : labels) extend(layer, place, wide, label);
      }
    }
  }
  if (!last) return;

  best.stages.clear();
  for (Label label = *last;; label = table.label(label.before)) {
    StagePlace& place = place_for(label.place, label.group, sampling_card);
    const StageEnds ends{label.layers.first == 0, label.layers.end == layer_count_};
    best.stages.insert(best.stages.begin(),
                       {label.layers, place.cards, costs_.shares(place, label.layers, ends)});
    if (ends.first) break;
  }
}

}  // namespace spanker
