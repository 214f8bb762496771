#include "spanker/measure/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spanker {
namespace {

using Matrix = std::vector<std::vector<double>>;

double huber(double residual) {
  const double size = std::abs(residual);
  return size <= LeastSquares::kHuber ? size * size
                                      : LeastSquares::kHuber * (2 * size - LeastSquares::kHuber);
}

double huber_weight(double residual) {
  const double size = std::abs(residual);
  return size <= LeastSquares::kHuber ? 1 : LeastSquares::kHuber / size;
}

/// The solution of a symmetric, positive definite system, by Gauss' elimination.
std::vector<double> solved(Matrix a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t pivot = 0; pivot < n; ++pivot) {
    for (std::size_t row = pivot + 1; row < n; ++row) {
      const double factor = a[row][pivot] / a[pivot][pivot];
      for (std::size_t column = pivot; column < n; ++column) a[row][column] -= factor * a[pivot][column];
      b[row] -= factor * b[pivot];
    }
  }
  for (std::size_t row = n; row-- > 0;) {
    for (std::size_t column = row + 1; column < n; ++column) b[row] -= a[row][column] * b[column];
    b[row] /= a[row][row];
  }
  return b;
}

}  // namespace

LeastSquares::LeastSquares(std::vector<Unknown> unknowns, Residuals residuals, double prior_weight)
    : unknowns_(std::move(unknowns)), residuals_(std::move(residuals)) {
  for (Unknown& unknown : unknowns_) {
    unknown.below /= std::sqrt(prior_weight);
    unknown.above /= std::sqrt(prior_weight);
  }
}

double LeastSquares::deviation(std::size_t which, double value) const {
  const Unknown& unknown = unknowns_[which];
  return value < unknown.prior ? unknown.below : unknown.above;
}

double LeastSquares::objective(std::span<const double> x) const {
  double sum = 0;
  for (const double residual : residuals_(x)) sum += huber(residual);
  for (std::size_t i = 0; i < size(); ++i) {
    sum += std::pow((x[i] - unknowns_[i].prior) / deviation(i, x[i]), 2);
  }
  return sum;
}

Matrix LeastSquares::jacobian(std::span<const double> x, const std::vector<double>& at_x) const {
  Matrix rows(at_x.size(), std::vector<double>(size()));
  std::vector<double> moved(x.begin(), x.end());
  for (std::size_t i = 0; i < size(); ++i) {
    const double step = 1e-5 * (unknowns_[i].below + unknowns_[i].above);
    moved[i] = x[i] + step <= unknowns_[i].most ? x[i] + step : x[i] - step;
    const std::vector<double> residuals = residuals_(moved);
    for (std::size_t row = 0; row < at_x.size(); ++row) {
      rows[row][i] = (residuals[row] - at_x[row]) / (moved[i] - x[i]);
    }
    moved[i] = x[i];
  }
  return rows;
}

/// normal * step = downhill.
struct LeastSquares::Equations {
  Matrix normal;
  std::vector<double> downhill;
};

LeastSquares::Equations LeastSquares::equations(std::span<const double> x, const std::vector<bool>& free,
                                                double damping) const {
  const std::vector<double> residuals = residuals_(x);
  const Matrix slopes = jacobian(x, residuals);
  Equations equations{Matrix(size(), std::vector<double>(size())), std::vector<double>(size())};
  auto& [normal, downhill] = equations;
  for (std::size_t i = 0; i < size(); ++i) {
    normal[i][i] = 1;
    downhill[i] = (unknowns_[i].prior - x[i]) / deviation(i, x[i]);
  }
  for (std::size_t row = 0; row < residuals.size(); ++row) {
    const double weight = huber_weight(residuals[row]);
    for (std::size_t i = 0; i < size(); ++i) {
      const double slope = weight * slopes[row][i] * deviation(i, x[i]);
      downhill[i] -= slope * residuals[row];
      for (std::size_t j = 0; j < size(); ++j) normal[i][j] += slope * slopes[row][j] * deviation(j, x[j]);
    }
  }
  for (std::size_t i = 0; i < size(); ++i) {
    const bool stuck =
        (x[i] <= unknowns_[i].least && downhill[i] < 0) || (x[i] >= unknowns_[i].most && downhill[i] > 0);
    if (free[i] && !stuck) {
      normal[i][i] *= 1 + damping;
      continue;
    }
    for (std::size_t j = 0; j < size(); ++j) normal[i][j] = normal[j][i] = 0;
    normal[i][i] = 1;
    downhill[i] = 0;
  }
  return equations;
}

