#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

// Internal to this module.
namespace spanker {

/// How byte-level BPE cuts text before it joins bytes, by its name in tokenizer.ggml.pre.
struct PreTokenizerRules {
  std::string_view name;
  const char* pattern;       ///< a regular expression; its matches follow each other without gaps
  bool whole_words;          ///< a word that is a token stays whole, whatever the merges say
  bool adds_bos_by_default;  ///< where the file does not say
};

/// All that are known.
std::span<const PreTokenizerRules> pre_tokenizers();

class PreTokenizer {
 public:
  explicit PreTokenizer(const PreTokenizerRules& rules);
  PreTokenizer(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  /// Calls `use` for each word of `text`, in order; they make up all of it. Each invalid byte is a word, and
  /// ends the text for what stands before it. Takes time in proportion to the text.
  void for_each_word(std::string_view text, const std::function<void(std::string_view word)>& use) const;

 private:
  struct Expression;
  std::unique_ptr<const Expression> expression_;
};

}  // namespace spanker
