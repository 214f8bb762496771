// Encoding and decoding against the plainest encoders, and what follows from their rules.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/utf8.hpp"
#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace spanker {
namespace {

using Ids = std::vector<std::uint32_t>;
using testing::byte_pair_file;
using testing::pick;
using testing::random_text;
using testing::sentence_piece_file;
using testing::TokenizerFile;

constexpr EncodeOptions kPlain{.add_special_tokens = false};
constexpr EncodeOptions kParsed{.add_special_tokens = false, .parse_special_tokens = true};

Ids encode(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = kPlain) {
  const auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids) << to_line(ids.error());
  return ids.value_or(Ids{});
}

Tokenizer loaded(const TokenizerFile& file) {
  auto tokenizer = file.load();
  if (!tokenizer) throw std::runtime_error(to_line(tokenizer.error()));
  return std::move(*tokenizer);
}

/// The characters of UTF-8; an invalid byte is one of its own.
std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto [kind, length, code_point] = read_utf8(text);
    out.emplace_back(text.substr(0, kind == Utf8Kind::kWhole ? length : 1));
    text.remove_prefix(out.back().size());
  }
  return out;
}

/// Joins the two neighbours that are worth most, the first of equals, until none is worth more than kNever.
constexpr double kNever = -1e300;
template <class Worth>
void join_all(std::vector<std::string>& symbols, Worth worth) {
  for (;;) {
    double best = kNever;
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const double value = worth(symbols[i], symbols[i + 1]);
      if (value > best) {
        best = value;
        best_at = i;
      }
    }
    if (best == kNever) return;
    symbols[best_at] += symbols[best_at + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

Ids naive_sentence_piece(const TokenizerFile& file, const std::string& text) {
  std::map<std::string, std::uint32_t> ids;
  for (std::uint32_t id = 0; id < file.tokens.size(); ++id) {
    if (file.types[id] == 1) ids[file.tokens[id]] = id;
  }
  std::vector<std::string> symbols;
  if (!text.empty()) symbols.push_back("\u2581");
  for (const std::string& c : characters(text)) symbols.push_back(c == " " ? "\u2581" : c);
  join_all(symbols, [&](const std::string& left, const std::string& right) {
    const auto found = ids.find(left + right);
    return found == ids.end() ? kNever : double{file.scores[found->second]};
  });
  Ids out;
  for (const std::string& symbol : symbols) {
    if (const auto found = ids.find(symbol); found != ids.end()) {
      out.push_back(found->second);
    } else {
      for (const char c : symbol) out.push_back(3u + static_cast<unsigned char>(c));
    }
  }
  return out;
}

TEST(SentencePieceEncoding, AgreesWithTheNaiveEncoder) {
  constexpr std::string_view kLetters[] = {"a", "b", "c", " ", "\u00e9", "\u4e2d"};
  constexpr std::string_view kTexts[] = {"a",      "b",          "c", " ",    "  ",      "\u00e9",
                                         "\u4e2d", "\U0001F600", "z", "\xff", "\xe4\xb8"};
  SplitMix64 random(5);
  constexpr std::uint32_t kSpace = 259;
  std::ptrdiff_t joined = 0;
  for (int round = 0; round < 40; ++round) {
    TokenizerFile file = sentence_piece_file();
    for (int i = 0; i < 60; ++i) {
      std::string piece;
      for (const std::string& c : characters(random_text(random, 1 + pick(random, 4), kLetters))) {
        piece += c == " " ? "\u2581" : c;
      }
      // Few different scores, so that many are equal.
      if (std::ranges::count(file.tokens, piece) == 0)
        file.add(piece, 1, -static_cast<float>(pick(random, 12)));
    }
    const Tokenizer tokenizer = loaded(file);
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random, pick(random, 40), kTexts);
      const Ids ids = encode(tokenizer, text);
      ASSERT_EQ(ids, naive_sentence_piece(file, text)) << text;
      ASSERT_EQ(tokenizer.decode(ids), text);
      joined += std::ranges::count_if(ids, [](std::uint32_t id) { return id > kSpace; });
    }
  }
  EXPECT_GT(joined, 5000);
}

