#include "spanker/tokenizer/special_tokens.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace spanker {
namespace {

TEST(SpecialTokens, FindsTheFirstAndOfThoseTheLongest) {
  constexpr std::string_view kLetters[] = {"a", "b", "\xff"};
  SplitMix64 random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> names;
    for (std::size_t i = testing::pick(random, 8); i > 0; --i) {
      names.push_back(testing::random_text(random, 1 + testing::pick(random, 5), kLetters));
      if (std::ranges::count(names, names.back()) > 1) names.pop_back();
    }
    std::vector<SpecialTokens::Token> tokens;
    for (const std::string& name : names) tokens.push_back({name, static_cast<std::uint32_t>(tokens.size())});
    const SpecialTokens special(tokens);

    for (int i = 0; i < 20; ++i) {
      const std::string text = testing::random_text(random, testing::pick(random, 12), kLetters);
      const std::size_t start = testing::pick(random, text.size() + 1);
      std::size_t at = std::string::npos;
      std::string longest;
      for (const std::string& name : names) {
        const std::size_t found = text.find(name, start);
        if (found < at || (found == at && found != std::string::npos && name.size() > longest.size())) {
          at = found;
          longest = name;
        }
      }
      const auto match = special.find(text, start);
      ASSERT_EQ(match.has_value(), at != std::string::npos);
      if (match) {
        ASSERT_EQ(match->at, at);
        ASSERT_EQ(match->token.text, longest);
        ASSERT_EQ(names[match->token.id], longest);
      }
    }
  }
}

}  // namespace
}  // namespace spanker
