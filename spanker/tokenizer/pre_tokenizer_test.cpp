#include "spanker/tokenizer/pre_tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace spanker {
namespace {

using Words = std::vector<std::string>;

PreTokenizer pre_tokenizer(std::string_view name) {
  return PreTokenizer(*std::ranges::find(pre_tokenizers(), name, &PreTokenizerRules::name));
}

Words words_of(const PreTokenizer& pre_tokenizer, std::string_view text) {
  Words words;
  pre_tokenizer.for_each_word(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

Words words_of(std::string_view name, std::string_view text) { return words_of(pre_tokenizer(name), text); }

TEST(PreTokenizer, CutsNumbersAsItsModelDoes) {
  const std::string_view text = "I'm 12345  days";
  EXPECT_EQ(words_of("llama-bpe", text), (Words{"I", "'m", " ", "123", "45", " ", " days"}));
  EXPECT_EQ(words_of("qwen2", text), (Words{"I", "'m", " ", "1", "2", "3", "4", "5", " ", " days"}));
  EXPECT_EQ(words_of("gpt-2", text), (Words{"I", "'m", " 12345", " ", " days"}));
}

TEST(PreTokenizer, KnowsLettersNumbersAndSpacesOfAllScripts) {
  for (const std::string_view name : {"llama-bpe", "qwen2"}) {
    SCOPED_TRACE(name);
    // Greek, Cyrillic, Han and Hangul letters; a letter of the astral planes (Gothic); a combining accent is
    // none.
    EXPECT_EQ(words_of(name, "\u03b1\u03b2\u03b3 \u0434\u0430"),
              (Words{"\u03b1\u03b2\u03b3", " \u0434\u0430"}));
    EXPECT_EQ(words_of(name, "\u4e2d\u6587\ud55c\uae00\U00010330"),
              (Words{"\u4e2d\u6587\ud55c\uae00\U00010330"}));
    EXPECT_EQ(words_of(name, "e\u0301a"), (Words{"e", "\u0301a"}));
    // An Arabic-Indic digit, a Roman numeral and one half are numbers, and apart from letters.
    EXPECT_EQ(words_of(name, "a\u0663"), (Words{"a", "\u0663"}));
    EXPECT_EQ(words_of(name, "a\u2167b"), (Words{"a", "\u2167", "b"}));
    EXPECT_EQ(words_of(name, "\u00bdkg"), (Words{"\u00bd", "kg"}));
    // Space of other kinds than ASCII's; U+180E has not been one since Unicode 6.3, so that punctuation takes
    // it.
    EXPECT_EQ(words_of(name, "\u3000\u00a0\u3000x"), (Words{"\u3000\u00a0", "\u3000x"}));
    EXPECT_EQ(words_of(name, "\u0085\u0085!"), (Words{"\u0085", "\u0085", "!"}));
    EXPECT_EQ(words_of(name, "\u180e\u180e!"), (Words{"\u180e\u180e!"}));
    EXPECT_EQ(words_of(name, "\U0001F600\U0001F600 ok"), (Words{"\U0001F600\U0001F600", " ok"}));
  }
  EXPECT_EQ(words_of("llama-bpe", "\u0661\u0662\u0663\u0664"), (Words{"\u0661\u0662\u0663", "\u0664"}));
}

TEST(PreTokenizer, KeepsContractionsOfAnyCaseButInGpt2) {
  EXPECT_EQ(words_of("qwen2", "WE'LL don't'Ve"), (Words{"WE", "'LL", " don", "'t", "'Ve"}));
  EXPECT_EQ(words_of("gpt-2", "WE'LL we'll"), (Words{"WE", "'", "LL", " we", "'ll"}));
}

TEST(PreTokenizer, MakesWordsOfInvalidBytes) {
  using namespace std::string_view_literals;
  EXPECT_EQ(words_of("llama-bpe", "ab\xff\xfe c\xe2\x82"),
            (Words{"ab", "\xff", "\xfe", " c", "\xe2", "\x82"}));
  EXPECT_EQ(words_of("llama-bpe", "a\0\0b"sv), (Words{"a", std::string(2, '\0'), "b"}));
  EXPECT_EQ(words_of("llama-bpe", ""), Words{});
  EXPECT_EQ(words_of("llama-bpe", "  \xff"), (Words{"  ", "\xff"}));
}

/// The same rules, for ASCII, by hand: the length of the word at the start of `text`.
struct AsciiRules {
  std::size_t digits;  ///< at most so many in a word
  bool is_gpt2;

  static bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
  static bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
  static bool space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
  static bool newline(char c) { return c == '\r' || c == '\n'; }
  static bool other(char c) { return !letter(c) && !digit(c) && !space(c); }

  template <class Is>
  static std::size_t run(std::string_view text, std::size_t from, Is is) {
    std::size_t end = from;
    while (end < text.size() && is(text[end])) ++end;
    return end - from;
  }

  std::size_t contraction(std::string_view text) const {
    for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      bool same = text.size() >= ending.size();
      for (std::size_t i = 0; same && i < ending.size(); ++i) {
        const char c =
            is_gpt2 ? text[i] : static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
        same = c == ending[i];
      }
      if (same) return ending.size();
    }
    return 0;
  }

  std::size_t word(std::string_view text) const {
    if (const std::size_t length = contraction(text)) return length;
    const char first = text[0];
    // One character before the letters: a space, or (not in GPT-2) whatever is no line end, letter or digit.
    const bool leads = is_gpt2 ? first == ' ' : !newline(first) && !letter(first) && !digit(first);
    if (const std::size_t length = run(text, 0, letter)) return length;
    if (const std::size_t length = leads ? run(text, 1, letter) : 0) return length + 1;
    if (const std::size_t length = run(text, 0, digit)) return std::min(length, digits);
    if (const std::size_t length = is_gpt2 && first == ' ' ? run(text, 1, digit) : 0) return length + 1;
    const std::size_t before = first == ' ' ? 1 : 0;
    if (const std::size_t length = run(text, before, other)) {
      const std::size_t end = before + length;
      return is_gpt2 ? end : end + run(text, end, newline);
    }
    const std::size_t spaces = run(text, 0, space);
    const std::size_t last = text.substr(0, spaces).find_last_of("\r\n");
    if (!is_gpt2 && last != std::string_view::npos) return last + 1;
    return spaces < text.size() && spaces > 1 ? spaces - 1 : spaces;
  }

  Words words(std::string_view text) const {
    Words out;
    while (!text.empty()) {
      out.emplace_back(text.substr(0, word(text)));
      text.remove_prefix(out.back().size());
    }
    return out;
  }
};

TEST(PreTokenizer, AgreesWithTheRulesByHand) {
  constexpr std::string_view kPieces[] = {"a",    "Z",  "s", "t",  "re", "LL", "1",  "23",  " ", "  ", "\n",
                                          "\r\n", "\t", "'", "''", "!",  "-",  "'s", "'VE", "_", "("};
  constexpr std::size_t kAny = 1000;
  for (const auto& [name, rules] : {std::pair{"llama-bpe", AsciiRules{3, false}},
                                    {"qwen2", AsciiRules{1, false}},
                                    {"gpt-2", AsciiRules{kAny, true}}}) {
    SCOPED_TRACE(name);
    const PreTokenizer cut = pre_tokenizer(name);
    SplitMix64 random(3);
    for (int i = 0; i < 4000; ++i) {
      const std::string text = testing::random_text(random, 1 + testing::pick(random, 12), kPieces);
      ASSERT_EQ(words_of(cut, text), rules.words(text)) << text;
    }
  }
}

TEST(PreTokenizer, CutsLongRunsInOneGo) {
  // More steps than PCRE2 takes by default.
  constexpr std::size_t kLong = std::size_t{12} << 20;
  EXPECT_EQ(words_of("llama-bpe", std::string(kLong, ' ') + "x").size(), 2u);
  for (const std::string_view name : {"llama-bpe", "qwen2", "gpt-2"}) {
    for (const char c : {'a', ' ', '!', '\n'})
      EXPECT_EQ(words_of(name, std::string(kLong / 12, c)).size(), 1u) << c;
  }
}

}  // namespace
}  // namespace spanker