/// In words that the pre-tokenizer leaves whole.
Ids naive_byte_pairs(const TokenizerFile& file, const std::string& word, bool whole_words) {
  std::map<std::string, std::uint32_t> ids;
  for (std::uint32_t id = 0; id < file.tokens.size(); ++id) {
    if (file.types[id] == 1) ids[file.tokens[id]] = id;
  }
  const std::string visible = testing::visible_bytes(word);
  if (whole_words && ids.contains(visible)) return {ids.at(visible)};
  std::vector<std::string> symbols;
  for (const std::string& c : characters(visible)) symbols.push_back(c);
  join_all(symbols, [&](const std::string& left, const std::string& right) {
    const auto found = std::ranges::find(file.merges, left + " " + right);
    return found == file.merges.end() ? kNever : -static_cast<double>(found - file.merges.begin());
  });
  Ids out;
  for (const std::string& symbol : symbols) out.push_back(ids.at(symbol));
  return out;
}

TEST(BytePairEncoding, AgreesWithTheNaiveEncoder) {
  constexpr std::string_view kLetters[] = {"a", "b", "c", "\u00e9", "\u4e2d"};
  SplitMix64 random(9);
  std::ptrdiff_t joined = 0;
  for (int round = 0; round < 40; ++round) {
    const bool whole_words = round % 2 == 0;
    TokenizerFile file = byte_pair_file(whole_words ? "llama-bpe" : "qwen2");
    std::vector<std::string> parts;
    for (const std::string_view letter : kLetters) {
      for (const char c : letter) parts.push_back(testing::visible_byte(static_cast<unsigned char>(c)));
    }
    for (int i = 0; i < 50; ++i) {
      const std::string& left = parts[pick(random, parts.size())];
      const std::string& right = parts[pick(random, parts.size())];
      if (std::ranges::count(file.merges, left + " " + right) > 0) continue;
      file.merges.push_back(left + " " + right);
      if (std::ranges::count(file.tokens, left + right) > 0) continue;
      file.add(left + right, 1);
      parts.push_back(file.tokens.back());
    }
    // Ranks that do not follow the order in which tokens can be made.
    for (std::size_t i = file.merges.size(); i > 1; --i)
      std::swap(file.merges[i - 1], file.merges[pick(random, i)]);
    const Tokenizer tokenizer = loaded(file);
    for (int i = 0; i < 100; ++i) {
      const std::string word = random_text(random, 1 + pick(random, 30), kLetters);
      const Ids ids = encode(tokenizer, word);
      ASSERT_EQ(ids, naive_byte_pairs(file, word, whole_words)) << word;
      ASSERT_EQ(tokenizer.decode(ids), word);
      joined += std::ranges::count_if(ids, [](std::uint32_t id) { return id >= 256; });
    }
  }
  EXPECT_GT(joined, 5000);
}

TEST(BytePairEncoding, KeepsWordsThatAreTokensWholeForLlama3Alone) {
  // "abc" is a token that the merges do not make.
  for (const auto& [pre, wanted] : {std::pair{"llama-bpe", Ids{258}}, {"qwen2", Ids{256, 'c'}}}) {
    TokenizerFile file = byte_pair_file(pre);
    file.add("ab", 1);
    file.add("bc", 1);
    file.add("abc", 1);
    file.merges = {"a b", "b c"};
    EXPECT_EQ(encode(loaded(file), "abc"), wanted) << pre;
  }
}

TEST(BytePairEncoding, TakesTheEarlierRankOfAMergeGivenTwice) {
  TokenizerFile file = byte_pair_file("qwen2");
  file.add("ab", 1);
  file.add("bc", 1);
  file.merges = {"a b", "b c", "a b"};
  EXPECT_EQ(encode(loaded(file), "abc"), (Ids{256, 'c'}));
}

