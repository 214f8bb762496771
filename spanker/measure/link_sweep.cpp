#include "spanker/measure/link_sweep.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kLargest = std::size_t{1} << 20;
constexpr int kTimes = 5;
/// Of a median: more of the short ones.
int round_trips(std::size_t bytes) { return bytes <= 16384 ? 101 : 21; }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Result<double> median_seconds(int times, const std::function<Result<void>()>& once) {
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    if (auto done = once(); !done) return Failure(done.error());
    seconds.push_back(Seconds(Clock::now() - start).count());
  }
  return median(std::move(seconds));
}

/// To the other and back.
Result<void> round_trip(Communicator& cards, bool begins, std::uint32_t peer, std::span<float> values) {
  if (begins) {
    if (auto sent = cards.send(peer, values); !sent) return sent;
    return cards.recv(peer, values);
  }
  if (auto received = cards.recv(peer, values); !received) return received;
  return cards.send(peer, values);
}

/// As the first of the two cards sees it.
Result<LinkSweep> sweep(Communicator& cards, std::uint32_t a, std::uint32_t b) {
  LinkSweep link{a, b, {}};
  const bool begins = cards.rank() == a;
  for (std::size_t bytes = kSmallest; bytes <= kLargest; bytes *= 4) {
    LinkSweep::Point& point = link.points.emplace_back();
    point.bytes = Bytes(bytes);
    std::vector<float> values(bytes / sizeof(float), 1.0f);
    for (int i = 0; i < kTimes; ++i) {
      const auto seconds = median_seconds(round_trips(bytes),
                                          [&] { return round_trip(cards, begins, begins ? b : a, values); });
      if (!seconds) return Failure(seconds.error());
      point.seconds.push_back(*seconds / 2);
    }
  }
  return link;
}

/// Card 0 learns what another card saw.
Result<void> tell(Communicator& cards, std::uint32_t from, LinkSweep& link) {
  if (from == 0) return {};
  for (LinkSweep::Point& point : link.points) {
    // Nanoseconds, of which a float holds the first seven digits.
    std::vector<float> values(kTimes);
    if (cards.rank() == from) {
      std::ranges::transform(point.seconds, values.begin(),
                             [](double seconds) { return static_cast<float>(1e9 * seconds); });
      if (auto sent = cards.send(0, values); !sent) return sent;
    } else if (cards.rank() == 0) {
      if (auto received = cards.recv(from, values); !received) return received;
      for (const float value : values) point.seconds.push_back(1e-9 * value);
    }
  }
  return {};
}

struct Line {
  double latency = 0;
  double per_byte = 0;
};

/// Weighted by 1 / seconds^2; neither part below zero.
Line nearest_line(const std::vector<LinkSweep::Point>& points,
                  const std::function<double(const std::vector<double>&)>& of) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  for (const LinkSweep::Point& point : points) {
    const double x = static_cast<double>(point.bytes.value);
    const double y = of(point.seconds);
    const double weight = 1 / (y * y);
    w += weight;
    wx += weight * x;
    wxx += weight * x * x;
    wy += weight * y;
    wxy += weight * x * y;
  }
  Line line;
  line.per_byte = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  line.latency = (wy - line.per_byte * wx) / w;
  if (line.per_byte <= 0) line = {wy / w, 1e-15};
  if (line.latency <= 0) line = {1e-9, wxy / wxx};
  return line;
}

}  // namespace

Result<std::vector<LinkSweep>> sweep_links(Communicator& cards) {
  std::vector<LinkSweep> all;
  for (std::uint32_t a = 0; a < cards.size(); ++a) {
    for (std::uint32_t b = a + 1; b < cards.size(); ++b) {
      if (auto together = cards.barrier(); !together) return Failure(together.error());
      LinkSweep link{a, b, {}};
      if (cards.rank() == a || cards.rank() == b) {
        auto swept = sweep(cards, a, b);
        if (!swept) return Failure(swept.error());
        link = std::move(*swept);
      } else if (cards.rank() == 0) {
        for (std::size_t bytes = kSmallest; bytes <= kLargest; bytes *= 4) {
          link.points.push_back({Bytes(bytes), {}});
        }
      }
      if (auto told = tell(cards, a, link); !told) return Failure(told.error());
      if (cards.rank() == 0) all.push_back(std::move(link));
    }
  }
  return all;
}

Result<double> time_all_reduce(Communicator& cards, Bytes bytes, Algorithm algorithm) {
  std::vector<float> values(bytes.value / sizeof(float), 1.0f);
  return median_seconds(round_trips(bytes.value),
                        [&] { return cards.all_reduce(values, ReduceOp::kMax, algorithm); });
}

LinkSpec fit_link(const LinkSweep& sweep, const std::string& source) {
  const Line value = nearest_line(sweep.points, median);
  const Line fast = nearest_line(sweep.points, [](const auto& all) { return std::ranges::min(all); });
  const Line slow = nearest_line(sweep.points, [](const auto& all) { return std::ranges::max(all); });
  const auto [least_byte, most_byte] = std::minmax({value.per_byte, fast.per_byte, slow.per_byte});
  const auto [least_latency, most_latency] = std::minmax({value.latency, fast.latency, slow.latency});
  LinkSpec link;
  link.bandwidth = {BytesPerSecond(1 / value.per_byte), BytesPerSecond(1 / most_byte),
                    BytesPerSecond(1 / least_byte), source};
  link.latency = {Seconds(value.latency), Seconds(least_latency), Seconds(most_latency), source};
  return link;
}

}  // namespace spanker
