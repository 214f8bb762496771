#include "spanker/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "spanker/base/text.hpp"
#include "spanker/base/utf8.hpp"
#include "spanker/tokenizer/byte_pairs.hpp"
#include "spanker/tokenizer/pre_tokenizer.hpp"
#include "spanker/tokenizer/sentence_piece.hpp"
#include "spanker/tokenizer/special_ids.hpp"
#include "spanker/tokenizer/special_tokens.hpp"
#include "spanker/tokenizer/text_encoder.hpp"
#include "spanker/tokenizer/token_table.hpp"

namespace spanker {

struct Tokenizer::Parts {
  TokenizerKind kind = TokenizerKind::kSentencePiece;
  std::string_view pre_tokenizer;  // a literal
  bool space_prefix = false;
  std::vector<std::string> texts;
  std::vector<TokenKind> kinds;
  SpecialIds ids;
  SpecialTokens user_defined{{}};
  SpecialTokens user_defined_and_control{{}};
  std::unique_ptr<const TextEncoder> encoder;  // may refer to texts
};

namespace {

constexpr std::string_view kModelKey = "tokenizer.ggml.model";
constexpr std::string_view kPreKey = "tokenizer.ggml.pre";

Result<TokenizerKind> read_kind(const GgufFile& file) {
  const auto model = file.string(kModelKey);
  if (!model) return tl::unexpected(model.error());
  if (*model == "llama") return TokenizerKind::kSentencePiece;
  if (*model == "gpt2") return TokenizerKind::kByteLevelBytePair;
  return bad_input(fmt::format("{}: {}", file.name(), kModelKey), "unknown kind of tokenizer",
                   "llama (SentencePiece) or gpt2 (byte-level BPE)", escape_control(*model));
}

Result<const PreTokenizerRules*> read_pre_tokenizer(const GgufFile& file) {
  const auto name = file.string(kPreKey);
  if (!name) return tl::unexpected(name.error());
  std::string known;
  for (const PreTokenizerRules& rules : pre_tokenizers()) {
    if (rules.name == *name) return &rules;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", rules.name);
  }
  return bad_input(fmt::format("{}: {}", file.name(), kPreKey), "unknown pre-tokenizer", "one of " + known,
                   escape_control(*name));
}

std::vector<SpecialTokens::Token> tokens_of(const std::vector<std::string>& texts,
                                            const std::vector<TokenKind>& kinds,
                                            std::initializer_list<TokenKind> wanted) {
  std::vector<SpecialTokens::Token> tokens;
  for (std::uint32_t id = 0; id < texts.size(); ++id) {
    if (std::ranges::count(wanted, kinds[id]) > 0) tokens.push_back({texts[id], id});
  }
  return tokens;
}

}  // namespace

std::string_view to_string(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::kSentencePiece:
      return "SentencePiece";
    case TokenizerKind::kByteLevelBytePair:
      return "byte-level BPE";
  }
  return {};
}

Result<Tokenizer> Tokenizer::from_gguf(const GgufFiles& files) {
  const GgufFile& file = files.metadata();
  const auto kind = read_kind(file);
  if (!kind) return tl::unexpected(kind.error());
  auto table = read_token_table(files);
  if (!table) return tl::unexpected(table.error());

  const bool is_sentence_piece = *kind == TokenizerKind::kSentencePiece;
  auto texts = is_sentence_piece ? sentence_piece_texts(*table) : byte_pair_texts(*table);
  if (!texts) return tl::unexpected(texts.error());
  auto parts = std::make_unique<Parts>();
  parts->kind = *kind;
  parts->texts = std::move(*texts);

  Result<std::unique_ptr<TextEncoder>> encoder;
  bool adds_bos_by_default = true;
  if (is_sentence_piece) {
    encoder = make_sentence_piece(file, *table, parts->texts);
  } else {
    const auto rules = read_pre_tokenizer(file);
    if (!rules) return tl::unexpected(rules.error());
    parts->pre_tokenizer = (*rules)->name;
    adds_bos_by_default = (*rules)->adds_bos_by_default;
    encoder = make_byte_pairs(file, *table, parts->texts, **rules);
  }
  if (!encoder) return tl::unexpected(encoder.error());
  parts->encoder = std::move(*encoder);

  auto ids = read_special_ids(file, *table, adds_bos_by_default);
  if (!ids) return tl::unexpected(ids.error());
  parts->ids = std::move(*ids);
  const auto space_prefix = boolean_or(file, "tokenizer.ggml.add_space_prefix", is_sentence_piece);
  if (!space_prefix) return tl::unexpected(space_prefix.error());
  parts->space_prefix = *space_prefix;
  parts->kinds = std::move(table->kinds);
  parts->user_defined = SpecialTokens(tokens_of(parts->texts, parts->kinds, {TokenKind::kUserDefined}));
  parts->user_defined_and_control =
      SpecialTokens(tokens_of(parts->texts, parts->kinds, {TokenKind::kUserDefined, TokenKind::kControl}));
  return Tokenizer(std::move(parts));
}

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