std::vector<double> LeastSquares::minimise(std::vector<double> x, const std::vector<bool>& free) const {
  constexpr int kMostSteps = 200;
  double damping = 1e-3;
  double best = objective(x);
  for (int count = 0; count < kMostSteps && damping < 1e12; ++count) {
    auto [normal, downhill] = equations(x, free, damping);
    const std::vector<double> step = solved(std::move(normal), std::move(downhill));
    std::vector<double> moved = x;
    for (std::size_t i = 0; i < size(); ++i) {
      moved[i] = std::clamp(x[i] + step[i] * deviation(i, x[i]), unknowns_[i].least, unknowns_[i].most);
    }
    const double reached = objective(moved);
    if (!(reached < best)) {
      damping *= 10;
      continue;
    }
    const bool settled = best - reached < 1e-12 * (1 + best);
    x = std::move(moved);
    best = reached;
    damping = std::max(damping / 10, 1e-9);
    if (settled) break;
  }
  return x;
}

std::pair<double, double> LeastSquares::interval(std::size_t which, const std::vector<double>& best,
                                                 std::vector<bool> free, double rise) const {
  const double limit = objective(best) + rise;
  free[which] = false;
  const auto end = [&](double inside, double outside) {
    std::vector<double> x = best;
    const auto within = [&](double value) {
      x[which] = value;
      x = minimise(std::move(x), free);
      return objective(x) <= limit;
    };
    if (within(outside)) return outside;
    for (int count = 0; count < 30; ++count) {
      const double middle = inside + (outside - inside) / 2;
      (within(middle) ? inside : outside) = middle;
    }
    return inside;
  };
  const Unknown& unknown = unknowns_[which];
  // Beyond this the prior alone rises by more.
  const double reach = std::sqrt(limit);
  const double lowest = std::max(unknown.least, std::min(best[which], unknown.prior - reach * unknown.below));
  const double highest = std::min(unknown.most, std::max(best[which], unknown.prior + reach * unknown.above));
  return {end(best[which], lowest), end(best[which], highest)};
}

std::vector<double> LeastSquares::information(std::span<const double> x,
                                              std::span<const std::size_t> order) const {
  const Matrix slopes = jacobian(x, residuals_(x));
  const std::size_t rows = slopes.size();
  // Directions of the data that known unknowns take up, orthonormal (Gram and Schmidt).
  std::vector<std::vector<double>> taken;
  std::vector<double> information;
  for (const std::size_t which : order) {
    std::vector<double> left(rows);
    const double scale = (unknowns_[which].below + unknowns_[which].above) / 2;
    for (std::size_t row = 0; row < rows; ++row) left[row] = slopes[row][which] * scale;
    for (const auto& direction : taken) {
      double shared = 0;
      for (std::size_t row = 0; row < rows; ++row) shared += left[row] * direction[row];
      for (std::size_t row = 0; row < rows; ++row) left[row] -= shared * direction[row];
    }
    double square = 0;
    for (const double part : left) square += part * part;
    information.push_back(square);
    if (square < 1) continue;
    for (double& part : left) part /= std::sqrt(square);
    taken.push_back(std::move(left));
  }
  return information;
}

}  // namespace spanker
