#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

// Internal to this module.
namespace spanker {

/// What is asked for: one number, what is known of it before, and where it may lie.
struct Unknown {
  double prior = 0;  ///< most likely before any data
  double below = 1;  ///< standard deviation of the prior towards lower values, above zero
  double above = 1;  ///< towards higher values
  double least = 0;  ///< bounds
  double most = 0;
};

/// Residuals of the data, each in standard deviations of its noise, at some values of the unknowns.
using Residuals = std::function<std::vector<double>(std::span<const double>)>;

/// Bounded robust least squares with a prior: the least
///   Q(x) = sum of rho(residual_i) + sum of ((x_j - prior_j) / deviation_j)^2
/// where rho is Huber's function, residual^2 up to kHuber and linear beyond, so that one wild run does not
/// decide (Huber, "Robust estimation of a location parameter", 1964). Solved by Levenberg's and Marquardt's
/// method with residuals reweighted at each step. Deterministic.
class LeastSquares {
 public:
  static constexpr double kHuber = 2;

  /// Residuals must be finite within the bounds. `prior_weight` multiplies the sum over priors.
  LeastSquares(std::vector<Unknown> unknowns, Residuals residuals, double prior_weight = 1);

  std::size_t size() const { return unknowns_.size(); }
  double objective(std::span<const double> x) const;

  /// The best values near `start`, of which those where `free` is false stay as they are.
  std::vector<double> minimise(std::vector<double> start, const std::vector<bool>& free) const;

  /// Where one unknown may lie while Q, with all other free ones at their best, is within `rise` of what it
  /// is at `best`, the best values: a profile likelihood interval.
  std::pair<double, double> interval(std::size_t which, const std::vector<double>& best,
                                     std::vector<bool> free, double rise) const;

  /// What the data alone say of each unknown, apart from what the unknowns before it in `order` may take on
  /// themselves: the inverse variance of that part, in units of the prior's. An unknown of less than 1, which
  /// the prior knows better, takes on nothing from those after it. Parallel to `order`.
  std::vector<double> information(std::span<const double> x, std::span<const std::size_t> order) const;

 private:
  using Matrix = std::vector<std::vector<double>>;

  /// The deviation of the prior on the side of `value`.
  double deviation(std::size_t which, double value) const;
  struct Equations;
  /// Of a damped step from x, in deviations; unknowns that are not free, or would leave their bounds, stay.
  Equations equations(std::span<const double> x, const std::vector<bool>& free, double damping) const;
  /// Rows of derivatives of the residuals.
  Matrix jacobian(std::span<const double> x, const std::vector<double>& at_x) const;

  std::vector<Unknown> unknowns_;  ///< their deviations widened by the prior's weight
  Residuals residuals_;
};

}  // namespace spanker
