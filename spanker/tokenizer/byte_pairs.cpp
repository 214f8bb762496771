#include "spanker/tokenizer/byte_pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "spanker/base/text.hpp"
#include "spanker/tokenizer/byte_characters.hpp"

namespace spanker {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Normal tokens by their text. Sorted, as no choice of texts makes that slow.
class TokensByText {
 public:
  TokensByText(const TokenTable& table, const std::vector<std::string>& texts) : texts_(texts) {
    for (std::uint32_t id = 0; id < texts.size(); ++id) {
      if (table.kinds[id] == TokenKind::kNormal) ids_.push_back(id);
    }
    std::ranges::sort(ids_, {}, [&](std::uint32_t id) -> const std::string& { return texts_[id]; });
  }

  std::optional<std::uint32_t> find(std::string_view text) const {
    const auto found = std::lower_bound(ids_.begin(), ids_.end(), text,
                                        [&](std::uint32_t id, std::string_view t) { return texts_[id] < t; });
    if (found == ids_.end() || texts_[*found] != text) return std::nullopt;
    return *found;
  }

 private:
  const std::vector<std::string>& texts_;
  std::vector<std::uint32_t> ids_;
};

struct Merge {
  std::uint32_t left, right;
  std::uint32_t rank;  ///< its place in the file: lower ones come first
  std::uint32_t joined;
};

/// Merges by their two tokens.
class Merges {
 public:
  Merges(std::vector<Merge> merges, std::size_t tokens)
      : merges_(std::move(merges)), first_of_left_(tokens + 1) {
    // A pair that stands there twice has its earlier rank.
    std::ranges::sort(merges_, {}, [](const Merge& m) { return std::tuple(m.left, m.right, m.rank); });
    for (const Merge& merge : merges_) ++first_of_left_[merge.left + 1];
    for (std::size_t i = 1; i < first_of_left_.size(); ++i) first_of_left_[i] += first_of_left_[i - 1];
  }

  const Merge* find(std::uint32_t left, std::uint32_t right) const {
    const Merge* const begin = merges_.data() + first_of_left_[left];
    const Merge* const end = merges_.data() + first_of_left_[left + 1];
    const Merge* const found = std::lower_bound(
        begin, end, right, [](const Merge& merge, std::uint32_t r) { return merge.right < r; });
    return found != end && found->right == right ? found : nullptr;
  }

 private:
  std::vector<Merge> merges_;
  std::vector<std::size_t> first_of_left_;  ///< where the merges of a left token begin, and those of the next
};

/// One word while its tokens are joined: a list of tokens, and the pairs that can be joined in a heap.
class Word {
 public:
  explicit Word(const Merges& merges) : merges_(merges) {}

  void append_tokens(std::string_view word, const std::array<std::uint32_t, 256>& bytes,
                     std::vector<std::uint32_t>& ids) {
    const auto size = static_cast<std::uint32_t>(word.size());
    symbols_.clear();
    for (std::uint32_t at = 0; at < size; ++at) {
      symbols_.push_back(
          {bytes[static_cast<std::uint8_t>(word[at])], at - 1, at + 1 < size ? at + 1 : kNone});
    }
    pairs_.clear();
    for (std::uint32_t at = 0; at + 1 < size; ++at) add_pair(at);
    std::ranges::make_heap(pairs_, later);
    while (!pairs_.empty()) {
      std::ranges::pop_heap(pairs_, later);
      const Pair pair = pairs_.back();
      pairs_.pop_back();
      join(pair);
    }
    for (std::uint32_t at = 0; at != kNone; at = symbols_[at].next) ids.push_back(symbols_[at].id);
  }

 private:
  struct Symbol {
    std::uint32_t id;  ///< kNone once it is part of the one before it
    std::uint32_t previous, next;
  };
  struct Pair {
    const Merge* merge;
    std::uint32_t at;  ///< of its left symbol
  };

  static bool later(const Pair& a, const Pair& b) {
    return std::pair(a.merge->rank, a.at) > std::pair(b.merge->rank, b.at);
  }

  void add_pair(std::uint32_t at) {
    const Merge* merge = merges_.find(symbols_[at].id, symbols_[symbols_[at].next].id);
    if (merge != nullptr) pairs_.push_back({merge, at});
  }

  void push_pair(std::uint32_t at) {
    const std::size_t before = pairs_.size();
    add_pair(at);
    if (pairs_.size() > before) std::ranges::push_heap(pairs_, later);
  }

