#include "spanker/plan/validate.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "spanker/cluster/network.hpp"
#include "spanker/plan/memory.hpp"

namespace spanker {
namespace {

std::string stage_name(std::size_t index) { return "plan.stages[" + std::to_string(index) + "]"; }

template <class Count>
Result<void> check_shares(const std::string& where, std::string_view what, const std::vector<Count>& shares,
                          std::size_t cards, std::uint64_t total, std::uint64_t unit) {
  const std::string name = where + "." + std::string(what);
  if (shares.size() != cards) {
    return bad_input(name, "not one share for each card", std::to_string(cards),
                     std::to_string(shares.size()));
  }
  std::uint64_t sum = 0;
  for (const Count share : shares) {
    if (share > total)
      return bad_input(name, "a share is too large", "at most " + std::to_string(total),
                       std::to_string(share));
    sum += share;
    // Only where everything is dealt may a piece smaller than the unit remain.
    if (share % unit != 0 && sum != total) {
      return bad_input(name, "a share cuts a unit", "a multiple of " + std::to_string(unit),
                       std::to_string(share));
    }
  }
  if (sum != total)
    return bad_input(name, "shares do not add up", std::to_string(total), std::to_string(sum));
  return {};
}

Result<void> check_algorithm(const std::string& where, Collective collective, Algorithm algorithm) {
  if (std::ranges::find(algorithms_of(collective), algorithm) != algorithms_of(collective).end()) return {};
  return bad_input(where, std::string(to_string(collective)) + " has no such algorithm", "",
                   std::string(to_string(algorithm)));
}

Result<void> check_stage(const Problem& problem, const Plan& plan, std::size_t index) {
  const Stage& stage = plan.stages[index];
  const ModelShape& shape = problem.model.shape;
  const std::string where = stage_name(index);
  const bool has_rows = index == 0 || index + 1 == plan.stages.size();
  const std::size_t cards = stage.cards.size();
  auto sound = check_shares(where, "query_heads", stage.shares.query_heads, cards, shape.num_attention_heads,
                            problem.head_unit)
                   .and_then([&] {
                     return check_shares(where, "ffn_columns", stage.shares.ffn_columns, cards,
                                         shape.intermediate_size, problem.column_unit);
                   })
                   .and_then([&] {
                     return check_shares(where, "vocabulary_rows", stage.shares.vocabulary_rows, cards,
                                         has_rows ? shape.vocab_size : 0, problem.row_unit);
                   });
  for (const StageCollectives& used : {stage.decode, stage.prefill}) {
    sound = sound.and_then([&] { return check_algorithm(where, Collective::kAllReduce, used.all_reduce); });
    sound = sound.and_then([&] { return check_algorithm(where, Collective::kBroadcast, used.broadcast); });
  }
  return sound;
}

Result<void> check_cards(const Problem& problem, const Plan& plan) {
  const std::vector<CardId> reachable = Network(problem.cluster).connected_cards();
  std::set<CardId> used;
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    if (plan.stages[index].cards.empty())
      return bad_input(stage_name(index), "no cards", "one card or more", "none");
    for (const CardId card : plan.stages[index].cards) {
      const std::string name = std::to_string(card);
      if (card >= problem.cluster.card_count) {
        return bad_input(stage_name(index), "no such card",
                         "0 to " + std::to_string(problem.cluster.card_count - 1), name);
      }
      if (!std::ranges::binary_search(reachable, card)) {
        return bad_input(stage_name(index), "card is cut off by links that are not up", "", name);
      }
      if (!used.insert(card).second) return bad_input(stage_name(index), "card is used twice", "", name);
    }
  }
  return {};
}

Result<void> check_layers(const Problem& problem, const Plan& plan) {
  std::uint32_t next = 0;
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    const Stage& stage = plan.stages[index];
    if (stage.first_layer != next || stage.last_layer < stage.first_layer ||
        stage.last_layer >= problem.model.shape.num_hidden_layers) {
      return bad_input(stage_name(index), "layers do not follow one another",
                       "layers from " + std::to_string(next),
                       std::to_string(stage.first_layer) + " to " + std::to_string(stage.last_layer));
    }
    next = stage.last_layer + 1;
  }
  if (next == problem.model.shape.num_hidden_layers) return {};
  return bad_input("plan.stages", "layers are left out",
                   std::to_string(problem.model.shape.num_hidden_layers) + " layers", std::to_string(next));
}

Result<void> check_memory(const Problem& problem, const Plan& plan) {
  for (const CardMemory& memory : plan_memory(problem, plan)) {
    if (memory.fits()) continue;
    return tl::unexpected(Error{ErrorKind::kInfeasible, "plan: card " + std::to_string(memory.card),
                                "does not hold its part", std::to_string(memory.total().value) + " bytes",
                                std::to_string(memory.capacity_bytes.value) + " bytes"});
  }
  return {};
}

}  // namespace

Result<void> validate(const Problem& problem, const Plan& plan) {
  if (plan.stages.empty()) return bad_input("plan.stages", "no stages", "one or more", "none");
  auto sound = check_cards(problem, plan).and_then([&] { return check_layers(problem, plan); });
  for (std::size_t index = 0; index < plan.stages.size(); ++index) {
    sound = sound.and_then([&] { return check_stage(problem, plan, index); });
  }
  return sound.and_then([&] { return check_algorithm("plan.gather", Collective::kGather, plan.gather); })
      .and_then([&] { return check_memory(problem, plan); });
}

}  // namespace spanker
