#include "spanker/tokenizer/special_tokens.hpp"

#include <algorithm>

namespace spanker {

SpecialTokens::SpecialTokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::ranges::sort(tokens_, {}, &Token::text);
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    auto& [begin, end] = of_first_byte_[static_cast<std::uint8_t>(tokens_[i].text.front())];
    if (begin == end) begin = i;
    end = i + 1;
  }
}

std::optional<SpecialTokens::Match> SpecialTokens::find(std::string_view text, std::size_t start) const {
  for (std::size_t at = start; at < text.size(); ++at) {
    if (const Token* token = longest_at_start(text.substr(at))) return Match{at, *token};
  }
  return std::nullopt;
}

const SpecialTokens::Token* SpecialTokens::longest_at_start(std::string_view text) const {
  const auto [first, last] = of_first_byte_[static_cast<std::uint8_t>(text.front())];
  auto begin = tokens_.begin() + static_cast<std::ptrdiff_t>(first);
  auto end = tokens_.begin() + static_cast<std::ptrdiff_t>(last);
  const Token* longest = nullptr;
  // Of the tokens that agree with the text so far, the shortest comes first.
  for (std::size_t length = 1; begin != end; ++length) {
    if (begin->text.size() == length) longest = &*begin++;
    if (length == text.size()) break;
    const auto next_byte = static_cast<unsigned char>(text[length]);
    const auto byte_of = [&](const Token& token) { return static_cast<unsigned char>(token.text[length]); };
    begin = std::partition_point(begin, end, [&](const Token& token) { return byte_of(token) < next_byte; });
    end = std::partition_point(begin, end, [&](const Token& token) { return byte_of(token) == next_byte; });
  }
  return longest;
}

}  // namespace spanker