RC_GTEST_PROP(Encoding, IsUndoneByDecoding, (const std::vector<std::uint32_t>& numbers)) {
  std::string text;
  for (const std::uint32_t number : numbers) {
    // All planes, but more of what is common; no surrogates, and not what SentencePiece takes for a space.
    std::uint32_t c = number % 4 == 0   ? number / 4 % 0x110000
                      : number % 4 == 1 ? number / 4 % 0x3000
                                        : number / 4 % 128;
    if ((c >= 0xD800 && c < 0xE000) || c == 0x2581) c = ' ';
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else {
      const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
      constexpr std::uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
      text += static_cast<char>(kLead[more] | (c >> 6 * more));
      for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (c >> 6 * i & 0x3F));
    }
  }
  RC_ASSERT(valid_utf8_length(text) == text.size());
  static const Tokenizer tokenizers[] = {loaded(sentence_piece_file()), loaded(byte_pair_file("llama-bpe")),
                                         loaded(byte_pair_file("qwen2")), loaded(byte_pair_file("gpt-2"))};
  for (const Tokenizer& tokenizer : tokenizers) {
    RC_ASSERT(tokenizer.decode(encode(tokenizer, text)) == text);
    RC_ASSERT(tokenizer.decode(encode(tokenizer, text, {})) == text);
  }
}

TEST(Encoding, OfAnyBytesIsUndoneByDecoding) {
  const Tokenizer sentence_piece = loaded(sentence_piece_file());
  const Tokenizer byte_pairs = loaded(byte_pair_file("llama-bpe"));
  SplitMix64 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (std::size_t length = pick(random, 30); length > 0; --length)
      text += static_cast<char>(random.next());
    EXPECT_EQ(sentence_piece.decode(encode(sentence_piece, text)), text);
    EXPECT_EQ(byte_pairs.decode(encode(byte_pairs, text)), text);
  }
}

TEST(Encoding, PutsSpecialTokensAroundTheTextWhereTheFileSaysSo) {
  TokenizerFile file = sentence_piece_file();
  file.add("\u2581a", 1);
  EXPECT_EQ(encode(loaded(file), "a", {}), (Ids{1, 260}));
  EXPECT_EQ(encode(loaded(file), "", {}), (Ids{1}));
  file.flags = {{"add_eos_token", true}};
  EXPECT_EQ(encode(loaded(file), "a", {}), (Ids{1, 260, 2}));
  file.flags = {{"add_bos_token", false}};
  EXPECT_EQ(encode(loaded(file), "a", {}), (Ids{260}));
  file.flags = {};
  EXPECT_EQ(encode(loaded(file), "a", kPlain), (Ids{260}));

  for (const auto& [pre, adds] : {std::pair{"llama-bpe", true}, {"qwen2", false}, {"gpt-2", false}}) {
    TokenizerFile bytes = byte_pair_file(pre);
    const std::uint32_t bos = bytes.add("<|bos|>", 3);
    EXPECT_EQ(encode(loaded(bytes), "a", {}), (Ids{'a'})) << "without a bos in the file";
    bytes.ids = {{"bos_token_id", bos}};
    EXPECT_EQ(encode(loaded(bytes), "a", {}), adds ? (Ids{bos, 'a'}) : (Ids{'a'})) << pre;
  }
}

TEST(Encoding, FindsControlTokensInTextWhenAsked) {
  TokenizerFile file = byte_pair_file("qwen2");
  const std::uint32_t start = file.add("<|im_start|>", 3);
  const std::uint32_t end = file.add("<|im_end|>", 3);
  const std::uint32_t think = file.add("<think>", 4);
  file.add("<pad>", 5);
  const Tokenizer tokenizer = loaded(file);
  const std::string text = "<|im_start|>a<think><|im_end|><|im_end|><pad>";
  EXPECT_EQ(encode(tokenizer, text, kParsed), (Ids{start, 'a', think, end, end, '<', 'p', 'a', 'd', '>'}));
  const Ids plain = encode(tokenizer, text);
  EXPECT_EQ(std::ranges::count(plain, start) + std::ranges::count(plain, end), 0);
  EXPECT_EQ(std::ranges::count(plain, think), 1) << "user-defined tokens are found in any text";
  EXPECT_EQ(tokenizer.decode(plain), text);
  EXPECT_EQ(tokenizer.decode(encode(tokenizer, text, kParsed)), "a<think><pad>");
  EXPECT_EQ(tokenizer.decode(encode(tokenizer, text, kParsed), ControlTokens::kShown), text);
}

