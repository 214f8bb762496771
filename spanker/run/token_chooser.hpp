#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/run/sampler.hpp"
#include "spanker/tokenizer/tokenizer.hpp"

namespace spanker {

/// What to generate.
struct GenerateOptions {
  SamplingOptions sampling;
  bool ignores_end = false;        ///< goes on after tokens that end an answer
  bool is_paced = false;           ///< cards and links are as slow as the problem's cluster says
  bool native_all_reduce = false;  ///< the network's own instead of the plan's
};

/// Why a run came to its end.
enum class Ending {
  kLength,       ///< all that was asked for is generated
  kEndToken,     ///< the model chose to end
  kInterrupted,  ///< the caller did
};
/// "length", "end_token", "interrupted".
std::string_view to_string(Ending ending);

/// Told each token as it is chosen, and the seed with which a sampler goes on after it; whether to go on.
using TokenCallback = std::function<bool(std::uint32_t token, std::uint64_t seed)>;

/// Chooses tokens one after another, and knows when to end.
class TokenChooser {
 public:
  /// Chooses up to `most` tokens. `tokenizer` knows which tokens end; null: none do. It and `on_token` must
  /// outlive the chooser. Fails as Sampler::make does.
  static Result<TokenChooser> make(const GenerateOptions& options, std::uint64_t most,
                                   const Tokenizer* tokenizer, const TokenCallback& on_token);

  /// The next one, as NextToken. Nothing where it could not choose, too.
  std::optional<std::uint32_t> next(std::span<const float> logits);

  const std::vector<std::uint32_t>& tokens() const { return tokens_; }  ///< without one that ended it
  Ending ending() const { return ending_; }
  /// Why it could not choose.
  const std::optional<Error>& error() const { return error_; }

 private:
  TokenChooser(Sampler sampler, bool ignores_end, std::uint64_t most, const Tokenizer* tokenizer,
               const TokenCallback& on_token)
      : sampler_(std::move(sampler)),
        most_(most),
        tokenizer_(ignores_end ? nullptr : tokenizer),
        on_token_(&on_token) {}

  Sampler sampler_;
  std::uint64_t most_;
  const Tokenizer* tokenizer_;
  const TokenCallback* on_token_;
  std::vector<std::uint32_t> tokens_;
  Ending ending_ = Ending::kLength;
  std::optional<Error> error_;
};

}  // namespace spanker
