#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "spanker/steps/step_graph.hpp"

namespace spanker {

/// When one step of one instance of a graph ran.
struct TimelineEntry {
  std::uint32_t instance = 0;
  StepId step = 0;
  Seconds start{0};
  Seconds end{0};

  bool operator==(const TimelineEntry&) const = default;
};

/// When steps ran, as predicted, simulated or measured. The step tells the card or the route.
struct Timeline {
  std::vector<TimelineEntry> entries;

  /// The end of the last step; 0 where there is none.
  Seconds makespan() const;
};

/// Seconds by kind of step: of kernels their operator, of sends what the exchange is for.
struct KindSeconds {
  std::string_view kind;  ///< to_string of an OperatorKind, an ExchangeUse or a StepKind
  std::size_t times = 0;  ///< how often it happens
  Seconds seconds{0};  ///< summed over those: of a kernel on the card where it lasts longest, of an exchange
                       ///< from its first start to its last end
};

/// Where the time of a graph's instances goes.
class KindTimes {
 public:
  /// `graph` must outlive it.
  explicit KindTimes(const StepGraph& graph);

  /// One more instance: entries of its steps, in any order.
  void add(std::span<const TimelineEntry> entries);
  std::size_t instances() const { return instances_; }
  /// Of one instance, on average; in the order in which the kinds first occur in the graph.
  std::vector<KindSeconds> mean() const;

 private:
  /// What counts as happening once: an operator of a layer on whichever card, an exchange, or any other step.
  struct Happening {
    std::size_t kind;  ///< index into kinds_
    bool is_exchange;
  };
  struct Extent {
    Seconds first_start;
    Seconds last_end;
    Seconds longest;
  };

  std::vector<std::uint32_t> happening_of_step_;
  std::vector<Happening> happenings_;
  std::vector<Extent> extents_;  ///< of the instance being added
  std::vector<KindSeconds> kinds_;
  std::size_t instances_ = 0;
};

/// The same for a single instance of a timeline.
std::vector<KindSeconds> seconds_by_kind(const StepGraph& graph, const Timeline& timeline,
                                         std::uint32_t instance = 0);

}  // namespace spanker
