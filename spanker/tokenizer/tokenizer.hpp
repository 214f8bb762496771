#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_files.hpp"

namespace spanker {

/// The longest text that is encoded, in bytes: some four million tokens, more than any model's context.
inline constexpr std::size_t kLongestEncodedText = std::size_t{16} << 20;

enum class TokenizerKind {
  kSentencePiece,      ///< tokenizer.ggml.model = "llama"
  kByteLevelBytePair,  ///< "gpt2"
};

/// "SentencePiece", "byte-level BPE"
std::string_view to_string(TokenizerKind kind);

struct EncodeOptions {
  /// Put the begin and end tokens around the text where the file says so (add_bos_token, add_eos_token).
  bool add_special_tokens = true;
  /// Take the names of control tokens ("<|im_start|>") in the text for the tokens: right for a chat template,
  /// wrong for what a stranger wrote.
  bool parse_special_tokens = false;
};

/// Whether the names of tokens that stand for no text (control and unused ones) are part of the text.
enum class ControlTokens { kHidden, kShown };

/// Text to token ids and back, as a GGUF file's tokenizer.ggml keys say. Ids are from 0 to vocabulary_size()
/// - 1. Encoding and decoding may be done by several threads at once. Move-only; docs/tokenizers.md tells the
/// rules.
class Tokenizer {
 public:
  /// SentencePiece, and byte-level BPE after the pre-tokenizers of Llama 3, Qwen 2 and GPT-2. Nothing of
  /// `files` is needed afterwards. Fails with kBadInput naming the file, the key and the token: a kind or
  /// pre-tokenizer that is not known, keys missing or of the wrong type, arrays of different lengths, a
  /// vocabulary without tokens, with one twice, with another size than the embedding table or without a token
  /// for each byte, scores that are not finite, merges that name no tokens, ids outside the vocabulary.
  static Result<Tokenizer> from_gguf(const GgufFiles& files);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  TokenizerKind kind() const;
  /// The name of the pre-tokenizer in the file ("llama-bpe"); empty for SentencePiece.
  std::string_view pre_tokenizer() const;
  std::uint32_t vocabulary_size() const;

  /// The tokens of `text`, which may be any bytes. User-defined tokens are found in any text, control tokens
  /// where `options` say so; of several that begin at one place the longest. Where the file says
  /// add_space_prefix, a space is put before text at the beginning and after a control token. Fails with
  /// kBadInput where the text is longer than kLongestEncodedText.
  Result<std::vector<std::uint32_t>> encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// The bytes that the tokens stand for, without the space that encode puts before a text: decode(encode(x))
  /// is x, but for U+2581, which SentencePiece takes for a space. Bytes need not be UTF-8 where a model has
  /// chosen the tokens; TextStream makes them so. An unknown token, and an id outside the vocabulary, is
  /// U+FFFD.
  std::string decode(std::span<const std::uint32_t> ids,
                     ControlTokens control = ControlTokens::kHidden) const;

  /// What one token stands for by itself, of any kind: " the", one byte, "<s>".
  std::string piece(std::uint32_t id) const;

  /// The token that texts begin with, that they end with; nothing where the file names none.
  std::optional<std::uint32_t> bos() const;
  std::optional<std::uint32_t> eos() const;
  /// Whether a model that chooses this token has ended its answer: the file's eos, eot and eom tokens, and
  /// control tokens by the names that Llama 3 and Qwen give to theirs, as files often name but one.
  bool is_end_of_generation(std::uint32_t id) const;

 private:
  friend class TextStream;
  struct Parts;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);

  /// Appends to `text` what `id` adds to it. `at_start`: whether a text begins here.
  void append_text(std::uint32_t id, ControlTokens control, bool& at_start, std::string& text) const;

  std::unique_ptr<const Parts> parts_;
};

}  // namespace spanker