  void join(const Pair& pair) {
    Symbol& left = symbols_[pair.at];
    if (left.id != pair.merge->left || left.next == kNone) return;
    Symbol& right = symbols_[left.next];
    if (right.id != pair.merge->right) return;  // the pair was parted by another
    left.id = pair.merge->joined;
    right.id = kNone;
    left.next = right.next;
    if (left.next != kNone) {
      symbols_[left.next].previous = pair.at;
      push_pair(pair.at);
    }
    if (left.previous != kNone) push_pair(left.previous);
  }

  const Merges& merges_;
  std::vector<Symbol> symbols_;
  std::vector<Pair> pairs_;
};

class BytePairs : public TextEncoder {
 public:
  BytePairs(PreTokenizer pre_tokenizer, bool whole_words, TokensByText tokens,
            const std::array<std::uint32_t, 256>& bytes, Merges merges)
      : pre_tokenizer_(std::move(pre_tokenizer)),
        whole_words_(whole_words),
        tokens_(std::move(tokens)),
        bytes_(bytes),
        merges_(std::move(merges)) {}

  Result<void> encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    Word joined(merges_);
    pre_tokenizer_.for_each_word(text, [&](std::string_view word) {
      const auto whole = whole_words_ ? tokens_.find(word) : std::nullopt;
      if (whole) {
        ids.push_back(*whole);
      } else {
        joined.append_tokens(word, bytes_, ids);
      }
    });
    return {};
  }

 private:
  PreTokenizer pre_tokenizer_;
  bool whole_words_;
  TokensByText tokens_;
  std::array<std::uint32_t, 256> bytes_;
  Merges merges_;
};

Result<std::vector<Merge>> read_merges(const GgufFile& file, const TokenTable& table,
                                       const TokensByText& tokens) {
  const auto names = file.strings("tokenizer.ggml.merges");
  if (!names) return tl::unexpected(names.error());
  std::vector<Merge> merges;
  merges.reserve(names->size());
  for (std::size_t rank = 0; rank < names->size(); ++rank) {
    const std::string_view name = (*names)[rank];
    const auto fail = [&](std::string what, std::string wanted) {
      return bad_input(fmt::format("{}[{}]", at_key(table, "merges"), rank), std::move(what),
                       std::move(wanted), escape_control(name));
    };
    const std::size_t space = name.find(' ');
    const bool two_parts = space != std::string_view::npos && space > 0 && space + 1 < name.size() &&
                           name.find(' ', space + 1) == std::string_view::npos;
    if (!two_parts) {
      return fail("merge is not of two parts", "LEFT RIGHT, with one space");
    }
    const auto left = bytes_of_characters(name.substr(0, space));
    const auto right = bytes_of_characters(name.substr(space + 1));
    const auto left_id = left ? tokens.find(*left) : std::nullopt;
    const auto right_id = right ? tokens.find(*right) : std::nullopt;
    if (!left_id || !right_id) return fail("part of a merge is no token", "two normal tokens");
    const auto joined_id = tokens.find(*left + *right);
    if (!joined_id) return fail("merge makes no token", "two parts that joined are a normal token");
    merges.push_back({*left_id, *right_id, static_cast<std::uint32_t>(rank), *joined_id});
  }
  return merges;
}

}  // namespace

Result<std::vector<std::string>> byte_pair_texts(const TokenTable& table) {
  std::vector<std::string> texts;
  texts.reserve(table.names.size());
  for (std::size_t id = 0; id < table.names.size(); ++id) {
    const std::string_view name = table.names[id];
    switch (table.kinds[id]) {
      case TokenKind::kNormal: {
        auto bytes = bytes_of_characters(name);
        if (!bytes) {
          return bad_input(at_token(table, id), "token has a character that stands for no byte",
                           "the alphabet of byte-level BPE", escape_control(name));
        }
        texts.push_back(std::move(*bytes));
        break;
      }
      case TokenKind::kByte:
        return bad_input(at_token(table, id), "byte-level BPE has no byte tokens", "another type of token",
                         escape_control(name));
      case TokenKind::kUnknown:
      case TokenKind::kControl:
      case TokenKind::kUserDefined:
      case TokenKind::kUnused:
        texts.emplace_back(name);
        break;
    }
  }
  return texts;
}

Result<std::unique_ptr<TextEncoder>> make_byte_pairs(const GgufFile& file, const TokenTable& table,
                                                     const std::vector<std::string>& texts,
                                                     const PreTokenizerRules& rules) {
  const auto bytes = byte_tokens(table, texts, TokenKind::kNormal);
  if (!bytes) return tl::unexpected(bytes.error());
  TokensByText tokens(table, texts);
  auto merges = read_merges(file, table, tokens);
  if (!merges) return tl::unexpected(merges.error());
  return std::make_unique<BytePairs>(PreTokenizer(rules), rules.whole_words, std::move(tokens), *bytes,
                                     Merges(std::move(*merges), texts.size()));
}

}  // namespace spanker
