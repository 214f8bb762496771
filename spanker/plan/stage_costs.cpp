#include "spanker/plan/stage_costs.hpp"

#include <algorithm>
#include <cmath>

#include "spanker/plan/load.hpp"

namespace spanker {

struct StageRun {
  struct OfPass {
    std::vector<double> seconds_before;  ///< by layer: all layers before it, without their collectives
    double embedding = 0;
    double least_logits = 0;
    double all_reduce = 0;
    double broadcast = 0;
  };

  std::vector<CardId> cards;
  FastestShares fastest;
  std::vector<std::uint64_t> embedding_rows;  ///< as a first stage that is not last deals them
  std::vector<OfPass> passes;
  std::vector<double> least_layer;  ///< by kind, by the aim's sum, without collectives
  bool collectives_priced = false;
  /// By ends and first layer: how far layers fit with the fastest shares; 0 where not asked yet.
  std::array<std::vector<std::uint32_t>, 4> end_that_fits;
  /// The same cards with shares for a mix of layers of several kinds, by the number of each.
  std::map<std::vector<std::uint32_t>, std::unique_ptr<StageRun>> for_mix;
};

namespace {

std::size_t index_of(StageEnds ends) { return (ends.first ? 2u : 0u) + (ends.last ? 1u : 0u); }

}  // namespace

StageCosts::StageCosts(const Problem& problem, const ClusterRates& rates, CollectivePricer& links,
                       const Aim& aim)
    : problem_(problem),
      rates_(rates),
      links_(links),
      aim_(aim),
      pricers_([&] {
        std::vector<PassPricer> pricers;
        for (const WeighedPass& each : aim.passes) pricers.emplace_back(problem, rates, links, each.pass);
        return pricers;
      }()),
      share_costs_(problem, rates, aim, pricers_),
      all_layers_(problem.layers.count(0, problem.model.shape.num_hidden_layers - 1)) {
  least_far_gather_ = price_far_gather();
  if (aim.kind == Aim::Kind::kSession) load_seconds_per_byte_ = 1 / rates.host_link().bandwidth.value;
}

StageCosts::~StageCosts() = default;

template <class Seconds>
StageCosts::ByPass StageCosts::by_pass(const Seconds& seconds) const {
  ByPass all{};
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) all[pass] = seconds(pass);
  return all;
}

double StageCosts::weighed(const ByPass& by_pass) const {
  if (aim_.kind == Aim::Kind::kPeriod) return by_pass[0];
  double sum = 0;
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) sum += aim_.passes[pass].weight * by_pass[pass];
  return sum;
}

PieceTotals StageCosts::combined(const ByPass& by_pass) const {
  const double sum = weighed(by_pass);
  return {sum, sum, by_pass[1]};
}

double StageCosts::overhead(CardId sampling_card) const {
  const ByPass seconds =
      by_pass([&](std::size_t pass) { return pricers_[pass].pass_overhead(sampling_card).total().count(); });
  return weighed(seconds) + (aim_.weighs_load() ? rates_.host_link().latency.count() : 0);
}

PieceTotals StageCosts::boundary(CardId from, CardId to) const {
  PieceTotals totals =
      combined(by_pass([&](std::size_t pass) { return pricers_[pass].boundary(from, to).total().count(); }));
  if (aim_.kind == Aim::Kind::kOwnPorts) totals.largest = 0;
  return totals;
}

StagePlace StageCosts::place(std::vector<CardId> cards, CardId sampling_card) {
  StageRun& run = run_of(cards);
  return {std::move(cards), sampling_card, &run, std::nullopt};
}

ShareQuestion StageCosts::question(const StagePlace& place, StageEnds ends,
                                   std::span<const std::uint32_t> layers) const {
  return {share_costs_, place.cards, ends, place.sampling_card, layers, least_bytes()};
}

StageRun& StageCosts::run_of(const std::vector<CardId>& cards) {
  const auto key = rates_.cards_are_equal() ? links_.equivalent_cards(cards) : cards;
  std::unique_ptr<StageRun>& entry = runs_[key];
  if (entry) return *entry;
  entry = std::make_unique<StageRun>();
  StageRun& run = *entry;
  run.cards = key;
  run.fastest = fastest_shares({share_costs_, key, {true, true}, key.front(), all_layers_, least_bytes()});
  run.embedding_rows =
      fastest_rows({share_costs_, key, {true, false}, key.front(), all_layers_, least_bytes()});
  price_layers(run);
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) {
    run.passes[pass].least_logits = least_logits(key, pass);
  }
  const std::size_t kinds = problem_.layers.kinds.size();
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    const ByPass seconds =
        by_pass([&](std::size_t pass) { return run.fastest.least_layer_seconds[pass * kinds + kind]; });
    run.least_layer.push_back(weighed(seconds) + layer_load(kind));
  }
  return run;
}