TokenizerKind Tokenizer::kind() const { return parts_->kind; }
std::string_view Tokenizer::pre_tokenizer() const { return parts_->pre_tokenizer; }
std::uint32_t Tokenizer::vocabulary_size() const { return static_cast<std::uint32_t>(parts_->texts.size()); }
std::optional<std::uint32_t> Tokenizer::bos() const { return parts_->ids.bos; }
std::optional<std::uint32_t> Tokenizer::eos() const { return parts_->ids.eos; }
bool Tokenizer::is_end_of_generation(std::uint32_t id) const {
  return std::ranges::binary_search(parts_->ids.end_of_generation, id);
}

Result<std::vector<std::uint32_t>> Tokenizer::encode(std::string_view text,
                                                     const EncodeOptions& options) const {
  if (text.size() > kLongestEncodedText) {
    return bad_input("text", "too long to encode", fmt::format("at most {} bytes", kLongestEncodedText),
                     std::to_string(text.size()));
  }
  const Parts& parts = *parts_;
  std::vector<std::uint32_t> ids;
  if (options.add_special_tokens && parts.ids.adds_bos) ids.push_back(*parts.ids.bos);

  const SpecialTokens& special =
      options.parse_special_tokens ? parts.user_defined_and_control : parts.user_defined;
  bool at_start = true;
  const auto encode_run = [&](std::string_view run) -> Result<void> {
    if (run.empty()) return {};
    const bool prefixed = at_start && parts.space_prefix;
    at_start = false;
    return prefixed ? parts.encoder->encode(" " + std::string(run), ids) : parts.encoder->encode(run, ids);
  };
  std::size_t done = 0;
  while (const auto match = special.find(text, done)) {
    if (auto encoded = encode_run(text.substr(done, match->at - done)); !encoded) {
      return tl::unexpected(encoded.error());
    }
    ids.push_back(match->token.id);
    at_start = parts.kinds[match->token.id] == TokenKind::kControl;
    done = match->at + match->token.text.size();
  }
  if (auto encoded = encode_run(text.substr(done)); !encoded) return tl::unexpected(encoded.error());

  if (options.add_special_tokens && parts.ids.adds_eos) ids.push_back(*parts.ids.eos);
  return ids;
}

void Tokenizer::append_text(std::uint32_t id, ControlTokens control, bool& at_start,
                            std::string& text) const {
  if (id >= vocabulary_size()) {
    text += kReplacementCharacter;
    at_start = false;
    return;
  }
  std::string_view piece = parts_->texts[id];
  switch (parts_->kinds[id]) {
    case TokenKind::kNormal:
      if (at_start && parts_->space_prefix && piece.front() == ' ') piece.remove_prefix(1);
      [[fallthrough]];
    case TokenKind::kUserDefined:
    case TokenKind::kByte:
      text += piece;
      at_start = false;
      break;
    case TokenKind::kUnknown:
      text += kReplacementCharacter;
      at_start = false;
      break;
    case TokenKind::kControl:
      at_start = true;
      [[fallthrough]];
    case TokenKind::kUnused:
      if (control == ControlTokens::kShown) text += piece;
      break;
  }
}

std::string Tokenizer::decode(std::span<const std::uint32_t> ids, ControlTokens control) const {
  std::string text;
  bool at_start = true;
  for (const std::uint32_t id : ids) append_text(id, control, at_start, text);
  return text;
}

std::string Tokenizer::piece(std::uint32_t id) const {
  return id < vocabulary_size() ? parts_->texts[id] : std::string(kReplacementCharacter);
}

}  // namespace spanker