TEST(Encoding, PutsASpaceBeforeTextAtTheBeginningAndAfterControlTokens) {
  TokenizerFile file = sentence_piece_file();
  const std::uint32_t a = file.add("a", 1);
  const std::uint32_t space_a = file.add("\u2581a", 1);
  const std::uint32_t user = file.add("<u\u2581v>", 4);
  const Tokenizer tokenizer = loaded(file);
  EXPECT_EQ(encode(tokenizer, "a</s>a<u v>a", kParsed), (Ids{space_a, 2, space_a, user, a}));
  EXPECT_EQ(encode(tokenizer, "<u v>a", kParsed), (Ids{user, a}));
  for (const std::string text : {"a</s>a<u v>a", "<u v> a", " <u v>a</s> </s>  a", "<s>a"}) {
    EXPECT_EQ(tokenizer.decode(encode(tokenizer, text, kParsed), ControlTokens::kShown), text);
  }
  // The space that is put there belongs to no user-defined token.
  file.add("\u2581b", 4);
  const Tokenizer with_space = loaded(file);
  EXPECT_EQ(with_space.decode(encode(with_space, "b b")), "b b");
  file.flags = {{"add_space_prefix", false}};
  const Tokenizer without = loaded(file);
  EXPECT_EQ(encode(without, "a a", kPlain), (Ids{a, space_a}));
  EXPECT_EQ(without.decode(Ids{space_a}), " a");
}

TEST(Encoding, NeverMakesControlOrUnusedTokensOfText) {
  TokenizerFile file = sentence_piece_file();
  file.add("<", 1);
  file.add("s", 1);
  file.add(">", 1);
  file.add("<s", 1);
  const Tokenizer tokenizer = loaded(file);
  EXPECT_EQ(encode(tokenizer, "<s>"), (Ids{259, 263, 262}));
}

TEST(Encoding, OfAVeryLongWordTakesLittleTime) {
  constexpr std::size_t kLong = std::size_t{1} << 20;  // a quadratic encoder would take an hour
  TokenizerFile pieces = sentence_piece_file();
  TokenizerFile bytes = byte_pair_file("llama-bpe");
  std::string piece = "a";
  pieces.add(piece, 1);
  for (int i = 0; i < 10; ++i) {
    bytes.merges.push_back(piece + " " + piece);
    piece += piece;
    bytes.add(piece, 1);
    pieces.add(piece, 1, static_cast<float>(-i));
  }
  const std::string text(kLong, 'a');
  EXPECT_EQ(encode(loaded(bytes), text).size(), kLong / 1024);
  EXPECT_EQ(encode(loaded(pieces), text).size(), kLong / 1024 + 1);  // and the space before it
}

TEST(Encoding, RefusesATextThatIsTooLong) {
  const auto ids = loaded(byte_pair_file("qwen2")).encode(std::string(kLongestEncodedText + 1, 'a'));
  ASSERT_FALSE(ids);
  EXPECT_EQ(to_line(ids.error()), "text: too long to encode, wanted at most 16777216 bytes, got 16777217");
}

TEST(Decoding, MarksWhatIsNoText) {
  const Tokenizer tokenizer = loaded(sentence_piece_file());
  EXPECT_EQ(tokenizer.decode(Ids{1, 0, 3 + 'x', 999999, 2}), "\uFFFDx\uFFFD");
  EXPECT_EQ(tokenizer.piece(0), "<unk>");
  EXPECT_EQ(tokenizer.piece(1), "<s>");
  EXPECT_EQ(tokenizer.piece(3), std::string(1, '\0'));
  EXPECT_EQ(tokenizer.piece(259), " ");
  EXPECT_EQ(tokenizer.piece(260), "\uFFFD");
}

}  // namespace
}  // namespace spanker