void StageCosts::price_layers(StageRun& run) const {
  const auto shares = card_shares(problem_.model.shape, run.fastest.shares);
  run.passes.clear();
  for (const PassPricer& pricer : pricers_) {
    const StageParts parts = pricer.stage_parts(run.cards, shares, {true, false});
    StageRun::OfPass& pass = run.passes.emplace_back();
    pass.embedding = parts.embedding.total().count();
    pass.seconds_before.assign(1, 0);
    for (const std::uint32_t kind : problem_.layers.kind_of_layer) {
      pass.seconds_before.push_back(pass.seconds_before.back() + parts.layers[kind].total().count());
    }
  }
  run.end_that_fits.fill(std::vector<std::uint32_t>(problem_.model.shape.num_hidden_layers, 0));
}

void StageCosts::price_run_collectives(StageRun& run) const {
  if (run.collectives_priced) return;
  run.collectives_priced = true;
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) {
    run.passes[pass].all_reduce = pricers_[pass].all_reduce(run.cards).cost.total().count();
    run.passes[pass].broadcast = pricers_[pass].broadcast(run.cards).cost.total().count();
  }
}

StageRun& StageCosts::run_for(StagePlace& place, LayerRange layers) {
  StageRun& run = *place.run;
  price_run_collectives(run);
  if (run.fastest.for_every_mix) return run;
  const auto counts = problem_.layers.count(layers.first, layers.end - 1);
  std::unique_ptr<StageRun>& entry = run.for_mix[counts];
  if (entry) return *entry;
  entry = std::make_unique<StageRun>();
  StageRun& mixed = *entry;
  mixed.cards = run.cards;
  mixed.fastest =
      fastest_shares({share_costs_, run.cards, {true, true}, run.cards.front(), counts, least_bytes()});
  mixed.embedding_rows = run.embedding_rows;
  price_layers(mixed);
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) {
    mixed.passes[pass].least_logits = run.passes[pass].least_logits;
  }
  price_run_collectives(mixed);
  return mixed;
}

double StageCosts::layer_load(std::size_t kind) const {
  const ModelShape& shape = problem_.model.shape;
  const LayerTensors& layer = problem_.layers.kinds[kind];
  const CardShare whole = whole_share(shape, {});
  const Bytes stored =
      attention_weight_bytes(shape, layer, whole.heads) + ffn_weight_bytes(layer, whole.ffn_columns);
  return static_cast<double>(stored.value) * load_seconds_per_byte_;
}

StageCosts::UnitSeconds StageCosts::unit_seconds(std::size_t pass, std::size_t kind, CardId card) const {
  const CardId example = share_costs_.example(card);
  const auto [entry, is_new] = unit_seconds_.try_emplace({pass, kind, example});
  if (!is_new) return entry->second;
  const CostAxis axis{pass, kind, 1};
  double heads = share_costs_.head_seconds(axis, example, 0, 1);
  for (Units count = 1; count <= share_costs_.head_units(); ++count) {
    heads = std::min(heads, share_costs_.head_seconds(axis, example, 0, count) / static_cast<double>(count));
  }
  // A fixed part and one that grows with the columns: all of them share the fixed part best.
  const Units columns = share_costs_.column_units();
  const Units rows = share_costs_.row_units();
  entry->second = {heads, share_costs_.column_seconds(axis, example, columns) / static_cast<double>(columns),
                   share_costs_.row_seconds(axis, example, rows) / static_cast<double>(rows)};
  return entry->second;
}

/// Known where cards stand side by side on uniform wiring.
double StageCosts::least_all_reduces(std::size_t pass, std::span<const CardId> cards) const {
  const bool side_by_side = cards.back() - cards.front() + 1 == cards.size();
  return side_by_side ? 2 * pricers_[pass].least_all_reduce(cards.size()).count() : 0;
}

