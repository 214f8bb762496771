#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/tokenizer/pre_tokenizer.hpp"
#include "spanker/tokenizer/text_encoder.hpp"
#include "spanker/tokenizer/token_table.hpp"

// Internal to this module.
namespace spanker {

/// What each token prints: the bytes that its name spells (byte_characters.hpp), of a special or an unused
/// one the name as it is. Fails with kBadInput where a normal token has a character that stands for no byte,
/// and where there is a byte token.
Result<std::vector<std::string>> byte_pair_texts(const TokenTable& table);

/// Byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016, on bytes as in GPT-2): the pre-tokenizer
/// cuts the text into words, and in each the neighbours that stand earliest in tokenizer.ggml.merges are
/// joined, the leftmost of equals, until none stand there. A word of n bytes takes O(n log n).
///
/// `texts` must outlive the encoder. Fails with kBadInput where a byte has no token, where a merge is not two
/// parts with a space between, or where one of them, or both joined, are no normal token.
Result<std::unique_ptr<TextEncoder>> make_byte_pairs(const GgufFile& file, const TokenTable& table,
                                                     const std::vector<std::string>& texts,
                                                     const PreTokenizerRules& rules);

}  // namespace spanker
