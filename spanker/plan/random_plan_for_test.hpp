#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "spanker/plan/problem.hpp"

/// Plans that no search would find, for what must hold for every plan. Only within a property.
namespace spanker::testing {

/// `total` in units of `unit` (the last piece may be smaller), dealt in order; some may get none.
template <class T>
std::vector<T> random_deal(T total, T unit, std::size_t cards) {
  const T units = (total + unit - 1) / unit;
  std::vector<T> cuts = *rc::gen::container<std::vector<T>>(cards - 1, rc::gen::inRange<T>(0, units + 1));
  std::sort(cuts.begin(), cuts.end());
  cuts.push_back(units);
  std::vector<T> shares;
  T dealt = 0;
  for (const T cut : cuts) {
    const T end = std::min<T>(cut * unit, total);
    shares.push_back(end - dealt);
    dealt = end;
  }
  return shares;
}

inline StageCollectives random_collectives() {
  const auto any_of = [](Collective collective) {
    const auto algorithms = algorithms_of(collective);
    return algorithms[*rc::gen::inRange<std::size_t>(0, algorithms.size())];
  };
  return {any_of(Collective::kAllReduce), any_of(Collective::kBroadcast)};
}

/// A plan over some of the cards in any order, in any stages, with any shares and algorithms. Valid where the
/// cards hold it and links join them.
inline Plan random_plan(const Problem& problem) {
  const ModelShape& shape = problem.model.shape;
  std::vector<CardId> cards(problem.cluster.card_count);
  std::iota(cards.begin(), cards.end(), CardId{0});
  for (std::size_t i = cards.size(); i > 1; --i) {
    std::swap(cards[i - 1], cards[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  cards.resize(*rc::gen::inRange<std::size_t>(1, cards.size() + 1));
  const auto stages =
      *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(cards.size(), shape.num_hidden_layers) + 1);
  const auto cut = [](std::size_t pieces, std::size_t total) {
    std::vector<std::size_t> sizes(pieces, 1);
    for (std::size_t left = total - pieces; left > 0; --left) {
      ++sizes[*rc::gen::inRange<std::size_t>(0, pieces)];
    }
    return sizes;
  };
  const auto card_counts = cut(stages, cards.size());
  const auto layer_counts = cut(stages, shape.num_hidden_layers);

  Plan plan;
  std::size_t first_card = 0;
  std::uint32_t first_layer = 0;
  for (std::size_t i = 0; i < stages; ++i) {
    Stage stage;
    const std::size_t count = card_counts[i];
    stage.first_layer = first_layer;
    stage.last_layer = first_layer + static_cast<std::uint32_t>(layer_counts[i]) - 1;
    first_layer = stage.last_layer + 1;
    stage.cards.assign(cards.begin() + static_cast<std::ptrdiff_t>(first_card),
                       cards.begin() + static_cast<std::ptrdiff_t>(first_card + count));
    first_card += count;
    stage.shares.query_heads = random_deal(shape.num_attention_heads, problem.head_unit, count);
    stage.shares.ffn_columns =
        random_deal<std::uint64_t>(shape.intermediate_size, problem.column_unit, count);
    stage.shares.vocabulary_rows.assign(count, 0);
    if (i == 0 || i + 1 == stages) {
      stage.shares.vocabulary_rows = random_deal<std::uint64_t>(shape.vocab_size, problem.row_unit, count);
    }
    stage.decode = random_collectives();
    stage.prefill = random_collectives();
    plan.stages.push_back(std::move(stage));
  }
  const auto gathers = algorithms_of(Collective::kGather);
  plan.gather = gathers[*rc::gen::inRange<std::size_t>(0, gathers.size())];
  return plan;
}

}  // namespace spanker::testing
