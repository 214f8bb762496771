#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// Internal to this module.
namespace spanker {

/// Tokens that are found in text by their name.
class SpecialTokens {
 public:
  struct Token {
    std::string_view text;  ///< not empty; must outlive this
    std::uint32_t id;
  };
  /// A token in a text.
  struct Match {
    std::size_t at;
    Token token;
  };

  explicit SpecialTokens(std::vector<Token> tokens);

  /// The first token in `text` from `start`, of several that begin there the longest; nothing where there is
  /// none. Takes at most as many steps a byte as the longest token has bytes.
  std::optional<Match> find(std::string_view text, std::size_t start) const;

 private:
  const Token* longest_at_start(std::string_view text) const;

  std::vector<Token> tokens_;  // by text
  std::array<std::pair<std::size_t, std::size_t>, 256>
      of_first_byte_{};  // where those that begin with it lie
};

}  // namespace spanker
