#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/tokenizer/token_table.hpp"

// Internal to this module.
namespace spanker {

/// The tokens with a part to play, and whether they are put around a text.
struct SpecialIds {
  std::optional<std::uint32_t> bos, eos;
  bool adds_bos = false;                         ///< only with a bos
  bool adds_eos = false;                         ///< only with an eos
  std::vector<std::uint32_t> end_of_generation;  ///< ascending, each once
};

/// Of the keys tokenizer.ggml.*_token_id and add_*_token. A file that does not say whether to add its bos
/// does so where `adds_bos_by_default`; none adds its eos without saying so. Fails with kBadInput naming the
/// key where an id is outside the vocabulary, or a token is to be added that the file does not name.
Result<SpecialIds> read_special_ids(const GgufFile& file, const TokenTable& table, bool adds_bos_by_default);

/// The key's value, `fallback` where there is no such key. Fails where it is of another type.
Result<bool> boolean_or(const GgufFile& file, std::string_view key, bool fallback);

}  // namespace spanker
