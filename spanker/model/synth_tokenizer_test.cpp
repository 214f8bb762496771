#include "spanker/model/synth_tokenizer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

/// What a reader of the file gets, and the plainest encoders of both kinds.
class Tokenizer {
 public:
  explicit Tokenizer(const Model& model) {
    GgufWriter writer;
    const auto put = put_synthetic_tokenizer(writer, model);
    EXPECT_TRUE(put) << to_line(put.error());
    bytes_ = writer.header();
    const GgufFile file = GgufFile::parse(std::as_bytes(std::span(bytes_)), "tokenizer.gguf").value();
    kind = file.string("tokenizer.ggml.model").value();
    pre = file.string("tokenizer.ggml.pre").value();
    const std::vector<std::string_view> stored = file.strings("tokenizer.ggml.tokens").value();
    tokens.assign(stored.begin(), stored.end());
    for (const std::string& token : tokens) ids_.emplace(token, ids_.size());
    types = file.integers("tokenizer.ggml.token_type").value();
    bos = file.uint32("tokenizer.ggml.bos_token_id").value();
    eos = file.uint32("tokenizer.ggml.eos_token_id").value();
    add_bos = file.boolean("tokenizer.ggml.add_bos_token").value();
    if (kind == "llama") {
      scores = file.floats("tokenizer.ggml.scores").value();
      unknown = file.uint32("tokenizer.ggml.unknown_token_id").value();
      EXPECT_TRUE(file.boolean("tokenizer.ggml.add_space_prefix").value());
    } else {
      const std::vector<std::string_view> pairs = file.strings("tokenizer.ggml.merges").value();
      merges.assign(pairs.begin(), pairs.end());
      for (const std::string& merge : merges) ranks_.emplace(merge, ranks_.size());
    }
  }

  bool knows(const std::string& token) const { return ids_.contains(token); }

  std::vector<std::size_t> encode(const std::string& text) const {
    return kind == "llama" ? encode_sentencepiece(text) : encode_byte_pairs(text);
  }

  std::string decode(const std::vector<std::size_t>& ids) const {
    std::string text;
    for (const std::size_t id : ids) {
      if (types[id] == 6) {
        text += static_cast<char>(std::stoi(tokens[id].substr(3, 2), nullptr, 16));
      } else {
        for (const std::string& character : characters(tokens[id])) {
          if (kind == "llama") {
            text += character == "\u2581" ? " " : character;
          } else {
            for (int byte = 0; byte < 256; ++byte) {
              if (visible(byte) == character) text += static_cast<char>(byte);
            }
          }
        }
      }
    }
    return kind == "llama" ? text.substr(1) : text;
  }

  std::string kind, pre;
  std::vector<std::string> tokens;
  std::vector<std::int64_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;
  std::uint32_t bos, eos, unknown = 0;
  bool add_bos;

 private:
  /// The characters of UTF-8; a byte that belongs to none is one of its own.
  static std::vector<std::string> characters(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
      const auto lead = static_cast<unsigned char>(text[at]);
      std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
      for (std::size_t i = 1; i < size; ++i) {
        if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) size = 1;
      }
      out.push_back(text.substr(at, size));
      at += size;
    }
    return out;
  }

  /// GPT-2's character for a byte.
  static std::string visible(int byte) {
    int code = byte;
    if (byte < 0x21) code = 0x100 + byte;
    if (byte >= 0x7F && byte <= 0xA0) code = 0x121 + byte - 0x7F;
    if (byte == 0xAD) code = 0x143;
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0 + code / 64), static_cast<char>(0x80 + code % 64)};
  }

  /// Joins the pair for which `worth` is greatest, the first of equals, until it is minus infinity for all.
  template <class Worth>
  static void merge_all(std::vector<std::string>& symbols, Worth worth) {
    for (;;) {
      double best = -1e30;
      std::size_t best_at = 0;
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        const double value = worth(symbols[i], symbols[i + 1]);
        if (value > best) {
          best = value;
          best_at = i;
        }
      }
      if (best == -1e30) return;
      symbols[best_at] += symbols[best_at + 1];
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
    }
  }

  std::vector<std::size_t> encode_sentencepiece(const std::string& text) const {
    std::vector<std::string> symbols = {"\u2581"};
    for (const std::string& character : characters(text)) {
      symbols.push_back(character == " " ? "\u2581" : character);
    }
    merge_all(symbols, [&](const std::string& left, const std::string& right) {
      const auto found = ids_.find(left + right);
      return found == ids_.end() || types[found->second] != 1 ? -1e30 : double{scores[found->second]};
    });
    std::vector<std::size_t> ids;
    for (const std::string& symbol : symbols) {
      if (const auto found = ids_.find(symbol); found != ids_.end()) {
        ids.push_back(found->second);
      } else {
        for (const char c : symbol) ids.push_back(3u + static_cast<unsigned char>(c));
      }
    }
    return ids;
  }

  std::vector<std::size_t> encode_byte_pairs(const std::string& text) const {
    std::vector<std::string> symbols;
    for (const char c : text) symbols.push_back(visible(static_cast<unsigned char>(c)));
    merge_all(symbols, [&](const std::string& left, const std::string& right) {
      const auto found = ranks_.find(left + " " + right);
      return found == ranks_.end() ? -1e30 : -static_cast<double>(found->second);
    });
    std::vector<std::size_t> ids;
    for (const std::string& symbol : symbols) ids.push_back(ids_.at(symbol));
    return ids;
  }

  std::string bytes_;
  std::map<std::string, std::size_t> ids_;
  std::map<std::string, std::size_t> ranks_;
};

