#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/tokenizer/tokenizer.hpp"

namespace spanker::testing {

inline Result<Tokenizer> load_tokenizer(const std::string& gguf_bytes) {
  auto file = GgufFile::parse(std::as_bytes(std::span(gguf_bytes)), "test.gguf");
  if (!file) return tl::unexpected(file.error());
  std::vector<GgufFile> parts;
  parts.push_back(std::move(*file));
  return GgufFiles::join(std::move(parts)).and_then(&Tokenizer::from_gguf);
}

/// The tokenizer keys of a file, to be spoilt; what is empty is not written.
struct TokenizerFile {
  std::string model, pre;
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;
  std::vector<std::pair<std::string, std::uint32_t>> ids;  ///< by key, without "tokenizer.ggml."
  std::vector<std::pair<std::string, bool>> flags;
  std::optional<std::uint32_t> embedding_rows;

  std::uint32_t add(std::string token, std::int32_t type, float score = 0) {
    tokens.push_back(std::move(token));
    types.push_back(type);
    if (model == "llama") scores.push_back(score);
    return static_cast<std::uint32_t>(tokens.size() - 1);
  }

  std::string bytes() const {
    const std::string prefix = "tokenizer.ggml.";
    GgufWriter writer;
    if (!model.empty()) writer.put_string(prefix + "model", model);
    if (!pre.empty()) writer.put_string(prefix + "pre", pre);
    writer.put_strings(prefix + "tokens", tokens);
    if (!types.empty()) writer.put_int32s(prefix + "token_type", types);
    if (!scores.empty()) writer.put_float32s(prefix + "scores", scores);
    if (model == "gpt2") writer.put_strings(prefix + "merges", merges);
    for (const auto& [key, id] : ids) writer.put_uint32(prefix + key, id);
    for (const auto& [key, flag] : flags) writer.put_bool(prefix + key, flag);
    if (!embedding_rows) return writer.header();
    writer.put_tensor("token_embd.weight", Tensor{TensorType::kF32, 1, *embedding_rows, 1});
    std::string bytes = writer.header();
    bytes.resize(writer.file_bytes());
    return bytes;
  }

  Result<Tokenizer> load() const { return load_tokenizer(bytes()); }
};

/// <unk>, <s>, </s>, the bytes as tokens 3 to 258, then U+2581.
inline TokenizerFile sentence_piece_file() {
  TokenizerFile file;
  file.model = "llama";
  file.add("<unk>", 2);
  file.add("<s>", 3);
  file.add("</s>", 3);
  for (int byte = 0; byte < 256; ++byte) file.add(fmt::format("<0x{:02X}>", byte), 6);
  file.add("\u2581", 1, -1000);
  file.ids = {{"bos_token_id", 1}, {"eos_token_id", 2}, {"unknown_token_id", 0}};
  return file;
}

/// GPT-2's character for a byte.
inline std::string visible_byte(int byte) {
  int code = byte;
  if (byte < 0x21) code = 0x100 + byte;
  if (byte >= 0x7F && byte <= 0xA0) code = 0x121 + byte - 0x7F;
  if (byte == 0xAD) code = 0x143;
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 + code / 64), static_cast<char>(0x80 + code % 64)};
}

inline std::string visible_bytes(std::string_view text) {
  std::string out;
  for (const char c : text) out += visible_byte(static_cast<unsigned char>(c));
  return out;
}

/// The bytes as tokens 0 to 255.
inline TokenizerFile byte_pair_file(std::string pre) {
  TokenizerFile file;
  file.model = "gpt2";
  file.pre = std::move(pre);
  for (int byte = 0; byte < 256; ++byte) file.add(visible_byte(byte), 1);
  return file;
}

inline std::size_t pick(SplitMix64& random, std::size_t count) { return random.next() % count; }

/// `length` of the `choices`, one after the other.
inline std::string random_text(SplitMix64& random, std::size_t length,
                               std::span<const std::string_view> choices) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += choices[pick(random, choices.size())];
  return text;
}

}  // namespace spanker::testing
