#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "spanker/cluster/network.hpp"

namespace spanker {

/// What a node reaches, or is reached from, over links that are up, inside a region of the network. Found
/// node by node, so that two such searches can take turns.
class Network::Reach {
 public:
  enum class Direction { kForward, kBackward };

  Reach(const Network& network, Direction direction)
      : network_(network), direction_(direction), stamps_(network.node_count(), 0) {}

  /// The region: the `size` nodes that have `label` in `labels`. A start's `stamp` is its own, and not 0.
  void start(CardId node, std::uint32_t stamp, const std::vector<std::uint32_t>& labels, std::uint32_t label,
             std::size_t size) {
    stamp_ = stamp;
    labels_ = &labels;
    label_ = label;
    size_ = size;
    next_ = 0;
    nodes_.assign(1, node);
    stamps_[node] = stamp;
  }

  /// The second condition spares looking at all the cables of a full mesh.
  bool finished() const { return next_ == nodes_.size() || nodes_.size() == size_; }

  void step() {
    const CardId node = nodes_[next_++];
    for (std::uint32_t i = 0; i < network_.neighbour_count(node); ++i) {
      const CardId other = network_.neighbour(node, i);
      if (stamps_[other] == stamp_ || (*labels_)[other] != label_) continue;
      const auto id = direction_ == Direction::kForward ? network_.find_link(node, other)
                                                        : network_.find_link(other, node);
      if (!network_.is_up(*id)) continue;
      stamps_[other] = stamp_;
      nodes_.push_back(other);
    }
  }

  const std::vector<CardId>& nodes() const { return nodes_; }
  const std::vector<std::uint32_t>& stamps() const { return stamps_; }

 private:
  const Network& network_;
  Direction direction_;
  std::vector<std::uint32_t> stamps_;
  std::uint32_t stamp_ = 0;
  const std::vector<std::uint32_t>* labels_ = nullptr;
  std::uint32_t label_ = 0;
  std::size_t size_ = 0;
  std::vector<CardId> nodes_;
  std::size_t next_ = 0;
};

std::vector<CardId> Network::connected_cards() const {
  std::vector<CardId> best;
  if (all_up_) {
    best.resize(card_count_);
    std::iota(best.begin(), best.end(), 0u);
    return best;
  }
  // Strongly connected components by lockstep: a node's component lies in what it reaches and in what reaches
  // it, so the smaller of the two is enough to search, and taking turns costs no more than twice the smaller.
  // No component straddles the rim of either, so what is in the smaller but not in the component becomes a
  // region of its own. Each node is then met O(log n) times, however the links that are not up were chosen.
  constexpr std::uint32_t kDone = 0;
  std::vector<std::uint32_t> regions(node_count(), 1);
  std::vector<std::size_t> region_sizes = {0, node_count()};
  Reach ahead(*this, Reach::Direction::kForward);
  Reach behind(*this, Reach::Direction::kBackward);
  Reach back_inside(*this, Reach::Direction::kBackward);
  Reach ahead_inside(*this, Reach::Direction::kForward);
  std::size_t cards_left = card_count_;
  for (CardId card = 0; card < card_count_ && cards_left > best.size(); ++card) {
    const std::uint32_t region = regions[card];
    if (region == kDone) continue;
    const std::uint32_t stamp = card + 1;
    ahead.start(card, stamp, regions, region, region_sizes[region]);
    behind.start(card, stamp, regions, region, region_sizes[region]);
    while (!ahead.finished() && !behind.finished()) {
      ahead.step();
      if (!ahead.finished()) behind.step();
    }
    const Reach& smaller = ahead.finished() ? ahead : behind;
    Reach& inside = ahead.finished() ? back_inside : ahead_inside;
    inside.start(card, stamp, smaller.stamps(), stamp, smaller.nodes().size());
    while (!inside.finished()) inside.step();

    const auto rest = static_cast<std::uint32_t>(region_sizes.size());
    region_sizes.push_back(smaller.nodes().size() - inside.nodes().size());
    region_sizes[region] -= smaller.nodes().size();
    for (const CardId node : smaller.nodes()) regions[node] = rest;
    for (const CardId node : inside.nodes()) regions[node] = kDone;

    std::vector<CardId> cards = inside.nodes();
    std::erase(cards, card_count_);  // a star's switch
    cards_left -= cards.size();
    if (cards.size() > best.size()) best = std::move(cards);
  }
  std::sort(best.begin(), best.end());
  return best;
}

}  // namespace spanker
