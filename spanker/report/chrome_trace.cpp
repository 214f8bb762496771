#include "spanker/report/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <queue>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/cluster/network.hpp"

namespace spanker {
namespace {

constexpr Seconds kLatestEvent{1e9};
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

/// The order of groups in a viewer; each is a "process" there, and its rows are "threads".
enum class RowKind : int { kCards = 1, kHostLink = 2, kLinks = 3, kCollectives = 4 };

std::string_view group_name(RowKind kind) {
  switch (kind) {
    case RowKind::kCards:
      return "cards";
    case RowKind::kHostLink:
      return "host link";
    case RowKind::kLinks:
      return "links";
    case RowKind::kCollectives:
      return "collectives";
  }
  return {};
}

/// Where an event is drawn: a card, a link, ... of its kind.
struct Row {
  RowKind kind = RowKind::kCards;
  std::uint32_t index = 0;

  auto operator<=>(const Row&) const = default;
};

/// Times in whole nanoseconds, so that events which follow one another still do after rounding.
struct Extent {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

bool can_be_shown(const TimelineEntry& entry) {
  return entry.start >= Seconds(0) && entry.end >= entry.start && entry.end <= kLatestEvent;
}

std::int64_t nanoseconds(Seconds time) { return std::llround(time.count() * 1e9); }

std::string json_text(std::string_view text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The threads that one row needs so that no two events of a thread overlap. Threads are numbered as they
/// come up.
class Lanes {
 public:
  /// The first thread that is free from `extent.start` on, and is not until `extent.end`. Starts must not
  /// fall from call to call.
  std::uint32_t take(Extent extent, std::uint32_t& next_thread) {
    for (; !busy_.empty() && busy_.top().first <= extent.start; busy_.pop()) free_.push(busy_.top().second);
    if (free_.empty()) add(next_thread);
    const std::size_t lane = free_.top();
    free_.pop();
    busy_.emplace(extent.end, lane);
    return threads_[lane];
  }

  /// A row has a thread even if nothing happens on it.
  std::span<const std::uint32_t> threads(std::uint32_t& next_thread) {
    if (threads_.empty()) add(next_thread);
    return threads_;
  }

 private:
  void add(std::uint32_t& next_thread) {
    free_.push(threads_.size());
    threads_.push_back(next_thread++);
  }

  template <class T>
  using LeastFirst = std::priority_queue<T, std::vector<T>, std::greater<T>>;

  std::vector<std::uint32_t> threads_;
  LeastFirst<std::size_t> free_;
  LeastFirst<std::pair<std::int64_t, std::size_t>> busy_;  ///< until when
};

class TraceWriter {
 public:
  TraceWriter(AtomicFileWriter& file, const Cluster& cluster, std::span<const TraceInstance> instances)
      : file_(file), cluster_(cluster), network_(cluster), instances_(instances) {
    for (const TraceInstance& instance : instances) labels_.push_back(json_text(instance.label));
    for (CardId card = 0; card < cluster.card_count; ++card) lanes_[{RowKind::kCards, card}];
  }

  Result<void> write(const Timeline& timeline) {
    buffer_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    for (const std::uint32_t at : by_start(timeline.entries)) {
      const TimelineEntry& entry = timeline.entries[at];
      if (can_be_shown(entry)) add_step(entry);
      if (buffer_.size() < kBufferBytes) continue;
      if (auto written = flush(); !written) return written;
    }
    add_names();
    buffer_ += "\n]}\n";
    return flush();
  }

 private:
  /// Entries in the order of their starts, by index: a timeline may be too large to be copied.
  static std::vector<std::uint32_t> by_start(const std::vector<TimelineEntry>& entries) {
    assert(entries.size() <= UINT32_MAX);
    std::vector<std::uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) {
      const TimelineEntry& x = entries[a];
      const TimelineEntry& y = entries[b];
      return std::pair(x.start, a) < std::pair(y.start, b);
    };
    // What is not a number has no place in an order; it is not shown.
    const auto shown = std::partition(order.begin(), order.end(),
                                      [&](std::uint32_t at) { return can_be_shown(entries[at]); });
    order.erase(shown, order.end());
    std::sort(order.begin(), order.end(), earlier);
    return order;
  }

  void add_step(const TimelineEntry& entry) {
    const StepGraph& graph = *instances_[entry.instance].graph;
    const Step& step = graph.step(entry.step);
    switch (step.kind) {
      case StepKind::kKernel:
        add_event({RowKind::kCards, step.card}, to_string(step.op), entry);
        break;
      case StepKind::kPassOverhead:
        add_event({RowKind::kCards, step.card}, to_string(step.kind), entry);
        break;
      case StepKind::kUpload:
      case StepKind::kDownload: {
        const CardId port = cluster_.host_link.shared ? 0 : step.card;
        add_event({RowKind::kHostLink, port}, to_string(step.kind), entry);
        break;
      }
      case StepKind::kSend:
        for (const LinkId link : route(step.card, step.to)) {
          add_event({RowKind::kLinks, link}, to_string(graph.exchanges()[step.exchange].use), entry);
        }
        break;
      case StepKind::kCollective:
        add_event({RowKind::kCollectives, 0}, to_string(graph.exchanges()[step.exchange].use), entry);
        break;
      case StepKind::kJoin:
        break;
    }
  }

  void add_event(Row row, std::string_view name, const TimelineEntry& entry) {
    const Extent extent = {nanoseconds(entry.start), nanoseconds(entry.end)};
    const std::int64_t duration = extent.end - extent.start;
    begin_event();
    fmt::format_to(std::back_inserter(buffer_),
                   R"("ph":"X","pid":{},"tid":{},"ts":{}.{:03},"dur":{}.{:03},"name":"{}","args":{{)",
                   static_cast<int>(row.kind), lanes_[row].take(extent, next_thread_), extent.start / 1000,
                   extent.start % 1000, duration / 1000, duration % 1000, name);
    add_arguments(entry);
    buffer_ += "}}";
  }

  void add_arguments(const TimelineEntry& entry) {
    const StepGraph& graph = *instances_[entry.instance].graph;
    const Step& step = graph.step(entry.step);
    const auto out = std::back_inserter(buffer_);
    fmt::format_to(out, R"("instance":{},"step":{})", labels_[entry.instance], entry.step);
    const bool exchanged = step.exchange != kNoIndex;
    const std::uint32_t layer = exchanged ? graph.exchanges()[step.exchange].layer : step.layer;
    if (layer != kNoIndex) fmt::format_to(out, R"(,"layer":{})", layer);
    if (step.kind == StepKind::kSend) fmt::format_to(out, R"(,"from":{},"to":{})", step.card, step.to);
    if (step.kind == StepKind::kCollective) {
      const Exchange& exchange = graph.exchanges()[step.exchange];
      fmt::format_to(out, R"(,"collective":"{}","algorithm":"{}")", to_string(exchange.collective),
                     to_string(exchange.algorithm));
    } else if (step.kind != StepKind::kPassOverhead) {
      fmt::format_to(out, R"(,"bytes":{})", step.bytes.value);
    }
  }

  /// Names and order are told last, when it is known what rows there are.
  void add_names() {
    std::optional<RowKind> group;
    std::uint32_t place = 0;
    for (auto& [row, lanes] : lanes_) {
      const int process = static_cast<int>(row.kind);
      if (group != row.kind) {
        add_metadata(process, 0, "process_name", "name", json_text(group_name(row.kind)));
        add_metadata(process, 0, "process_sort_index", "sort_index", std::to_string(process));
        group = row.kind;
      }
      std::size_t count = 0;
      for (const std::uint32_t thread : lanes.threads(next_thread_)) {
        const std::string further = ++count == 1 ? "" : fmt::format(" ({})", count);
        add_metadata(process, thread, "thread_name", "name", json_text(row_name(row) + further));
        add_metadata(process, thread, "thread_sort_index", "sort_index", std::to_string(place++));
      }
    }
  }

  void add_metadata(int process, std::uint32_t thread, std::string_view what, std::string_view key,
                    std::string_view value) {
    begin_event();
    fmt::format_to(std::back_inserter(buffer_),
                   R"("ph":"M","pid":{},"tid":{},"name":"{}","args":{{"{}":{}}}}})", process, thread, what,
                   key, value);
  }

  std::string row_name(Row row) const {
    switch (row.kind) {
      case RowKind::kCards:
        return fmt::format("card {}", row.index);
      case RowKind::kHostLink:
        return cluster_.host_link.shared ? "host link" : fmt::format("host link of card {}", row.index);
      case RowKind::kLinks:
        return network_.link_name(row.index);
      case RowKind::kCollectives:
        return "collectives as one step";
    }
    return {};
  }

  const std::vector<LinkId>& route(CardId from, CardId to) {
    const auto [known, is_new] = routes_.try_emplace({from, to});
    if (is_new) network_.append_route(from, to, known->second);
    return known->second;
  }

  void begin_event() {
    buffer_ += is_first_ ? "\n{" : ",\n{";
    is_first_ = false;
  }

  Result<void> flush() {
    auto written = file_.write(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
    return written;
  }

  AtomicFileWriter& file_;
  const Cluster& cluster_;
  const Network network_;
  const std::span<const TraceInstance> instances_;
  std::vector<std::string> labels_;  ///< as JSON
  std::map<Row, Lanes> lanes_;
  std::map<std::pair<CardId, CardId>, std::vector<LinkId>> routes_;
  std::uint32_t next_thread_ = 1;
  bool is_first_ = true;
  std::string buffer_;
};

}  // namespace

Result<void> write_chrome_trace(const std::string& path, const Cluster& cluster,
                                std::span<const TraceInstance> instances, const Timeline& timeline) {
  auto file = AtomicFileWriter::create(path);
  if (!file) return tl::unexpected(file.error());
  return TraceWriter(*file, cluster, instances).write(timeline).and_then([&] { return file->commit(); });
}

}  // namespace spanker
