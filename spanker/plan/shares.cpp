#include "spanker/plan/shares.hpp"

#include <algorithm>
#include <functional>

namespace spanker {
namespace {

std::uint64_t divided_up(std::uint64_t total, std::uint64_t unit) { return (total + unit - 1) / unit; }

/// `units` over `count` receivers, sizes differing by at most one, the larger ones first.
std::vector<std::uint64_t> even(std::uint64_t units, std::size_t count) {
  std::vector<std::uint64_t> shares(count, units / count);
  for (std::size_t i = 0; i < units % count; ++i) ++shares[i];
  return shares;
}

/// Whole units as a count of elements, of which there are `total`: the last unit may be smaller.
std::vector<std::uint64_t> as_elements(const std::vector<std::uint64_t>& units, std::uint64_t unit,
                                       std::uint64_t total) {
  std::vector<std::uint64_t> elements;
  std::uint64_t dealt = 0;
  for (const std::uint64_t share : units) {
    const std::uint64_t end = std::min(total, dealt + share * unit);
    elements.push_back(end - dealt);
    dealt = end;
  }
  return elements;
}

/// Deals `units` so that the largest cost(card, units) is least; cost must not fall as units grow. The least
/// bound is the cost of some count on some card, so each card's counts are searched for the first that serves
/// as a bound for all.
std::vector<std::uint64_t> least_slowest(std::uint64_t units, std::size_t cards,
                                         const std::function<Seconds(std::size_t, std::uint64_t)>& cost) {
  const auto most_within = [&](std::size_t card, Seconds bound) {
    std::uint64_t low = 0;
    std::uint64_t high = units;
    while (low < high) {
      const std::uint64_t middle = low + (high - low + 1) / 2;
      if (cost(card, middle) <= bound) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  };
  const auto serves = [&](Seconds bound) {
    std::uint64_t dealt = 0;
    for (std::size_t card = 0; card < cards && dealt < units; ++card) dealt += most_within(card, bound);
    return dealt >= units;
  };
  Seconds best = cost(0, units);
  for (std::size_t card = 0; card < cards; ++card) {
    std::uint64_t low = 0;
    std::uint64_t high = units + 1;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (middle > units || cost(card, middle) >= best || serves(cost(card, middle))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    if (low <= units) best = std::min(best, cost(card, low));
  }
  std::vector<std::uint64_t> shares;
  std::uint64_t left = units;
  for (std::size_t card = 0; card < cards; ++card) {
    shares.push_back(std::min(left, most_within(card, best)));
    left -= shares.back();
  }
  return shares;
}

bool cards_are_alike(const ShareQuestion& question) {
  const Cluster& cluster = question.problem.cluster;
  return std::ranges::all_of(question.cards, [&](CardId card) {
    return cluster.card_at(card) == cluster.card_at(question.cards.front());
  });
}

Seconds attention_seconds(const ShareQuestion& question, std::span<const std::uint32_t> layers, CardId card,
                          HeadShare share) {
  Seconds seconds{0};
  for (std::size_t kind = 0; kind < layers.size(); ++kind) {
    seconds +=
        question.pricer.attention(card, question.problem.layers.kinds[kind], share).total() * layers[kind];
  }
  return seconds;
}

Seconds ffn_seconds(const ShareQuestion& question, std::span<const std::uint32_t> layers, CardId card,
                    std::uint64_t columns) {
  Seconds seconds{0};
  for (std::size_t kind = 0; kind < layers.size(); ++kind) {
    seconds += question.pricer.ffn(card, question.problem.layers.kinds[kind], columns).total() * layers[kind];
  }
  return seconds;
}

/// What a card needs for a number of heads depends on where its first head lies in its group: this many
/// key/value heads at least, and one more where it straddles.
std::vector<Seconds> attention_bounds(const ShareQuestion& question, std::span<const std::uint32_t> layers) {
  const ModelShape& shape = question.problem.model.shape;
  const std::uint32_t unit = question.problem.head_unit;
  std::vector<Seconds> bounds = {Seconds(0)};
  const std::size_t distinct_cards = cards_are_alike(question) ? 1 : question.cards.size();
  for (std::size_t i = 0; i < distinct_cards; ++i) {
    for (std::uint32_t heads = unit; heads <= shape.num_attention_heads; heads += unit) {
      std::uint32_t previous = 0;
      for (std::uint32_t first = 0; first + heads <= shape.num_attention_heads; first += unit) {
        const HeadShare share = head_share(shape, first, heads);
        if (share.key_value_heads == previous) continue;
        previous = share.key_value_heads;
        bounds.push_back(attention_seconds(question, layers, question.cards[i], share));
      }
    }
  }
  std::ranges::sort(bounds);
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

/// Gives each card in turn as many heads as it can do within `bound`: more heads dealt never leave more to
/// do.
std::vector<std::uint32_t> deal_heads(const ShareQuestion& question, std::span<const std::uint32_t> layers,
                                      Seconds bound) {
  const ModelShape& shape = question.problem.model.shape;
  const std::uint32_t unit = question.problem.head_unit;
  std::vector<std::uint32_t> heads;
  std::uint32_t first = 0;
  for (const CardId card : question.cards) {
    std::uint32_t count = 0;
    while (first + count < shape.num_attention_heads &&
           attention_seconds(question, layers, card, head_share(shape, first, count + unit)) <= bound) {
      count += unit;
    }
    heads.push_back(count);
    first += count;
  }
  return heads;
}

std::vector<std::uint32_t> fastest_heads(const ShareQuestion& question,
                                         std::span<const std::uint32_t> layers) {
  const ModelShape& shape = question.problem.model.shape;
  const auto dealt = [](const std::vector<std::uint32_t>& heads) {
    std::uint32_t sum = 0;
    for (const std::uint32_t count : heads) sum += count;
    return sum;
  };
  const auto slowest = [&](const std::vector<std::uint32_t>& heads) {
    Seconds seconds{0};
    std::uint32_t first = 0;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const HeadShare share = head_share(shape, first, heads[i]);
      seconds = std::max(seconds, attention_seconds(question, layers, question.cards[i], share));
      first += heads[i];
    }
    return seconds;
  };

  const auto bounds = attention_bounds(question, layers);
  const auto least = std::ranges::partition_point(bounds, [&](Seconds bound) {
    return dealt(deal_heads(question, layers, bound)) < shape.num_attention_heads;
  });
  std::vector<std::uint32_t> level;
  for (const std::uint64_t units :
       even(shape.num_attention_heads / question.problem.head_unit, question.cards.size())) {
    level.push_back(static_cast<std::uint32_t>(units) * question.problem.head_unit);
  }
  return slowest(level) <= *least ? level : deal_heads(question, layers, *least);
}

std::vector<std::uint64_t> fastest_columns(const ShareQuestion& question,
                                           std::span<const std::uint32_t> layers) {
  const std::uint64_t total = question.problem.model.shape.intermediate_size;
  const std::uint64_t unit = question.problem.column_unit;
  const std::uint64_t units = divided_up(total, unit);
  const auto shares =
      cards_are_alike(question)
          ? even(units, question.cards.size())
          : least_slowest(units, question.cards.size(), [&](std::size_t i, std::uint64_t count) {
              return ffn_seconds(question, layers, question.cards[i], std::min(total, count * unit));
            });
  return as_elements(shares, unit, total);
}

std::vector<std::uint64_t> fastest_rows(const ShareQuestion& question) {
  const std::uint64_t total = question.problem.model.shape.vocab_size;
  const std::uint64_t unit = question.problem.row_unit;
  const std::uint64_t units = divided_up(total, unit);
  if (!question.ends.first && !question.ends.last)
    return std::vector<std::uint64_t>(question.cards.size(), 0);
  const auto shares =
      cards_are_alike(question) || !question.ends.last
          ? even(units, question.cards.size())
          : least_slowest(units, question.cards.size(), [&](std::size_t i, std::uint64_t count) {
              return question.pricer.logits(question.cards[i], std::min(total, count * unit)).total();
            });
  return as_elements(shares, unit, total);
}

/// Whether every card can hold its share of these layers.
bool shares_fit(const ShareQuestion& question, std::span<const std::uint32_t> layers,
                const StageShares& shares) {
  const auto by_card = card_shares(question.problem.model.shape, shares);
  for (std::size_t i = 0; i < by_card.size(); ++i) {
    const CardId card = question.cards[i];
    const CardMemory memory = stage_card_memory(question.problem, layers, question.ends, by_card[i],
                                                card == question.sampling_card);
    if (memory.total() > question.problem.cluster.card_at(card).memory_capacity.value) return false;
  }
  return true;
}

}  // namespace

StageShares fastest_shares(const ShareQuestion& question) {
  const auto layers = question.problem.layers.count(0, question.problem.model.shape.num_hidden_layers - 1);
  return {fastest_heads(question, layers), fastest_columns(question, layers), fastest_rows(question)};
}

std::uint32_t end_that_fits(const ShareQuestion& question, std::uint32_t first, const StageShares& shares) {
  std::uint32_t low = first;
  std::uint32_t high = question.problem.model.shape.num_hidden_layers;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (shares_fit(question, question.problem.layers.count(first, middle - 1), shares)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace spanker
