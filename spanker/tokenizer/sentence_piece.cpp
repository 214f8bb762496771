#include "spanker/tokenizer/sentence_piece.hpp"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "spanker/base/text.hpp"
#include "spanker/base/utf8.hpp"

namespace spanker {
namespace {

constexpr std::string_view kSpace = "\u2581";

std::string with_spaces(std::string_view name) {
  std::string text;
  for (std::size_t found = name.find(kSpace); found != std::string_view::npos; found = name.find(kSpace)) {
    text.append(name.substr(0, found)).append(" ");
    name.remove_prefix(found + kSpace.size());
  }
  return text.append(name);
}

/// Fields of a protocol buffer, for sentencepiece_model.proto of SentencePiece: its package has the library
/// that reads them, not the header that writes them.
class ProtoWriter {
 public:
  void put_number(std::uint32_t field, std::uint32_t value) {
    put_varint(field << 3);
    put_varint(value);
  }
  void put_float(std::uint32_t field, float value) {
    put_varint(field << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 0xFF);
  }
  void put_bytes(std::uint32_t field, std::string_view bytes) {
    put_varint(field << 3 | 2);
    put_varint(bytes.size());
    bytes_ += bytes;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

std::string model_proto(const TokenTable& table, const std::vector<float>& scores) {
  ProtoWriter model;
  for (std::size_t id = 0; id < table.names.size(); ++id) {
    // User-defined tokens are taken out of the text before it gets there; no text must become one.
    const TokenKind kind = table.kinds[id] == TokenKind::kUserDefined ? TokenKind::kControl : table.kinds[id];
    ProtoWriter piece;
    piece.put_bytes(1, table.names[id]);
    piece.put_float(2, scores[id]);
    piece.put_number(3, static_cast<std::uint32_t>(kind));  // the numbers of the file are SentencePiece's
    model.put_bytes(1, piece.bytes());
  }
  ProtoWriter trainer;
  constexpr std::uint32_t kBytePairEncoding = 2;
  trainer.put_number(3, kBytePairEncoding);  // model_type
  trainer.put_number(35, 1);                 // byte_fallback
  model.put_bytes(2, trainer.bytes());
  ProtoWriter normalizer;       // without a table of characters to replace
  normalizer.put_number(3, 0);  // add_dummy_prefix
  normalizer.put_number(4, 0);  // remove_extra_whitespaces
  normalizer.put_number(5, 1);  // escape_whitespaces
  model.put_bytes(3, normalizer.bytes());
  return model.bytes();
}

class SentencePiece : public TextEncoder {
 public:
  SentencePiece(std::unique_ptr<sentencepiece::SentencePieceProcessor> processor,
                const std::array<std::uint32_t, 256>& bytes)
      : processor_(std::move(processor)), bytes_(bytes) {}

  Result<void> encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    while (!text.empty()) {
      const std::string_view valid = text.substr(0, valid_utf8_length(text));
      std::vector<int> pieces;
      if (const auto status = processor_->Encode(valid, &pieces); !status.ok()) {
        return bad_input("text", "SentencePiece cannot encode it", "", status.ToString());
      }
      ids.insert(ids.end(), pieces.begin(), pieces.end());
      text.remove_prefix(valid.size());
      if (text.empty()) break;
      // SentencePiece would replace it.
      ids.push_back(bytes_[static_cast<std::uint8_t>(text.front())]);
      text.remove_prefix(1);
    }
    return {};
  }

 private:
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::array<std::uint32_t, 256> bytes_;
};

Result<std::vector<float>> read_scores(const GgufFile& file, const TokenTable& table) {
  auto scores = file.floats("tokenizer.ggml.scores");
  if (!scores) return scores;
  if (scores->size() != table.names.size()) {
    return bad_input(at_key(table, "scores"), "not one score for each token",
                     std::to_string(table.names.size()), std::to_string(scores->size()));
  }
  for (std::size_t id = 0; id < scores->size(); ++id) {
    if (!std::isfinite((*scores)[id])) {
      return bad_input(fmt::format("{}[{}]", at_key(table, "scores"), id), "score is not finite",
                       "a finite number", fmt::format("{}", (*scores)[id]));
    }
  }
  return scores;
}

}  // namespace

Result<std::vector<std::string>> sentence_piece_texts(const TokenTable& table) {
  std::vector<std::string> texts;
  texts.reserve(table.names.size());
  for (std::size_t id = 0; id < table.names.size(); ++id) {
    const std::string_view name = table.names[id];
    switch (table.kinds[id]) {
      case TokenKind::kNormal:
      case TokenKind::kUserDefined:
        texts.push_back(with_spaces(name));
        break;
      case TokenKind::kByte: {
        const int byte = byte_of_name(name);
        if (byte < 0) {
          return bad_input(at_token(table, id), "byte token names no byte", "<0x00> to <0xFF>",
                           escape_control(name));
        }
        texts.emplace_back(1, static_cast<char>(byte));
        break;
      }
      case TokenKind::kUnknown:
      case TokenKind::kControl:
      case TokenKind::kUnused:
        texts.emplace_back(name);
        break;
    }
  }
  return texts;
}

Result<std::unique_ptr<TextEncoder>> make_sentence_piece(const GgufFile& file, const TokenTable& table,
                                                         const std::vector<std::string>& texts) {
  const auto scores = read_scores(file, table);
  if (!scores) return tl::unexpected(scores.error());
  const auto bytes = byte_tokens(table, texts, TokenKind::kByte);
  if (!bytes) return tl::unexpected(bytes.error());
  if (const auto unknown = std::ranges::count(table.kinds, TokenKind::kUnknown); unknown != 1) {
    return bad_input(at_key(table, "token_type"), "wrong number of unknown tokens", "1",
                     std::to_string(unknown));
  }
  auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
  const auto status = processor->LoadFromSerializedProto(model_proto(table, *scores));
  if (!status.ok()) {
    return bad_input(at_key(table, "tokens"), "SentencePiece refuses the vocabulary", "", status.ToString());
  }
  return std::make_unique<SentencePiece>(std::move(processor), *bytes);
}

}  // namespace spanker
