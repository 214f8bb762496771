#include "spanker/plan/least_bounds.hpp"

#include <algorithm>
#include <limits>
#include <queue>

namespace spanker {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// All deals that reach `low` or more and `high` or less on every axis. Some deal is within `high`.
struct Box {
  Bounds low;
  Bounds high;
  double least = 0;  ///< price of `low`

  bool operator<(const Box& other) const { return least > other.least; }  // cheapest on top of a queue
};

class Boxes {
 public:
  explicit Boxes(const DealSpace& space) : space_(space) {}

  std::optional<LeastBounds> best();

 private:
  double price(const Bounds& bounds) const {
    double sum = 0;
    for (std::size_t axis = 0; axis < bounds.size(); ++axis) sum += space_.cost(axis, bounds[axis]);
    return sum;
  }
  /// Notes a deal and returns what it reaches.
  std::optional<Bounds> probe(const Bounds& bounds) {
    auto reached = space_.reached(bounds);
    if (reached) {
      const double cost = price(*reached);
      if (cost < best_price_) {
        best_price_ = cost;
        best_ = *reached;
      }
    }
    return reached;
  }
  double least_on(std::size_t axis, const Bounds& high, double low) {
    return spanker::least_on(space_, axis, high, low, [&](const Bounds& bounds) { return probe(bounds); });
  }
  /// Raises the low corner to what is needed under the high one, and queues the box if it may hold better.
  void add(Box box);
  bool worth(double least) const { return least < best_price_ * (1 - 1e-13); }

  const DealSpace& space_;
  std::priority_queue<Box> queue_;
  Bounds best_;
  double best_price_ = kInfinite;
};

void Boxes::add(Box box) {
  for (std::size_t axis = 0; axis < box.low.size(); ++axis) {
    box.low[axis] = std::max(box.low[axis], least_on(axis, box.high, box.low[axis]));
    if (box.low[axis] == kInfinite) return;
  }
  box.least = price(box.low);
  if (!worth(box.least)) return;
  // No price is below that of the low corner.
  if (!probe(box.low)) queue_.push(std::move(box));
}

std::optional<LeastBounds> Boxes::best() {
  const std::size_t axes = space_.axes();
  if (!probe(Bounds(axes, kInfinite))) return std::nullopt;
  Bounds least(axes, 0);
  for (std::size_t axis = 0; axis < axes; ++axis) least[axis] = least_on(axis, Bounds(axes, kInfinite), 0);
  if (probe(least)) return LeastBounds{least, least};

  Bounds most(axes);
  for (std::size_t axis = 0; axis < axes; ++axis) most[axis] = space_.most(axis);
  add({least, std::move(most), 0});
  for (std::size_t count = 0; !queue_.empty() && count < kMostBoxes && !space_.exhausted(); ++count) {
    const Box box = queue_.top();
    queue_.pop();
    if (!worth(box.least)) break;
    std::size_t widest = 0;
    double widest_cost = -1;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const double span = space_.cost(axis, box.high[axis]) - space_.cost(axis, box.low[axis]);
      if (span > widest_cost) {
        widest = axis;
        widest_cost = span;
      }
    }
    const double middle = halfway(box.low[widest], box.high[widest]);
    Box above = box;
    above.low[widest] = space_.next(widest, middle);
    if (above.low[widest] <= above.high[widest]) add(std::move(above));
    Box below = box;
    below.high[widest] = middle;
    add(std::move(below));
  }
  return LeastBounds{best_, std::move(least)};
}

}  // namespace

std::optional<LeastBounds> least_bounds(const DealSpace& space) { return Boxes(space).best(); }

}  // namespace spanker
