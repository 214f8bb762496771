#pragma once

#include <cstdint>
#include <string>

#include "spanker/tokenizer/tokenizer.hpp"

namespace spanker {

/// The text of tokens that come one by one, as it can be printed: always whole UTF-8 characters. The bytes of
/// a character that more tokens may complete are held back, at most three; what can become no character is
/// U+FFFD, as often as the Unicode standard recommends. All pieces together are the decoded text with such
/// replacements.
///
/// To continue a text, push its tokens first.
class TextStream {
 public:
  /// `tokenizer` must outlive this.
  explicit TextStream(const Tokenizer& tokenizer, ControlTokens control = ControlTokens::kHidden);

  /// The text that this token makes printable; often none.
  std::string push(std::uint32_t id);
  /// What is held back, as U+FFFD. After it the stream is as new.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  ControlTokens control_;
  bool at_start_ = true;
  std::string held_;  // the beginning of a character
};

}  // namespace spanker
