#include "spanker/plan/share_costs.hpp"

#include <algorithm>
#include <span>
#include <tuple>

namespace spanker {
namespace {

/// Whether the same share costs the same by both: where compute is not modelled, bytes alone matter.
bool cost_alike(std::span<const Operator> a, std::span<const Operator> b, bool compute_matters) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Operator& x, const Operator& y) {
    return x.bytes == y.bytes && (!compute_matters || x.ops == y.ops);
  });
}

/// For each of `count` things the first that is like it.
template <class Alike>
std::vector<std::size_t> first_alike(std::size_t count, const Alike& alike) {
  std::vector<std::size_t> first(count);
  for (std::size_t i = 0; i < count; ++i) {
    while (!alike(first[i], i)) ++first[i];
  }
  return first;
}

std::vector<CostAxis> axes_of(const Aim& aim, std::span<const std::uint32_t> layers,
                              std::span<const std::pair<std::size_t, std::size_t>> same) {
  std::vector<CostAxis> axes;
  for (std::size_t i = 0; i < same.size(); ++i) {
    const double weight = aim.passes[i / layers.size()].weight * layers[i % layers.size()];
    if (weight == 0) continue;
    auto axis = std::ranges::find_if(
        axes, [&](const CostAxis& known) { return std::pair(known.pass, known.kind) == same[i]; });
    if (axis == axes.end()) axis = axes.insert(axes.end(), {same[i].first, same[i].second, 0});
    axis->weight += weight;
  }
  return axes;
}

}  // namespace

ShareCosts::ShareCosts(const Problem& problem, const ClusterRates& rates, const Aim& aim,
                       std::span<const PassPricer> pricers)
    : problem_(problem),
      aim_(aim),
      pricers_(pricers),
      kinds_(problem.layers.kinds.size()),
      head_units_(problem.model.shape.num_attention_heads / problem.head_unit),
      column_units_(problem.model.shape.intermediate_size / problem.column_unit),
      row_units_((problem.model.shape.vocab_size + problem.row_unit - 1) / problem.row_unit),
      last_piece_(problem.model.shape.vocab_size % problem.row_unit),
      card_count_(rates.cards_are_equal() ? 1 : rates.card_count()),
      head_tables_(aim.passes.size() * kinds_ * card_count_),
      column_seconds_(head_tables_.size(), column_units_ + 1),
      row_seconds_(head_tables_.size(), row_steps() + 1) {
  const auto computes = [&](CardId card) {
    return rates.card(card).compute.value < std::numeric_limits<double>::infinity();
  };
  bool compute_matters = computes(0);
  if (!rates.cards_are_equal()) {
    for (CardId card = 0; card < rates.card_count(); ++card) {
      compute_matters |= computes(card);
      CardId first = 0;
      while (!rates.card(first).performs_like(rates.card(card))) ++first;
      examples_.push_back(first);
    }
  }
  const ModelShape& shape = problem.model.shape;
  straddles_.resize((head_units_ + 1) * (head_units_ + 1));
  for (Units first = 0; first <= head_units_; ++first) {
    for (Units count = 1; first + count <= head_units_; ++count) {
      const HeadShare share = head_share(shape, static_cast<std::uint32_t>(first) * problem.head_unit,
                                         static_cast<std::uint32_t>(count) * problem.head_unit);
      straddles_[first * (head_units_ + 1) + count] =
          share.key_value_heads > heads(count, false).key_value_heads;
    }
  }
  const HeadShare all_heads = {shape.num_attention_heads, shape.num_key_value_heads};
  const auto pass = [&](std::size_t i) { return aim.passes[i / kinds_].pass; };
  const auto layer = [&](std::size_t i) -> const LayerTensors& { return problem.layers.kinds[i % kinds_]; };
  const auto as_pairs = [&](const std::vector<std::size_t>& firsts) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (const std::size_t first : firsts) pairs.emplace_back(first / kinds_, first % kinds_);
    return pairs;
  };
  const std::size_t count = aim.passes.size() * kinds_;
  attention_same_ = as_pairs(first_alike(count, [&](std::size_t i, std::size_t j) {
    return cost_alike(attention_operators(shape, layer(i), all_heads, pass(i)),
                      attention_operators(shape, layer(j), all_heads, pass(j)), compute_matters);
  }));
  ffn_same_ = as_pairs(first_alike(count, [&](std::size_t i, std::size_t j) {
    return cost_alike(ffn_operators(layer(i), shape.intermediate_size, pass(i)),
                      ffn_operators(layer(j), shape.intermediate_size, pass(j)), compute_matters);
  }));
  logits_same_ = first_alike(aim.passes.size(), [&](std::size_t i, std::size_t j) {
    return cost_alike(logits_operators(problem.model, shape.vocab_size, aim.passes[i].pass),
                      logits_operators(problem.model, shape.vocab_size, aim.passes[j].pass), compute_matters);
  });
}

