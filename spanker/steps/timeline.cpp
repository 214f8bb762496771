#include "spanker/steps/timeline.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>

namespace spanker {

Seconds Timeline::makespan() const {
  Seconds end{0};
  for (const TimelineEntry& entry : entries) end = std::max(end, entry.end);
  return end;
}

KindTimes::KindTimes(const StepGraph& graph) {
  std::map<std::string_view, std::size_t> kind_indices;
  std::map<std::tuple<std::size_t, std::uint32_t>, std::uint32_t> known;
  for (StepId id = 0; id < graph.size(); ++id) {
    const Step& step = graph.step(id);
    const bool is_exchange = step.exchange != kNoIndex;
    std::string_view name = to_string(step.kind);
    std::uint32_t which = id;
    if (is_exchange) {
      name = to_string(graph.exchanges()[step.exchange].use);
      which = step.exchange;
    } else if (step.kind == StepKind::kKernel) {
      name = to_string(step.op);
      which = step.layer;
    }
    const auto [kind, is_new_kind] = kind_indices.try_emplace(name, kinds_.size());
    if (is_new_kind) kinds_.push_back({name, 0, Seconds(0)});
    const auto next = static_cast<std::uint32_t>(happenings_.size());
    const auto [happening, is_new] = known.try_emplace({kind->second, which}, next);
    if (is_new) {
      happenings_.push_back({kind->second, is_exchange});
      ++kinds_[kind->second].times;
    }
    happening_of_step_.push_back(happening->second);
  }
}

void KindTimes::add(std::span<const TimelineEntry> entries) {
  constexpr Seconds kNever(std::numeric_limits<double>::infinity());
  extents_.assign(happenings_.size(), {kNever, Seconds(0), Seconds(0)});
  for (const TimelineEntry& entry : entries) {
    Extent& extent = extents_[happening_of_step_[entry.step]];
    extent.first_start = std::min(extent.first_start, entry.start);
    extent.last_end = std::max(extent.last_end, entry.end);
    extent.longest = std::max(extent.longest, entry.end - entry.start);
  }
  for (std::size_t i = 0; i < happenings_.size(); ++i) {
    if (extents_[i].first_start == kNever) continue;
    kinds_[happenings_[i].kind].seconds +=
        happenings_[i].is_exchange ? extents_[i].last_end - extents_[i].first_start : extents_[i].longest;
  }
  ++instances_;
}

std::vector<KindSeconds> KindTimes::mean() const {
  std::vector<KindSeconds> kinds = kinds_;
  for (KindSeconds& kind : kinds) kind.seconds /= static_cast<double>(std::max<std::size_t>(instances_, 1));
  return kinds;
}

std::vector<KindSeconds> seconds_by_kind(const StepGraph& graph, const Timeline& timeline,
                                         std::uint32_t instance) {
  std::vector<TimelineEntry> entries;
  std::ranges::copy_if(timeline.entries, std::back_inserter(entries),
                       [&](const TimelineEntry& entry) { return entry.instance == instance; });
  KindTimes times(graph);
  times.add(entries);
  return times.mean();
}

}  // namespace spanker
