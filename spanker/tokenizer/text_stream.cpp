#include "spanker/tokenizer/text_stream.hpp"

#include <string_view>
#include <utility>

#include "spanker/base/utf8.hpp"

namespace spanker {

TextStream::TextStream(const Tokenizer& tokenizer, ControlTokens control)
    : tokenizer_(&tokenizer), control_(control) {}

std::string TextStream::push(std::uint32_t id) {
  const std::string bytes = [&] {
    std::string held = std::exchange(held_, {});
    tokenizer_->append_text(id, control_, at_start_, held);
    return held;
  }();
  std::string text;
  for (std::string_view rest = bytes; !rest.empty();) {
    const Utf8Prefix prefix = read_utf8(rest);
    switch (prefix.kind) {
      case Utf8Kind::kWhole:
        text += rest.substr(0, prefix.length);
        break;
      case Utf8Kind::kInvalid:
        text += kReplacementCharacter;
        break;
      case Utf8Kind::kCut:
        held_ = rest;
        break;
    }
    rest.remove_prefix(prefix.length);
  }
  return text;
}

std::string TextStream::finish() {
  at_start_ = true;
  return std::exchange(held_, {}).empty() ? std::string() : std::string(kReplacementCharacter);
}

}  // namespace spanker
