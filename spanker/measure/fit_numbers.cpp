#include "spanker/measure/fit_numbers.hpp"

#include <algorithm>
#include <cmath>

namespace spanker {
namespace {

template <class T>
double plain(T value) {
  if constexpr (std::is_same_v<T, Seconds>) {
    return value.count();
  } else {
    return value.value;
  }
}

template <class T>
Ranged<double> plain_range(const Ranged<T>& ranged) {
  return {plain(ranged.value), plain(ranged.low), plain(ranged.high), ranged.source};
}

template <class T>
Ranged<T> typed(const Ranged<double>& ranged) {
  return {T(ranged.value), T(ranged.low), T(ranged.high), ranged.source};
}

/// Fixed costs of 0 without a range say nothing.
std::optional<Ranged<double>> overhead(const Ranged<Seconds>& seconds) {
  if (seconds.high.count() == 0) return std::nullopt;
  return plain_range(seconds);
}

std::optional<Ranged<double>> share(const std::optional<Ranged<Share>>& share) {
  if (!share) return std::nullopt;
  return plain_range(*share);
}

/// Sets a key of all cards that have what the others have.
template <class Value>
void set_alike(Cluster& cluster, Value CardSpec::*key, const Value& value) {
  for (auto& [id, card] : cluster.card_overrides) {
    if (card.*key == cluster.card.*key) card.*key = value;
  }
  cluster.card.*key = value;
}

void set_memory_bandwidth(Cluster& cluster, const Ranged<double>& ranged) {
  const double factor = ranged.value / cluster.card.memory_bandwidth.value.value;
  const auto scaled = [&](BytesPerSecond rate) { return rate * factor; };
  for (auto& [id, card] : cluster.card_overrides) {
    if (card.memory_bandwidth == cluster.card.memory_bandwidth) {
      card.memory_bandwidth = typed<BytesPerSecond>(ranged);
    } else {
      Ranged<BytesPerSecond>& own = card.memory_bandwidth;
      own = {scaled(own.value), scaled(own.low), scaled(own.high), own.source};
    }
  }
  cluster.card.memory_bandwidth = typed<BytesPerSecond>(ranged);
}

constexpr double kLongest = 1e4;  // seconds of any fixed cost

constexpr std::array kNumbers = {
    // Boards and engines of other kinds reach a tenth of it, or ten times as much.
    ProfileNumber{
        "card.memory_bandwidth", true, false,
        [](const Cluster& cluster) { return std::optional(plain_range(cluster.card.memory_bandwidth)); },
        set_memory_bandwidth,
        [](RunRates& rates, double value, double before) { rates.memory_bandwidth *= value / before; },
        [](const RunScale&) { return std::log(10.0); }, 1e18},
    // A small TCP message on one kind of wire: 25 to 250 us per cable on Gigabit Ethernet.
    ProfileNumber{
        "link.latency", true, false,
        [](const Cluster& cluster) { return std::optional(plain_range(cluster.link.latency)); },
        [](Cluster& cluster, const Ranged<double>& ranged) { cluster.link.latency = typed<Seconds>(ranged); },
        [](RunRates& rates, double value, double) { rates.link_latency = value; },
        [](const RunScale&) { return std::log(3.0); }, kLongest},
    // Tensor parallel engines show 5 to 30 % in published runs.
    ProfileNumber{"card.serial_share", false, true,
                  [](const Cluster& cluster) { return share(cluster.card.serial_share); },
                  [](Cluster& cluster, const Ranged<double>& ranged) {
                    set_alike(cluster, &CardSpec::serial_share, std::optional(typed<Share>(ranged)));
                  },
                  [](RunRates& rates, double value, double) { rates.serial_share = value; },
                  [](const RunScale&) { return 0.15; }, 0.95},
    ProfileNumber{"card.token_overhead", false, false,
                  [](const Cluster& cluster) { return overhead(cluster.card.token_overhead); },
                  [](Cluster& cluster, const Ranged<double>& ranged) {
                    set_alike(cluster, &CardSpec::token_overhead, typed<Seconds>(ranged));
                  },
                  [](RunRates& rates, double value, double) { rates.token_overhead = value; },
                  [](const RunScale& scale) { return 0.3 * scale.shortest_seconds; }, kLongest},
    ProfileNumber{"card.step_overhead", false, false,
                  [](const Cluster& cluster) { return overhead(cluster.card.step_overhead); },
                  [](Cluster& cluster, const Ranged<double>& ranged) {
                    set_alike(cluster, &CardSpec::step_overhead, typed<Seconds>(ranged));
                  },
                  [](RunRates& rates, double value, double) { rates.step_overhead = value; },
                  [](const RunScale& scale) { return 0.3 * scale.shortest_seconds / scale.most_steps; },
                  kLongest},
    // From a switch that never blocks to one whose small buffers lose packets as soon as several ports speak
    // at once.
    ProfileNumber{"switch.contention", false, true,
                  [](const Cluster& cluster) { return share(cluster.star_switch.contention); },
                  [](Cluster& cluster, const Ranged<double>& ranged) {
                    cluster.star_switch.contention = typed<Share>(ranged);
                  },
                  [](RunRates& rates, double value, double) { rates.contention = value; },
                  [](const RunScale&) { return 0.4; }, 1},
    // Cards of one kind differ in speed by a few percent, with heat by tens of percent.
    ProfileNumber{"card.wait_share", false, true,
                  [](const Cluster& cluster) { return share(cluster.card.wait_share); },
                  [](Cluster& cluster, const Ranged<double>& ranged) {
                    set_alike(cluster, &CardSpec::wait_share, std::optional(typed<Share>(ranged)));
                  },
                  [](RunRates& rates, double value, double) { rates.wait_share = value; },
                  [](const RunScale&) { return 0.25; }, 1},
};

}  // namespace

std::span<const ProfileNumber> profile_numbers() { return kNumbers; }

Unknown unknown_of(const ProfileNumber& number, const Cluster& base, const RunScale& scale) {
  constexpr double kLeastSpread = 1e-12;  // steps of a derivative must not vanish
  const double spread = std::max(number.least_spread(scale), kLeastSpread);
  const auto said = number.get(base);
  if (!number.logarithmic) {
    const Ranged<double> before = said.value_or(Ranged<double>{});
    const double below = std::max({before.value - before.low, std::min(spread, before.value), spread / 4});
    const double above = std::max(before.high - before.value, spread);
    return {before.value, below / kDeviationsOf90, above / kDeviationsOf90, 0, number.most};
  }
  constexpr double kTiny = 1e-9;
  const double value = std::max(said->value, kTiny);
  const double below = std::max(std::log(value / std::max(said->low, kTiny)), spread);
  const double above = std::max(std::log(std::max(said->high, kTiny) / value), spread);
  return {std::log(value), below / kDeviationsOf90, above / kDeviationsOf90, std::log(kTiny),
          std::log(number.most)};
}

}  // namespace spanker