std::vector<CostAxis> ShareCosts::attention_axes(std::span<const std::uint32_t> layers) const {
  return axes_of(aim_, layers, attention_same_);
}

std::vector<CostAxis> ShareCosts::ffn_axes(std::span<const std::uint32_t> layers) const {
  return axes_of(aim_, layers, ffn_same_);
}

std::vector<CostAxis> ShareCosts::logits_axes() const {
  std::vector<CostAxis> axes;
  for (std::size_t pass = 0; pass < logits_same_.size(); ++pass) {
    if (logits_same_[pass] == pass) axes.push_back({pass, 0, 0});
    std::ranges::find(axes, logits_same_[pass], &CostAxis::pass)->weight += aim_.passes[pass].weight;
  }
  return axes;
}

HeadShare ShareCosts::heads(Units count, bool straddles) const {
  const ModelShape& shape = problem_.model.shape;
  const std::uint32_t query_heads = static_cast<std::uint32_t>(count) * problem_.head_unit;
  const std::uint32_t group = shape.num_attention_heads / shape.num_key_value_heads;
  return {query_heads, (query_heads + group - 1) / group + (straddles ? 1 : 0)};
}

void ShareCosts::fill(HeadTable& table, const CostAxis& axis, CardId card) const {
  const LayerTensors& layer = problem_.layers.kinds[axis.kind];
  table.seconds.assign(2 * (head_units_ + 1), 0);
  for (Units count = 1; count <= head_units_; ++count) {
    for (const bool straddles : {false, true}) {
      HeadShare share = heads(count, straddles);
      share.key_value_heads = std::min(share.key_value_heads, problem_.model.shape.num_key_value_heads);
      const double seconds = pricers_[axis.pass].attention(card, layer, share).total().count();
      table.seconds[2 * count + (straddles ? 1 : 0)] = seconds;
      table.sorted.push_back(seconds);
    }
  }
  std::ranges::sort(table.sorted);
}

double ShareCosts::head_seconds(const CostAxis& axis, CardId card, Units first, Units count) const {
  return head_table(axis, card).seconds[head_place(first, count)];
}

const std::vector<double>& ShareCosts::head_seconds_of_any_share(const CostAxis& axis, CardId card) const {
  return head_table(axis, card).sorted;
}

double ShareCosts::column_seconds(const CostAxis& axis, CardId card, Units count) const {
  return column_seconds_.at(table_of(axis, card), count, [&] {
    return pricers_[axis.pass].ffn(card, problem_.layers.kinds[axis.kind], columns(count)).total().count();
  });
}

double ShareCosts::row_seconds(const CostAxis& axis, CardId card, RowStep step) const {
  return row_seconds_.at(table_of(axis, card), step, [&] {
    return pricers_[axis.pass].logits(card, rows_of_step(step)).total().count();
  });
}

double ShareCosts::gather_seconds(CardId sampling_card, std::span<const CardId> cards,
                                  RowStep largest) const {
  double seconds = 0;
  for (std::size_t pass = 0; pass < pricers_.size(); ++pass) {
    seconds += aim_.passes[pass].weight *
               pricers_[pass].gather(sampling_card, cards, rows_of_step(largest)).cost.total().count();
  }
  return seconds;
}

}  // namespace spanker
