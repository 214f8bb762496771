#include "spanker/simulate/prepared_graph.hpp"

#include <utility>

namespace spanker {

PreparedGraph::PreparedGraph(StepGraph graph)
    : graph_(std::move(graph)), wait_counts_(graph_.size()), follower_begins_(graph_.size() + 1, 0) {
  for (StepId id = 0; id < graph_.size(); ++id) {
    wait_counts_[id] = static_cast<std::uint32_t>(graph_.waits_for(id).size());
    for (const StepId other : graph_.waits_for(id)) ++follower_begins_[other + 1];
  }
  for (std::size_t i = 1; i < follower_begins_.size(); ++i) follower_begins_[i] += follower_begins_[i - 1];
  followers_.resize(follower_begins_.back());
  std::vector<std::size_t> next(follower_begins_.begin(), follower_begins_.end() - 1);
  for (StepId id = 0; id < graph_.size(); ++id) {
    for (const StepId other : graph_.waits_for(id)) followers_[next[other]++] = id;
  }
}

}  // namespace spanker