double StageCosts::quick_layer(std::span<const CardId> cards, std::size_t kind) const {
  const auto heads = static_cast<double>(share_costs_.head_units());
  const auto columns = static_cast<double>(share_costs_.column_units());
  const auto count = static_cast<double>(cards.size());
  const ByPass seconds = by_pass([&](std::size_t pass) {
    if (rates_.cards_are_equal()) {
      const UnitSeconds unit = unit_seconds(pass, kind, cards.front());
      return std::ceil(heads / count) * unit.heads + std::ceil(columns / count) * unit.columns +
             least_all_reduces(pass, cards);
    }
    double heads_per_second = 0;
    double columns_per_second = 0;
    for (const CardId card : cards) {
      const UnitSeconds unit = unit_seconds(pass, kind, card);
      heads_per_second += 1 / unit.heads;
      columns_per_second += 1 / unit.columns;
    }
    return heads / heads_per_second + columns / columns_per_second + least_all_reduces(pass, cards);
  });
  // Rounding must not lift a bound above what it bounds.
  return weighed(seconds) * (1 - 1e-12) + layer_load(kind);
}

double StageCosts::least_logits(std::span<const CardId> cards, std::size_t pass) const {
  double rows_per_second = 0;
  for (const CardId card : cards) rows_per_second += 1 / unit_seconds(pass, 0, card).rows;
  return static_cast<double>(share_costs_.row_units()) / rows_per_second * (1 - 1e-12);
}

double StageCosts::least_layer(const StagePlace& place, std::size_t kind) const {
  const StageRun& run = *place.run;
  return run.least_layer[kind] +
         weighed(by_pass([&](std::size_t pass) { return 2 * run.passes[pass].all_reduce; }));
}

double StageCosts::least_layers(const StagePlace& place, LayerRange layers) const {
  const auto counts = problem_.layers.count(layers.first, layers.end - 1);
  double sum = 0;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) sum += counts[kind] * least_layer(place, kind);
  return sum;
}

double StageCosts::least_beside_layers(const StagePlace& place, StageEnds ends) const {
  const ByPass all = by_pass([&](std::size_t pass) {
    const StageRun::OfPass& known = place.run->passes[pass];
    double seconds = known.broadcast;
    if (ends.first) seconds += known.embedding;
    if (ends.last) seconds += known.least_logits;
    return seconds;
  });
  const CardShare rows{{}, 0, whole_share(problem_.model.shape, ends).vocabulary_rows};
  const Bytes stored = stage_card_memory(problem_, {}, ends, rows, false).weight_bytes;
  return weighed(all) + static_cast<double>(stored.value) * load_seconds_per_byte_;
}

double StageCosts::price_far_gather() const {
  // All rows come in by the card's own links.
  const Network& network = rates_.network();
  double fastest = 0;
  for (LinkId id = 0; id < network.link_count(); ++id) {
    fastest = std::max(fastest, rates_.link(id).bandwidth.value);
    if (network.is_uniform()) break;
  }
  const ByPass seconds = by_pass([&](std::size_t pass) {
    const Payload rows{aim_.passes[pass].pass.streams * problem_.model.shape.vocab_size,
                       problem_.workload.link_type};
    const double bytes = static_cast<double>(rows.units() * rows.unit_bytes().value);
    return bytes / (fastest * static_cast<double>(network.most_neighbours()));
  });
  return weighed(seconds) * (1 - 1e-12);
}

void StageCosts::price_layer_collectives(StagePlace& place) { price_run_collectives(*place.run); }

const StagePlace::LastEnd& StageCosts::last_end(StagePlace& place, StageEnds ends) {
  if (place.last_end) return *place.last_end;
  place.last_end.emplace();
  StagePlace::LastEnd& last = *place.last_end;
  last.rows = fastest_rows(question(place, ends, all_layers_));
  for (const PassPricer& pricer : pricers_) {
    Cost slowest;
    for (std::size_t i = 0; i < place.cards.size(); ++i) {
      const Cost cost = pricer.logits(place.cards[i], last.rows[i]);
      if (cost.total() > slowest.total()) slowest = cost;
    }
    const std::uint64_t largest = std::ranges::max(last.rows);
    slowest += pricer.gather(place.sampling_card, place.cards, largest).cost;
    last.seconds.push_back(slowest.total().count());
  }
  return last;
}

void StageCosts::add_load(PieceTotals& totals, const StagePlace& place, LayerRange layers, StageEnds ends,
                          const StageShares& shares) const {
  if (!aim_.weighs_load()) return;
  const StageLoad load = stage_load(problem_, rates_, links_, place.cards, ends,
                                    problem_.layers.count(layers.first, layers.end - 1),
                                    card_shares(problem_.model.shape, shares));
  if (aim_.kind == Aim::Kind::kSession) {
    totals.seconds += load.seconds.count();
    totals.largest = totals.seconds;
  } else {
    totals.largest = (load.largest / rates_.host_link().bandwidth).count();
  }
}

