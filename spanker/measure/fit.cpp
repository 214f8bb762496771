#include "spanker/measure/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <set>

#include "spanker/base/text.hpp"
#include "spanker/cost/serial_share.hpp"
#include "spanker/measure/fit_numbers.hpp"
#include "spanker/measure/least_squares.hpp"
#include "spanker/measure/run_work.hpp"

namespace spanker {
namespace {

/// How measured times scatter: a single token's deviation, as in the tokens that distributed-llama prints one
/// by one on Raspberry Pis (its issues 8 and 108), and the least that an average of many has, since the model
/// itself is no better.
struct Noise {
  double token;
  double least;

  double of(std::uint32_t samples) const { return std::max(least, token / std::sqrt(samples)); }
};
constexpr Noise kComputeNoise{0.06, 0.015};
constexpr Noise kTransferNoise{0.30, 0.075};
constexpr Noise kTotalNoise{0.08, 0.02};

/// A measured time and the part of a prediction that it is compared with.
struct Observation {
  std::size_t run;
  double seconds;
  double noise;
  double (*part)(const RunSeconds&);
};

std::vector<Observation> observations_of(std::span<const LocatedRun> runs) {
  std::vector<Observation> observations;
  const auto compute = [](const RunSeconds& seconds) { return seconds.compute; };
  const auto transfer = [](const RunSeconds& seconds) { return seconds.transfer; };
  const auto total = [](const RunSeconds& seconds) { return seconds.total(); };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const MeasuredRun& run = runs[i].run;
    const bool told_apart = run.compute_seconds && run.transfer_seconds && run.compute_seconds->count() > 0;
    if (!told_apart) {
      observations.push_back({i, run.seconds_per_token.count(), kTotalNoise.of(run.samples), total});
      continue;
    }
    observations.push_back({i, run.compute_seconds->count(), kComputeNoise.of(run.samples), compute});
    if (run.cards > 1 && run.transfer_seconds->count() > 0) {
      observations.push_back({i, run.transfer_seconds->count(), kTransferNoise.of(run.samples), transfer});
    }
  }
  return observations;
}

/// Cut to four decimal digits, down or up, so that profiles are easy to read.
double rounded(double value, double (*round)(double)) {
  if (value == 0) return 0;
  const int exponent = static_cast<int>(std::floor(std::log10(value))) - 3;
  const double digits = round(value / std::pow(10.0, exponent));
  return std::strtod(fmt::format("{:.0f}e{}", digits, exponent).c_str(), nullptr);
}

class Fitter {
 public:
  Fitter(const Cluster& base, std::span<const LocatedRun> runs, std::vector<RunWork> works)
      : base_(base), runs_(runs), works_(std::move(works)), observations_(observations_of(runs)) {
    RunScale scale{1e300, 1};
    for (std::size_t i = 0; i < works_.size(); ++i) {
      rates_.push_back(run_rates(base, works_[i], Bound::kValue));
      const MeasuredRun& run = runs[i].run;
      scale.shortest_seconds =
          std::min(scale.shortest_seconds, run.compute_seconds.value_or(run.seconds_per_token).count());
      scale.most_steps = std::max(scale.most_steps, works_[i].steps);
    }
    for (const ProfileNumber& number : numbers_) unknowns_.push_back(unknown_of(number, base, scale));
  }

  Fit fit() const {
    const Residuals data = [this](std::span<const double> x) { return residuals(x); };
    const LeastSquares problem(unknowns_, data);
    // What the runs tell is not drawn towards the base; the prior only settles what they leave open.
    constexpr double kWeakPrior = 0.01;
    const LeastSquares by_runs(unknowns_, data, kWeakPrior);
    const std::vector<bool> identified = identify(problem);
    const std::vector<double> values = by_runs.minimise(start(), identified);

    Fit fit{base_, {}, runs_.size(), observations_.size(), scatter(values, identified)};
    std::vector<bool> modelled(numbers_.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      modelled[i] = identified[i] || numbers_[i].get(base_).has_value();
    }
    const std::vector<double> best = problem.minimise(values, modelled);
    const double rise = std::pow(kDeviationsOf90 * std::max(1.0, fit.scatter), 2);
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const auto before = numbers_[i].get(base_);
      FittedNumber number{numbers_[i].key, modelled[i], identified[i], before ? before->value : 0, 0, 0, 0};
      if (modelled[i]) {
        const auto [low, high] = problem.interval(i, best, modelled, rise);
        set(fit.cluster, number, i, plain(i, values[i]), plain(i, low), plain(i, high));
      }
      fit.numbers.push_back(number);
    }
    return fit;
  }

 private:
  double plain(std::size_t which, double x) const { return numbers_[which].logarithmic ? std::exp(x) : x; }

  /// Shares are written in percent, and read as a hundredth of that.
  double cut(std::size_t which, double value, double (*round)(double)) const {
    return numbers_[which].is_share ? rounded(value * 100, round) * 0.01 : rounded(value, round);
  }

  std::vector<double> start() const {
    std::vector<double> x;
    for (const Unknown& unknown : unknowns_) x.push_back(unknown.prior);
    return x;
  }

