#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace spanker {

/// Upper bounds on the largest share of each axis: seconds of one kind of pass and layer, or rows of a card.
using Bounds = std::vector<double>;

/// Deals of shares to cards, as a search for the cheapest sees them: on every axis a deal reaches the value
/// of its largest share, and its price is the sum over the axes of what those values cost.
class DealSpace {
 public:
  virtual ~DealSpace() = default;

  virtual std::size_t axes() const = 0;
  /// What it costs that an axis reaches `value`. Grows with the value.
  virtual double cost(std::size_t axis, double value) const = 0;
  /// What some deal within `bounds` reaches, on each axis at most its bound; nothing where there is no such
  /// deal. Wider bounds never lose a deal.
  virtual std::optional<Bounds> reached(const Bounds& bounds) const = 0;
  /// The least value above `value` that a share can have on this axis, or less; infinite where none is above.
  virtual double next(std::size_t axis, double value) const = 0;
  /// No share has a larger value.
  virtual double most(std::size_t axis) const = 0;
  /// Whether looking for deals has cost so much that the best one so far must do.
  virtual bool exhausted() const { return false; }
};

struct LeastBounds {
  Bounds bounds;
  Bounds least;  ///< the least that each axis can reach, for itself

  /// Whether these bounds are best however the axes are weighed.
  bool least_on_every_axis() const { return bounds == least; }
};

/// The bounds of the cheapest deal; nothing where there is no deal. One axis is halved; several are searched
/// by branch and bound over boxes of bounds, which is exact unless it takes more than kMostBoxes boxes or
/// exhausts the space: the best deal until then is then the answer.
std::optional<LeastBounds> least_bounds(const DealSpace& space);

inline constexpr std::size_t kMostBoxes = 2000;

/// A value in [low, high), where low < high: half-way, but where these are neighbours rounding could give
/// `high`, and halving would not end.
inline double halfway(double low, double high) {
  const double middle = low + (high - low) / 2;
  return middle < high ? middle : low;
}

/// The least value of one axis, at least `low`, under `bounds` on the others and on itself; infinite where no
/// deal is within them. `reached` is asked for deals of `space`, as its own function of that name.
template <class Reached>
double least_on(const DealSpace& space, std::size_t axis, Bounds bounds, double low, const Reached& reached) {
  const auto widest = reached(bounds);
  if (!widest) return std::numeric_limits<double>::infinity();
  double enough = (*widest)[axis];
  while (low < enough) {
    bounds[axis] = halfway(low, enough);
    if (const auto within = reached(bounds)) {
      enough = (*within)[axis];
    } else {
      low = space.next(axis, bounds[axis]);
    }
  }
  return enough;
}

}  // namespace spanker
