#include "spanker/plan/capacity.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "spanker/cluster/network.hpp"
#include "spanker/plan/aim.hpp"
#include "spanker/plan/card_groups.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/shares.hpp"

namespace spanker {
namespace {

class Capacity {
 public:
  Capacity(const Problem& problem, std::vector<CardId> cards)
      : problem_(problem),
        cards_(std::move(cards)),
        rates_(problem.cluster, Bound::kValue),
        links_(rates_),
        aim_{Aim::Kind::kSum, {{problem.decode(), 1}}, 1, 1},
        pricer_(problem, rates_, links_, problem.decode()),
        costs_(problem, rates_, aim_, {&pricer_, 1}),
        all_layers_(problem.layers.count(0, problem.model.shape.num_hidden_layers - 1)),
        layer_count_(problem.model.shape.num_hidden_layers) {}

  bool of_one_stage(std::size_t count) {
    constexpr StageEnds kBoth{true, true};
    if (end_that_fits(0, count, 0, kBoth) == layer_count_) return true;
    return fitting_shares(question(0, count, kBoth)).has_value();
  }

  /// Two stages or more, each on at most `widest` cards. The more layers the first cards hold, the better for
  /// the rest.
  bool of_stages(std::size_t widest) {
    std::vector<std::uint32_t> most_layers(cards_.size() + 1, 0);  // by cards used
    for (std::size_t used = 0; used < cards_.size(); ++used) {
      const std::uint32_t layer = most_layers[used];
      if (used > 0 && layer == 0) continue;
      for (std::size_t length = 1; length <= std::min(widest, cards_.size() - used); ++length) {
        if (layer > 0 && end_that_fits(used, length, layer, {false, true}) == layer_count_) return true;
        // The last stage needs a layer.
        const std::uint32_t end = end_that_fits(used, length, layer, {used == 0, false});
        most_layers[used + length] = std::max(most_layers[used + length], std::min(end, layer_count_ - 1));
      }
    }
    return false;
  }

 private:
  ShareQuestion question(std::size_t first_card, std::size_t length, StageEnds ends) const {
    return {costs_, std::span(cards_).subspan(first_card, length), ends, cards_.front(), all_layers_, false};
  }

  /// With the fastest shares: how far layers from `first` fit.
  std::uint32_t end_that_fits(std::size_t first_card, std::size_t length, std::uint32_t first,
                              StageEnds ends) {
    const bool layers_are_alike = problem_.layers.kinds.size() == 1;
    const std::uint32_t start = layers_are_alike ? 0 : first;
    const auto key =
        std::tuple(rates_.cards_are_equal() ? 0 : first_card, length, start, ends.first, ends.last);
    const auto [entry, is_new] = layers_that_fit_.try_emplace(key, 0);
    if (is_new) {
      const ShareQuestion asked = question(first_card, length, ends);
      StageShares shares = fastest_shares(asked).shares;
      shares.vocabulary_rows = fastest_rows(asked);
      entry->second =
          spanker::end_that_fits(problem_, asked.cards, ends, asked.sampling_card, start, shares) - start;
    }
    return std::min(layer_count_, first + entry->second);
  }

  const Problem& problem_;
  std::vector<CardId> cards_;
  ClusterRates rates_;
  CollectivePricer links_;
  Aim aim_;
  PassPricer pricer_;
  ShareCosts costs_;
  std::vector<std::uint32_t> all_layers_;
  std::uint32_t layer_count_;
  std::map<std::tuple<std::size_t, std::size_t, std::uint32_t, bool, bool>, std::uint32_t> layers_that_fit_;
};

}  // namespace

bool can_hold(const Problem& problem, StrategySet allowed) {
  const std::vector<CardId> connected = Network(problem.cluster).connected_cards();
  const std::size_t cards = connected.size();
  if (cards <= kMaxSubsetCards) return search(problem, allowed).has_value();
  Capacity capacity(problem, connected);
  if (allowed.hybrid && capacity.of_stages(cards - 1)) return true;
  if (allowed.pipeline_parallel && capacity.of_stages(1)) return true;
  if (allowed.tensor_parallel) {
    for (std::size_t count = cards; count > 1; --count) {
      if (capacity.of_one_stage(count)) return true;
    }
  }
  return allowed.single_card && capacity.of_one_stage(1);
}

}  // namespace spanker
