#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "spanker/cost/cluster_rates.hpp"

namespace spanker {

/// What one directed link did; the host link has two directions, or two for each card where it is not shared.
struct LinkUse {
  std::string name;     ///< "0->1", "host->cards", "host->card 2"
  Bytes bytes;          ///< that went over it
  Seconds carrying{0};  ///< those bytes at its stated bandwidth
  Seconds delay{0};     ///< by which sends took longer than alone, each blamed on its most crowded link
};

/// Keeps account of what goes over which link.
class LinkMeter {
 public:
  /// `rates` must outlive it.
  explicit LinkMeter(const ClusterRates& rates);

  /// A route in use: valid as long as the meter.
  using Route = const std::vector<std::size_t>*;
  /// `from` or `to` may be kHost.
  static constexpr CardId kHost = ~CardId{0};
  Route route(CardId from, CardId to);

  void begin(Route route);
  /// The send that began at that time is over; `bytes` are what it carried.
  void end(Route route, Bytes bytes, Seconds duration);
  /// It did not come through.
  void abandon(Route route);

  /// Links that carried anything, in the order of their numbers, the host link last.
  std::vector<LinkUse> uses() const;

 private:
  struct Line {
    LinkRates rates;
    std::uint32_t active = 0;
    LinkUse use;
  };
  std::size_t line_of(std::uint64_t key, LinkRates rates, std::string name);

  const ClusterRates& rates_;
  std::map<std::pair<CardId, CardId>, std::vector<std::size_t>> routes_;
  std::map<std::uint64_t, std::size_t> line_indices_;
  std::vector<Line> lines_;
};

}  // namespace spanker
