#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/run/run_cards.hpp"
#include "spanker/run/token_chooser.hpp"

namespace spanker {

struct Generation {
  std::vector<std::uint32_t> tokens;  ///< without the one that ended it
  Ending ending = Ending::kLength;
  RunTimes times;
};

/// Whether a model reads this prompt. Fails with kBadInput at `where`, where it is empty or has an id that
/// the vocabulary does not.
Result<void> check_prompt(const ModelShape& shape, std::span<const std::uint32_t> prompt,
                          std::string_view where);

/// Reads the prompt, which is as long as the workload's, and generates up to workload.generate tokens on
/// cards that load_cards made for this problem and plan. `tokenizer` knows which tokens end; null: none do.
/// Fails with kBadInput where the prompt has another length, as check_prompt and TokenChooser do, and as
/// run_cards does.
Result<Generation> generate(const ModelFile& file, const Problem& problem, const Plan& plan,
                            std::span<const std::unique_ptr<Card>> cards,
                            std::span<const std::uint32_t> prompt, const GenerateOptions& options,
                            const Tokenizer* tokenizer, const TokenCallback& on_token);

}  // namespace spanker
