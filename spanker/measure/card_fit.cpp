#include "spanker/measure/card_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "spanker/measure/least_squares.hpp"
#include "spanker/plan/predict.hpp"

namespace spanker {
namespace {

/// Relative noise of a token's time.
constexpr double kNoise = 0.02;
/// What overheads are like where the samples do not tell them apart.
constexpr double kLikelyStep = 3e-6;
constexpr double kLikelyToken = 100e-6;

template <class T>
Ranged<T> exactly(T value) {
  return {value, value, value, {}};
}

/// A token's price, which is linear in what is asked for.
struct LinearPrice {
  double bytes;  ///< seconds at 1 byte a second
  double steps;
  double tokens;
  double rest;

  double at(double per_byte, double step, double token) const {
    return bytes * per_byte + steps * step + tokens * token + rest;
  }
};

LinearPrice linear_price(const DecodeSample& sample) {
  const auto total = [&](double bandwidth, double step, double token) {
    const Problem problem =
        with_card(sample.problem, BytesPerSecond(bandwidth), Seconds(step), Seconds(token));
    return decode_cost(problem, sample.plan, Bound::kValue).total().count();
  };
  constexpr double kBandwidth = 1e9;
  const double base = total(kBandwidth, 0, 0);
  LinearPrice price{};
  price.bytes = 2 * kBandwidth * (base - total(2 * kBandwidth, 0, 0));
  price.steps = total(kBandwidth, 1, 0) - base;
  price.tokens = total(kBandwidth, 0, 1) - base;
  price.rest = base - price.bytes / kBandwidth;
  return price;
}

/// {seconds a byte, of a step, of a token}
using Numbers = std::array<double, 3>;

Numbers fitted(const std::vector<LinearPrice>& prices, const std::vector<double>& seconds, double read) {
  const std::vector<Unknown> unknowns = {{1.2, 10, 10, 0.2, 1000},  // of the time that reading a byte takes
                                         {1, 30, 30, 0, 1e6},
                                         {1, 30, 30, 0, 1e6}};
  const auto at = [&](const LinearPrice& price, std::span<const double> x) {
    return price.at(x[0] / read, x[1] * kLikelyStep, x[2] * kLikelyToken);
  };
  const LeastSquares squares(unknowns, [&](std::span<const double> x) {
    std::vector<double> residuals;
    for (std::size_t i = 0; i < prices.size(); ++i) {
      residuals.push_back((at(prices[i], x) / seconds[i] - 1) / kNoise);
    }
    return residuals;
  });
  const std::vector<double> best = squares.minimise({1.2, 1, 1}, {true, true, true});
  return {best[0] / read, best[1] * kLikelyStep, best[2] * kLikelyToken};
}

}  // namespace

Problem with_card(const Problem& problem, BytesPerSecond memory_bandwidth, Seconds step_overhead,
                  Seconds token_overhead) {
  Cluster cluster = problem.cluster;
  cluster.card_overrides.clear();
  cluster.card.memory_bandwidth = exactly(memory_bandwidth);
  cluster.card.step_overhead = exactly(step_overhead);
  cluster.card.token_overhead = exactly(token_overhead);
  return problem.with_cluster(std::move(cluster));
}

Seconds DecodeSample::mean() const {
  return std::accumulate(seconds.begin(), seconds.end(), Seconds(0)) / static_cast<double>(seconds.size());
}

CardFit fit_card(const std::vector<DecodeSample>& samples, BytesPerSecond read) {
  std::vector<LinearPrice> prices;
  std::vector<double> means;
  for (const DecodeSample& sample : samples) {
    prices.push_back(linear_price(sample));
    means.push_back(sample.mean().count());
  }
  const Numbers value = fitted(prices, means, read.value);
  Numbers least = value;
  Numbers most = value;
  for (std::size_t run = 0; run < samples.front().seconds.size(); ++run) {
    std::vector<double> seconds;
    for (const DecodeSample& sample : samples) seconds.push_back(sample.seconds[run].count());
    const Numbers numbers = fitted(prices, seconds, read.value);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      least[i] = std::min(least[i], numbers[i]);
      most[i] = std::max(most[i], numbers[i]);
    }
  }
  CardFit fit;
  fit.memory_bandwidth = {
      BytesPerSecond(1 / value[0]), BytesPerSecond(1 / most[0]), BytesPerSecond(1 / least[0]), {}};
  fit.step_overhead = {Seconds(value[1]), Seconds(least[1]), Seconds(most[1]), {}};
  fit.token_overhead = {Seconds(value[2]), Seconds(least[2]), Seconds(most[2]), {}};
  for (std::size_t i = 0; i < prices.size(); ++i) {
    const double residual = prices[i].at(value[0], value[1], value[2]) / means[i] - 1;
    fit.worst_residual = std::max(fit.worst_residual, std::abs(residual));
  }
  return fit;
}

std::optional<OpsPerSecond> fit_compute(const Problem& problem, const Plan& plan, Seconds seconds) {
  const auto prefill = [&](std::optional<double> ops) {
    Cluster cluster = problem.cluster;
    cluster.card.compute.reset();
    if (ops) cluster.card.compute = exactly(OpsPerSecond(*ops));
    return predict(problem.with_cluster(std::move(cluster)), plan).prefill.total();
  };
  if (prefill(std::nullopt) >= seconds) return std::nullopt;
  double low = 1e6;
  double high = 1e16;
  while (high / low > 1 + 1e-6) {
    const double middle = std::sqrt(low * high);
    (prefill(middle) > seconds ? low : high) = middle;
  }
  return OpsPerSecond(high);
}

}  // namespace spanker
