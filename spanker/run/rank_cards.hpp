#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "spanker/base/result.hpp"
#include "spanker/comm/endpoint.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/run/run_cards.hpp"
#include "spanker/run/token_chooser.hpp"

namespace spanker {

// What run_cards.hpp does, with cards in several processes: rank r of the endpoint's network is the plan's
// r-th card in the order of shards_of, and ranks beyond those have no card. All ranks make the same calls,
// and all of them fail where one does, with the same error.

/// This rank's card, of `threads` threads; null where it has none. Answers others while it loads.
Result<std::unique_ptr<Card>> load_rank_card(const ModelFile& file, const Problem& problem, const Plan& plan,
                                             Endpoint& endpoint, std::size_t threads, std::uint32_t spins);

/// Runs the plan, in the ways that `options` say; how to sample is `next`'s, which is called on rank 0.
/// `card` is load_rank_card's. Times on rank 0, else nothing.
Result<std::optional<RunTimes>> run_rank_card(const ModelFile& file, const Problem& problem, const Plan& plan,
                                              Card* card, Endpoint& endpoint,
                                              std::span<const std::uint32_t> prompt, const NextToken& next,
                                              const GenerateOptions& options);

}  // namespace spanker
