#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spanker/plan/memory.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {

/// The best that clusters of the same kind reach, where none reaches the rate asked for.
struct OutOfReach {
  double tokens_per_second = 0;  ///< objective_rate
  std::uint32_t cards_used = 0;
  std::string limiting_term;  ///< the largest of that plan's price
  CardMemory fullest;         ///< the card with least room
};

/// The smallest cluster of the same kind (with_card_count) whose best plan reaches the rate: for throughput
/// that of all streams, else of one stream in decode. Up to `most_cards` cards; above kMaxEveryWidth only
/// counts at which the largest share of heads, columns or rows becomes smaller, and powers of two. `tried` is
/// told how many counts of how many are done. Nothing where no count has a plan.
std::variant<std::monostate, Problem, OutOfReach> smallest_cluster_for(
    const Problem& problem, StrategySet allowed, double tokens_per_second, std::uint32_t most_cards,
    const std::function<void(std::size_t done, std::size_t all)>& tried = {});

}  // namespace spanker
