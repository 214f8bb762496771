#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/base/text.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/tokenizer/text_stream.hpp"
#include "spanker/tokenizer/tokenizer.hpp"

namespace {

/// What follows the last of these in the input is the text.
constexpr std::string_view kTextMark = "TEXT";

spanker::Result<spanker::Tokenizer> read(std::string_view bytes) {
  auto file = spanker::GgufFile::parse(std::as_bytes(std::span(bytes)), "fuzz.gguf");
  if (!file) return tl::unexpected(file.error());
  std::vector<spanker::GgufFile> parts;
  parts.push_back(std::move(*file));
  return spanker::GgufFiles::join(std::move(parts)).and_then(&spanker::Tokenizer::from_gguf);
}

void use(const spanker::Tokenizer& tokenizer, std::string_view text) {
  for (const bool parsed : {false, true}) {
    const auto ids = tokenizer.encode(text, {.parse_special_tokens = parsed});
    if (!ids) {
      (void)spanker::to_line(ids.error());
      continue;
    }
    (void)tokenizer.decode(*ids);
    spanker::TextStream stream(tokenizer, spanker::ControlTokens::kShown);
    std::string streamed;
    for (const std::uint32_t id : *ids) {
      if (id >= tokenizer.vocabulary_size()) __builtin_trap();
      streamed += stream.push(id);
    }
    if (!spanker::is_valid_utf8(streamed + stream.finish())) __builtin_trap();
  }
}

}  // namespace

// Any bytes must give a tokenizer that encodes any text, or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = input.rfind(kTextMark);
  const auto tokenizer = read(input.substr(0, mark));
  if (!tokenizer) {
    (void)spanker::to_line(tokenizer.error());
    return 0;
  }
  use(*tokenizer, mark == std::string_view::npos ? input : input.substr(mark + kTextMark.size()));
  return 0;
}
