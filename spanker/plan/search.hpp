#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "spanker/plan/problem.hpp"

namespace spanker {

/// Which strategies a search may answer with.
struct StrategySet {
  bool single_card = true;
  bool tensor_parallel = true;
  bool pipeline_parallel = true;
  bool hybrid = true;

  static StrategySet only(PlanStrategy strategy);
  bool contains(PlanStrategy strategy) const;
};

/// The plan of the allowed strategies that decodes a token of one stream in the least time and fits every
/// card's memory; nothing where none fits. Equals go to one stage on fewer cards; among several stages, to
/// those whose slowest is quickest.
///
/// Exact over: which cards (see candidate_card_lists), in index order; runs of consecutive chosen cards as
/// stages; every cut of the layers; shares of heads, columns and rows (shares.hpp); the algorithm of every
/// collective.
std::optional<Plan> search(const Problem& problem, StrategySet allowed = {});

/// The same over one stage on exactly these cards.
std::optional<Plan> search_one_stage(const Problem& problem, std::span<const CardId> cards);

/// The lists of cards that a search tries, each in index order; a plan may use a list's first cards only
/// where the search tries one list. Equal cards on a uniform line, star or full mesh: all cards, of which the
/// first n serve as well as any n. Otherwise every subset of up to kMaxSubsetCards cards (on a uniform ring
/// of equal cards, those with card 0), and on larger clusters all cards, of which the first n are used. Cards
/// that only links that are not up cut off are left out.
std::vector<std::vector<CardId>> candidate_card_lists(const Cluster& cluster);

inline constexpr std::uint32_t kMaxSubsetCards = 8;

}  // namespace spanker