  std::vector<double> residuals(std::span<const double> x) const {
    std::vector<double> residuals;
    for (const Observation& observation : observations_) {
      RunRates rates = rates_[observation.run];
      for (std::size_t i = 0; i < numbers_.size(); ++i) {
        numbers_[i].apply(rates, plain(i, x[i]), plain(i, unknowns_[i].prior));
      }
      const double predicted = observation.part(run_seconds(works_[observation.run], rates));
      constexpr double kTiny = 1e-12;  // a transfer that the model has none for
      residuals.push_back(std::log(std::max(predicted, kTiny) / observation.seconds) / observation.noise);
    }
    return residuals;
  }

  /// Which numbers the runs tell. Their slopes are taken where the bandwidth fits.
  std::vector<bool> identify(const LeastSquares& problem) const {
    std::vector<bool> identified(numbers_.size());
    identified[0] = true;
    std::vector<std::size_t> order(numbers_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::vector<double> information = problem.information(problem.minimise(start(), identified), order);
    for (std::size_t i = 0; i < order.size(); ++i) identified[i] = information[i] >= 1;
    return identified;
  }

  double scatter(std::span<const double> x, const std::vector<bool>& identified) const {
    const auto unknown = static_cast<std::size_t>(std::ranges::count(identified, true));
    if (observations_.size() <= unknown) return 0;
    double sum = 0;
    for (const double residual : residuals(x)) sum += residual * residual;
    return std::sqrt(sum / static_cast<double>(observations_.size() - unknown));
  }

  std::string source() const {
    std::set<std::uint32_t> counts;
    std::set<std::string> sources;
    for (const LocatedRun& located : runs_) {
      counts.insert(located.run.cards);
      if (!located.run.source.empty()) sources.insert(located.run.source);
    }
    std::string text = fmt::format("fit of {} {} on {} {}", runs_.size(), runs_.size() == 1 ? "run" : "runs",
                                   fmt::join(counts, ", "), counts == std::set{1u} ? "card" : "cards");
    return sources.empty() ? text
                           : shortened_source(text + ": " + fmt::format("{}", fmt::join(sources, "; ")));
  }

  static std::string shortened_source(const std::string& text) {
    constexpr std::size_t kMost = 400;
    if (text.size() <= kMost) return text;
    std::string cut = text.substr(0, kMost);
    while (!cut.empty() && !is_valid_utf8(cut)) cut.pop_back();
    return cut + "...";
  }

  void set(Cluster& cluster, FittedNumber& number, std::size_t which, double value, double low,
           double high) const {
    Ranged<double> ranged;
    if (number.identified) {
      ranged = {cut(which, value, std::round), cut(which, low, std::floor), cut(which, high, std::ceil),
                source()};
    } else {
      ranged = *numbers_[which].get(base_);
      const double cut_low = std::max(ranged.low, cut(which, low, std::floor));
      const double cut_high = std::min(ranged.high, cut(which, high, std::ceil));
      if (cut_low > ranged.low || cut_high < ranged.high) ranged.source += "; range cut to what a fit allows";
      ranged.low = cut_low;
      ranged.high = cut_high;
    }
    ranged.low = std::min(ranged.low, ranged.value);
    ranged.high = std::max(ranged.high, ranged.value);
    numbers_[which].set(cluster, ranged);
    number.value = ranged.value;
    number.low = ranged.low;
    number.high = ranged.high;
  }

  const Cluster& base_;
  std::span<const LocatedRun> runs_;
  std::vector<RunWork> works_;
  std::vector<Observation> observations_;
  std::vector<RunRates> rates_;
  std::span<const ProfileNumber> numbers_ = profile_numbers();
  std::vector<Unknown> unknowns_;
};

/// The layers of the runs' models, where they are of one size.
std::optional<Bytes> one_layer_of(std::span<const RunWork> works) {
  if (works.empty()) return std::nullopt;
  const Bytes layer = works.front().layer;
  const bool is_one = std::ranges::all_of(works, [&](const RunWork& work) { return work.layer == layer; });
  return is_one ? std::optional(layer) : std::nullopt;
}

/// Serial shares of a fit to runs of layers of one size are for those: they keep that where the runs told
/// one, and are the base's otherwise.
void settle_serial_share(Fit& fit, const Cluster& base, Bytes layer) {
  const auto number = std::ranges::find(fit.numbers, "card.serial_share", &FittedNumber::key);
  const auto settle = [&](CardSpec& card, const CardSpec& before) {
    if (number->identified) {
      if (card.serial_share) card.serial_layer = layer;
      return;
    }
    card.serial_layer = before.serial_layer;
    if (before.serial_layer && *before.serial_layer != layer) card.serial_share = before.serial_share;
  };
  settle(fit.cluster.card, base.card);
  for (auto& [id, card] : fit.cluster.card_overrides) settle(card, base.card_overrides.at(id));
  if (number->identified || !fit.cluster.card.serial_share) return;
  const Ranged<Share>& share = *fit.cluster.card.serial_share;
  *number = {number->key,       number->modelled, false,           share.value.value,
             share.value.value, share.low.value,  share.high.value};
}

}  // namespace

Result<Fit> fit_cluster(const Cluster& base, std::span<const LocatedRun> runs) {
  std::vector<RunWork> works;
  for (const LocatedRun& located : runs) {
    auto work = run_work(located.run, base, located.where);
    if (!work) return tl::unexpected(work.error());
    works.push_back(std::move(*work));
  }
  const auto layer = one_layer_of(works);
  const Cluster seen = layer ? for_layers_of(*layer, base) : base;
  Fit fit = Fitter(seen, runs, std::move(works)).fit();
  if (layer) settle_serial_share(fit, base, *layer);
  return fit;
}

}  // namespace spanker