StageShares StageCosts::fastest_shares_of(StagePlace& place, const StageRun& run, StageEnds ends) {
  StageShares shares = run.fastest.shares;
  if (ends.last) {
    shares.vocabulary_rows = last_end(place, ends).rows;
  } else {
    shares.vocabulary_rows = ends.first ? run.embedding_rows : std::vector<std::uint64_t>(run.cards.size());
  }
  return shares;
}

PieceTotals StageCosts::fastest_passes(StagePlace& place, LayerRange layers, StageEnds ends) {
  const StageRun& run = run_for(place, layers);
  return combined(by_pass([&](std::size_t pass) {
    const StageRun::OfPass& known = run.passes[pass];
    double seconds = known.broadcast + known.seconds_before[layers.end] - known.seconds_before[layers.first] +
                     2.0 * (layers.end - layers.first) * known.all_reduce;
    if (ends.first) seconds += known.embedding;
    if (ends.last) seconds += last_end(place, ends).seconds[pass];
    return seconds;
  }));
}

PieceTotals StageCosts::fastest(StagePlace& place, LayerRange layers, StageEnds ends) {
  PieceTotals totals = fastest_passes(place, layers, ends);
  if (aim_.weighs_load()) {
    add_load(totals, place, layers, ends, fastest_shares_of(place, run_for(place, layers), ends));
  }
  return totals;
}

PieceTotals StageCosts::least(StagePlace& place, LayerRange layers, StageEnds ends) {
  PieceTotals totals = fastest_passes(place, layers, ends);
  if (aim_.kind == Aim::Kind::kOwnPorts) totals.largest = 0;
  if (load_seconds_per_byte_ > 0) {
    const Bytes once = stage_card_memory(problem_, problem_.layers.count(layers.first, layers.end - 1), ends,
                                         whole_share(problem_.model.shape, ends), false)
                           .weight_bytes;
    totals.seconds += static_cast<double>(once.value) * load_seconds_per_byte_ * (1 - 1e-12);
    totals.largest = totals.seconds;
  }
  return totals;
}

bool StageCosts::holds_fastest(StagePlace& place, LayerRange layers, StageEnds ends) {
  StageRun& run = run_for(place, layers);
  // Where all layers are alike only their number counts.
  const std::uint32_t skipped = problem_.layers.kinds.size() == 1 ? layers.first : 0;
  const std::uint32_t first = layers.first - skipped;
  std::uint32_t& known = run.end_that_fits[index_of(ends)][first];
  if (known == 0) {
    known = 1 + end_that_fits(problem_, place.cards, ends, place.sampling_card, first,
                              fastest_shares_of(place, run, ends));
  }
  return layers.end - skipped < known;
}

const StageCosts::Fitted& StageCosts::fitted(StagePlace& place, LayerRange range, StageEnds ends) {
  auto layers = problem_.layers.count(range.first, range.end - 1);
  const auto [entry, is_new] =
      fitted_.try_emplace({place.cards, place.sampling_card, layers, ends.first, ends.last});
  Fitted& fitted = entry->second;
  if (!is_new) return fitted;
  fitted.shares = fitting_shares(question(place, ends, layers));
  if (!fitted.shares) return fitted;
  const auto shares = card_shares(problem_.model.shape, *fitted.shares);
  const StageRun& run = run_for(place, range);
  fitted.totals = combined(by_pass([&](std::size_t pass) {
    const StageRun::OfPass& known = run.passes[pass];
    double seconds = known.broadcast + 2.0 * (range.end - range.first) * known.all_reduce +
                     pricers_[pass].stage_parts(place.cards, shares, ends).all_layers(layers).total().count();
    if (ends.last) {
      seconds +=
          pricers_[pass]
              .gather(place.sampling_card, place.cards, std::ranges::max(fitted.shares->vocabulary_rows))
              .cost.total()
              .count();
    }
    return seconds;
  }));
  add_load(fitted.totals, place, range, ends, *fitted.shares);
  return fitted;
}

std::optional<PieceTotals> StageCosts::fitting(StagePlace& place, LayerRange layers, StageEnds ends) {
  if (holds_fastest(place, layers, ends)) return fastest(place, layers, ends);
  // A card alone has no other shares.
  if (place.cards.size() == 1) return std::nullopt;
  const Fitted& found = fitted(place, layers, ends);
  return found.shares ? std::optional(found.totals) : std::nullopt;
}

StageShares StageCosts::shares(StagePlace& place, LayerRange layers, StageEnds ends) {
  if (holds_fastest(place, layers, ends)) return fastest_shares_of(place, run_for(place, layers), ends);
  return *fitted(place, layers, ends).shares;
}

}  // namespace spanker
