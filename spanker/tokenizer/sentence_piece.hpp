#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/tokenizer/text_encoder.hpp"
#include "spanker/tokenizer/token_table.hpp"

// Internal to this module.
namespace spanker {

/// What each token prints: its name with U+2581 as a space, the byte of a byte token, the name as it is of
/// one that stands for no text. Fails with kBadInput where a byte token names no byte.
Result<std::vector<std::string>> sentence_piece_texts(const TokenTable& table);

/// The byte-pair encoding of SentencePiece, as Llama 2 and Mistral use it: characters are joined while a
/// joined piece is a token, that of the highest tokenizer.ggml.scores first, the leftmost of equals; what is
/// no token in the end becomes bytes. No space is put before the text, and none is dropped. Bytes that are
/// not UTF-8 become byte tokens; U+2581 is taken for a space.
///
/// Fails with kBadInput where there are not as many scores as tokens, one is not finite, a byte has no token
/// or there is not exactly one unknown token.
Result<std::unique_ptr<TextEncoder>> make_sentence_piece(const GgufFile& file, const TokenTable& table,
                                                         const std::vector<std::string>& texts);

}  // namespace spanker
