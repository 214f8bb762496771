#include "spanker/tokenizer/special_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace spanker {
namespace {

// tokenizer_config.json of meta-llama/Llama-3.1-8B-Instruct and Qwen/Qwen2.5-7B-Instruct.
constexpr std::string_view kEndNames[] = {"<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>",
                                          "<|im_end|>"};

Result<std::optional<std::uint32_t>> read_id(const GgufFile& file, const TokenTable& table,
                                             std::string_view name) {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
  if (file.find(key) == nullptr) return std::nullopt;
  const auto id = file.uint32(key);
  if (!id) return tl::unexpected(id.error());
  if (*id >= table.names.size()) {
    return bad_input(fmt::format("{}: {}", file.name(), key), "token id is outside the vocabulary",
                     fmt::format("below {}", table.names.size()), std::to_string(*id));
  }
  return *id;
}

/// Whether the token `name` is put beside a text.
Result<bool> read_adds(const GgufFile& file, std::string_view name, bool exists, bool by_default) {
  const std::string key = fmt::format("tokenizer.ggml.add_{}_token", name);
  const auto adds = boolean_or(file, key, exists && by_default);
  if (adds && *adds && !exists) {
    return bad_input(fmt::format("{}: {}", file.name(), key), "the file names no such token",
                     fmt::format("tokenizer.ggml.{}_token_id", name));
  }
  return adds;
}

}  // namespace

Result<bool> boolean_or(const GgufFile& file, std::string_view key, bool fallback) {
  return file.find(key) == nullptr ? fallback : file.boolean(key);
}

Result<SpecialIds> read_special_ids(const GgufFile& file, const TokenTable& table, bool adds_bos_by_default) {
  SpecialIds ids;
  std::vector<std::uint32_t>& ends = ids.end_of_generation;
  for (const std::string_view name : {"bos", "eos", "eot", "eom"}) {
    const auto id = read_id(file, table, name);
    if (!id) return tl::unexpected(id.error());
    if (name == "bos") {
      ids.bos = *id;
    } else if (*id) {
      ends.push_back(**id);
    }
    if (name == "eos") ids.eos = *id;
  }
  for (std::uint32_t id = 0; id < table.names.size(); ++id) {
    const bool special = table.kinds[id] == TokenKind::kControl || table.kinds[id] == TokenKind::kUserDefined;
    if (special && std::ranges::count(kEndNames, table.names[id]) > 0) ends.push_back(id);
  }
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());

  const auto adds_bos = read_adds(file, "bos", ids.bos.has_value(), adds_bos_by_default);
  if (!adds_bos) return tl::unexpected(adds_bos.error());
  const auto adds_eos = read_adds(file, "eos", ids.eos.has_value(), false);
  if (!adds_eos) return tl::unexpected(adds_eos.error());
  ids.adds_bos = *adds_bos;
  ids.adds_eos = *adds_eos;
  return ids;
}

}  // namespace spanker