Model preset(const char* name) {
  return make_model(name, find_preset(name)->shape, TensorType::kF16).value();
}

Model with_vocabulary(Architecture architecture, std::uint32_t size) {
  const ModelShape shape{architecture, 1, 32, 32, 1, 1, 32, size, 128, 1e-5, 10000, true};
  return make_model("small", shape, TensorType::kF16).value();
}

void expect_unique_and_complete(const Tokenizer& tokenizer, const Model& model) {
  const std::uint32_t size = model.shape.vocab_size;
  ASSERT_EQ(tokenizer.tokens.size(), size);
  EXPECT_EQ(tokenizer.types.size(), size);
  EXPECT_EQ(std::set<std::string>(tokenizer.tokens.begin(), tokenizer.tokens.end()).size(), size);
}

void expect_round_trips(const Tokenizer& tokenizer) {
  SplitMix64 random(7);
  std::vector<std::string> texts = {"",
                                    " ",
                                    "  two  spaces  ",
                                    "The answer to the question is 42, isn't it?\n\ttab",
                                    "Gr\u00f6\u00dfe \u4e2d\u6587 \U0001F600",
                                    std::string("\0\xff\xfe\x80", 4),
                                    "<s></s><unk><0x41><|endoftext|>"};
  for (std::size_t length = 1; length <= 64; ++length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(random.next() >> 56);
    texts.push_back(text);
    for (char& c : text) c = static_cast<char>("abetr his"[static_cast<unsigned char>(c) % 9]);
    texts.push_back(text);
  }
  for (const std::string& text : texts) EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(SynthTokenizer, OfALlamaIsSentencePiece) {
  for (const char* name : {"tinyllama-1.1b", "mistral-7b"}) {
    const Model model = preset(name);
    const Tokenizer tokenizer(model);
    expect_unique_and_complete(tokenizer, model);
    EXPECT_EQ(tokenizer.kind, "llama");
    EXPECT_EQ(tokenizer.scores.size(), 32000u);
    EXPECT_EQ(tokenizer.tokens[tokenizer.unknown], "<unk>");
    EXPECT_EQ(tokenizer.tokens[tokenizer.bos], "<s>");
    EXPECT_EQ(tokenizer.tokens[tokenizer.eos], "</s>");
    EXPECT_TRUE(tokenizer.add_bos);
    EXPECT_EQ(tokenizer.types[0], 2);
    EXPECT_EQ(tokenizer.types[1], 3);
    EXPECT_EQ(tokenizer.types[2], 3);
    EXPECT_EQ(tokenizer.tokens[3], "<0x00>");
    EXPECT_EQ(tokenizer.tokens[258], "<0xFF>");
    for (std::size_t id = 3; id < 259; ++id) EXPECT_EQ(tokenizer.types[id], 6);
    for (std::size_t id = 259; id < 32000; ++id) EXPECT_EQ(tokenizer.types[id], 1);
    for (std::size_t id = 260; id < 32000; ++id) EXPECT_LT(tokenizer.scores[id], tokenizer.scores[id - 1]);
  }
}

TEST(SynthTokenizer, EveryPieceIsMergedOfTwoEarlierOnes) {
  const Tokenizer tokenizer(preset("tinyllama-1.1b"));
  std::set<std::string> earlier = {"\u2581"};
  for (char c = '!'; c <= '~'; ++c) earlier.insert(std::string(1, c));
  for (const std::string& single : earlier) EXPECT_TRUE(tokenizer.knows(single)) << single;
  for (std::size_t id = 259 + earlier.size(); id < tokenizer.tokens.size(); ++id) {
    const std::string& piece = tokenizer.tokens[id];
    bool reached = false;
    for (std::size_t cut = 1; cut < piece.size(); ++cut) {
      reached |= earlier.contains(piece.substr(0, cut)) && earlier.contains(piece.substr(cut));
    }
    ASSERT_TRUE(reached) << piece;
    earlier.insert(piece);
  }
}

TEST(SynthTokenizer, EveryMergeJoinsEarlierTokensToTheNext) {
  for (const char* name : {"llama-3-8b", "qwen2.5-0.5b"}) {
    const Tokenizer tokenizer(preset(name));
    std::set<std::string> earlier(tokenizer.tokens.begin(), tokenizer.tokens.begin() + 256);
    for (std::size_t i = 0; i < tokenizer.merges.size(); ++i) {
      const std::string& merge = tokenizer.merges[i];
      const std::size_t space = merge.find(' ');
      ASSERT_NE(space, std::string::npos);
      const std::string left = merge.substr(0, space);
      const std::string right = merge.substr(space + 1);
      ASSERT_TRUE(earlier.contains(left) && earlier.contains(right)) << merge;
      ASSERT_EQ(tokenizer.tokens[256 + i], left + right);
      earlier.insert(left + right);
    }
  }
}

TEST(SynthTokenizer, OfALlama3HasItsIds) {
  const Model model = preset("llama-3-8b");
  const Tokenizer tokenizer(model);
  expect_unique_and_complete(tokenizer, model);
  EXPECT_EQ(tokenizer.kind, "gpt2");
  EXPECT_EQ(tokenizer.pre, "llama-bpe");
  EXPECT_EQ(tokenizer.merges.size(), 128000u - 256);
  EXPECT_EQ(tokenizer.tokens[0], "!");
  EXPECT_EQ(tokenizer.tokens[198], "\u010a");
  EXPECT_EQ(tokenizer.tokens[220], "\u0120");
  EXPECT_EQ(tokenizer.bos, 128000u);
  EXPECT_EQ(tokenizer.eos, 128001u);
  EXPECT_TRUE(tokenizer.add_bos);
  EXPECT_EQ(tokenizer.tokens[128000], "<|begin_of_text|>");
  EXPECT_EQ(tokenizer.tokens[128001], "<|end_of_text|>");
  EXPECT_EQ(tokenizer.tokens[128009], "<|eot_id|>");
  for (std::size_t id = 0; id < 128256; ++id) {
    EXPECT_EQ(tokenizer.types[id], id < 128000 ? 1 : id < 128010 ? 3 : 5) << id;
  }
}

TEST(SynthTokenizer, OfAQwenHasItsIds) {
  for (const char* name : {"qwen2.5-0.5b", "qwen2.5-7b", "qwen3-8b"}) {
    const Model model = preset(name);
    const Tokenizer tokenizer(model);
    expect_unique_and_complete(tokenizer, model);
    EXPECT_EQ(tokenizer.kind, "gpt2");
    EXPECT_EQ(tokenizer.pre, "qwen2");
    EXPECT_EQ(tokenizer.tokens[151643], "<|endoftext|>");
    EXPECT_EQ(tokenizer.tokens[151644], "<|im_start|>");
    EXPECT_EQ(tokenizer.tokens[151645], "<|im_end|>");
    EXPECT_EQ(tokenizer.bos, 151643u);
    EXPECT_EQ(tokenizer.eos, 151645u);
    EXPECT_FALSE(tokenizer.add_bos);
    EXPECT_EQ(tokenizer.types[151642], 1);
    EXPECT_EQ(tokenizer.types[151643], 3);
    EXPECT_EQ(tokenizer.types[151646], 5);
  }
}

TEST(SynthTokenizer, AnyBytesRoundTrip) {
  // But for U+2581 itself, which SentencePiece takes for a space.
  for (const char* name : {"tinyllama-1.1b", "llama-3-8b", "qwen2.5-0.5b"}) {
    SCOPED_TRACE(name);
    expect_round_trips(Tokenizer(preset(name)));
  }
  for (const auto& [architecture, size] : {std::pair{Architecture::kLlama, 260u},
                                           {Architecture::kLlama, 300u},
                                           {Architecture::kQwen3, 259u},
                                           {Architecture::kQwen2, 300u}}) {
    SCOPED_TRACE(size);
    const Model model = with_vocabulary(architecture, size);
    const Tokenizer tokenizer(model);
    expect_unique_and_complete(tokenizer, model);
    expect_round_trips(tokenizer);
  }
}

TEST(SynthTokenizer, CommonWordsAreOneToken) {
  for (const char* name : {"tinyllama-1.1b", "llama-3-8b"}) {
    const Tokenizer tokenizer(preset(name));
    const std::string text = "the people of every attention layer have one question";
    // The byte-level kind adds no space before the first word, and so cuts that one.
    const std::string start = tokenizer.kind == "llama" ? "" : " ";
    EXPECT_EQ(tokenizer.encode(start + text).size(), 9u);
  }
}

TEST(SynthTokenizer, NeedsRoomForAllBytes) {
  struct Case {
    Architecture architecture;
    std::uint32_t least;
  };
  for (const auto& [architecture, least] : {Case{Architecture::kLlama, 260}, {Architecture::kQwen2, 259}}) {
    GgufWriter writer;
    const auto put = put_synthetic_tokenizer(writer, with_vocabulary(architecture, least - 1));
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(put.error().where, "small: vocab_size");
    EXPECT_EQ(put.error().what, "too small for a tokenizer that knows all bytes");
    EXPECT_EQ(put.error().wanted, "at least " + std::to_string(least));
    EXPECT_EQ(put.error().got, std::to_string(least - 1));
  }
}

}  // namespace
}  // namespace spanker
