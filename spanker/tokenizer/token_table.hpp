#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_files.hpp"

// Internal to this module.
namespace spanker {

/// What a token is for, numbered as in files (llama.h of llama.cpp, enum llama_token_type).
enum class TokenKind : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,      ///< stands for what no token can
  kControl = 3,      ///< no text: where a text begins, where an answer ends
  kUserDefined = 4,  ///< taken out of text before all else
  kUnused = 5,
  kByte = 6,  ///< named <0x00> to <0xFF>
};

/// The tokens of a file, by id. The names lie in the file's bytes.
struct TokenTable {
  std::string file;
  std::vector<std::string_view> names;
  std::vector<TokenKind> kinds;
};

/// Of the keys tokenizer.ggml.tokens and tokenizer.ggml.token_type. Fails with kBadInput naming the key and
/// the token where there are no tokens or more than 2^31 - 1, one is empty or there twice, or its type
/// unknown; where there are not as many types as tokens, or not as many tokens as rows of token_embd.weight.
Result<TokenTable> read_token_table(const GgufFiles& files);

/// "FILE: tokenizer.ggml.KEY", for errors.
std::string at_key(const TokenTable& table, std::string_view key);
/// "FILE: tokenizer.ggml.tokens[ID]", for errors.
std::string at_token(const TokenTable& table, std::size_t id);

/// The byte that "<0x41>" names, with hexadecimal digits in upper case; -1 where it names none.
int byte_of_name(std::string_view name);

/// The ids of the tokens that are of `kind` and whose text is one byte, by that byte. Fails with kBadInput
/// where there is none for one of the 256.
Result<std::array<std::uint32_t, 256>> byte_tokens(const TokenTable& table,
                                                   const std::vector<std::string>& texts, TokenKind kind);

}  // namespace spanker
