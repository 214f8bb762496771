#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "spanker/steps/step_graph.hpp"

namespace spanker {

/// A step graph with what running many instances of it needs.
class PreparedGraph {
 public:
  explicit PreparedGraph(StepGraph graph);

  const StepGraph& graph() const { return graph_; }
  /// How many steps each waits for.
  std::span<const std::uint32_t> wait_counts() const { return wait_counts_; }
  /// The steps that wait for this one.
  std::span<const StepId> followers(StepId id) const {
    return std::span(followers_)
        .subspan(follower_begins_[id], follower_begins_[id + 1] - follower_begins_[id]);
  }

 private:
  StepGraph graph_;
  std::vector<std::uint32_t> wait_counts_;
  std::vector<std::size_t> follower_begins_;
  std::vector<StepId> followers_;
};

}  // namespace spanker
