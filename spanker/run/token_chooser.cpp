#include "spanker/run/token_chooser.hpp"

namespace spanker {

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::kLength:
      return "length";
    case Ending::kEndToken:
      return "end_token";
    case Ending::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

Result<TokenChooser> TokenChooser::make(const GenerateOptions& options, std::uint64_t most,
                                        const Tokenizer* tokenizer, const TokenCallback& on_token) {
  auto sampler = Sampler::make(options.sampling);
  if (!sampler) return tl::unexpected(sampler.error());
  return TokenChooser(std::move(*sampler), options.ignores_end, most, tokenizer, on_token);
}

std::optional<std::uint32_t> TokenChooser::next(std::span<const float> logits) {
  const auto token = sampler_.sample(logits);
  if (!token) {
    error_ = token.error();
    return std::nullopt;
  }
  if (tokenizer_ != nullptr && tokenizer_->is_end_of_generation(*token)) {
    ending_ = Ending::kEndToken;
    return std::nullopt;
  }
  tokens_.push_back(*token);
  if (!(*on_token_)(*token, sampler_.seed_from_here())) {
    ending_ = Ending::kInterrupted;
    return std::nullopt;
  }
  if (tokens_.size() == most_) return std::nullopt;
  return *token;
}

}  // namespace spanker
