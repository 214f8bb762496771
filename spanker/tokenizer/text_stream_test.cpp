#include "spanker/tokenizer/text_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/text.hpp"
#include "spanker/base/utf8.hpp"
#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace spanker {
namespace {

using testing::pick;
using testing::TokenizerFile;

std::string replaced(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Prefix prefix = read_utf8(text);
    out += prefix.kind == Utf8Kind::kWhole ? text.substr(0, prefix.length) : kReplacementCharacter;
    text.remove_prefix(prefix.length);
  }
  return out;
}

/// A vocabulary whose tokens are `pieces`, after the bytes.
Tokenizer of_pieces(const std::vector<std::string>& pieces) {
  TokenizerFile file = testing::byte_pair_file("qwen2");
  for (const std::string& piece : pieces) file.add(testing::visible_bytes(piece), 1);
  return file.load().value();
}

TEST(TextStream, PrintsACharacterWithItsLastByte) {
  const Tokenizer tokenizer = of_pieces({});
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push('a'), "a");
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.push(0x9F), "");
  EXPECT_EQ(stream.push(0x98), "");
  EXPECT_EQ(stream.push(0x80), "\U0001F600");
  EXPECT_EQ(stream.push(0xE4), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, DoesNotWaitForWhatCanBecomeNoCharacter) {
  const Tokenizer tokenizer = of_pieces({});
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push(0xFF), "\uFFFD");
  EXPECT_EQ(stream.push(0x80), "\uFFFD");
  EXPECT_EQ(stream.push(0xE4), "");
  EXPECT_EQ(stream.push('x'), "\uFFFDx");
  EXPECT_EQ(stream.push(0xED), "");
  EXPECT_EQ(stream.push(0xA0), "\uFFFD\uFFFD") << "a surrogate: neither byte begins a character";
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, EverySplitOfATextGivesTheText) {
  const std::string text = "a\u00e9 \u4e2d\U0001F600\n";  // 12 bytes: 2^11 splits
  for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
    std::vector<std::string> pieces(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
      pieces.back() += text[i];
      if (cuts >> i & 1) pieces.emplace_back();
    }
    std::vector<std::string> longer;
    for (const std::string& piece : pieces) {
      if (piece.size() > 1 && std::ranges::count(longer, piece) == 0) longer.push_back(piece);
    }
    const Tokenizer tokenizer = of_pieces(longer);
    TextStream stream(tokenizer);
    std::string printed, pushed;
    for (const std::string& piece : pieces) {
      const auto found = std::ranges::find(longer, piece) - longer.begin();
      const bool is_byte = piece.size() == 1;
      pushed += piece;
      printed += stream.push(is_byte ? static_cast<unsigned char>(piece[0])
                                     : 256 + static_cast<std::uint32_t>(found));
      ASSERT_EQ(printed, pushed.substr(0, valid_utf8_length(pushed)));
    }
    ASSERT_EQ(printed + stream.finish(), text);
  }
}

TEST(TextStream, EqualsTheWholeTextWhateverTheTokens) {
  constexpr std::string_view kBits[] = {"a",    " ",    "\xf0", "\x9f", "\x98",  "\x80",
                                        "\xe4", "\xed", "\xb8", "\xff", "\u4e2d"};
  SplitMix64 random(2);
  std::vector<std::string> pieces;
  while (pieces.size() < 300) {
    std::string piece = testing::random_text(random, 2 + pick(random, 3), kBits);
    if (piece.size() > 1 && std::ranges::count(pieces, piece) == 0) pieces.push_back(std::move(piece));
  }
  const Tokenizer tokenizer = of_pieces(pieces);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::uint32_t> ids;
    for (std::size_t n = pick(random, 12); n > 0; --n) {
      ids.push_back(static_cast<std::uint32_t>(pick(random, tokenizer.vocabulary_size() + 1)));
    }
    TextStream stream(tokenizer);
    std::string printed;
    for (const std::uint32_t id : ids) {
      printed += stream.push(id);
      ASSERT_TRUE(is_valid_utf8(printed));
    }
    ASSERT_EQ(printed + stream.finish(), replaced(tokenizer.decode(ids)));
  }
}

TEST(TextStream, LeavesOutTheSpaceBeforeATextButNotWithinOne) {
  TokenizerFile file = testing::sentence_piece_file();
  const std::uint32_t a = file.add("\u2581a", 1);
  const Tokenizer tokenizer = file.load().value();
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push(1), "");
  EXPECT_EQ(stream.push(a), "a");
  EXPECT_EQ(stream.push(a), " a");
  EXPECT_EQ(stream.push(2), "");
  EXPECT_EQ(stream.finish(), "");
  EXPECT_EQ(stream.push(a), "a");

  TextStream shown(tokenizer, ControlTokens::kShown);
  EXPECT_EQ(shown.push(1) + shown.push(a) + shown.push(2), "<s>a</s>");
}

}  // namespace
}  // namespace spanker
