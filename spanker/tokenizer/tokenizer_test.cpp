#include "spanker/tokenizer/tokenizer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/model/preset.hpp"
#include "spanker/model/synth.hpp"
#include "spanker/tokenizer/text_stream.hpp"
#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace spanker {
namespace {

using testing::byte_pair_file;
using testing::sentence_piece_file;
using testing::TokenizerFile;

void expect_refused(const TokenizerFile& file, std::string_view line) {
  const auto tokenizer = file.load();
  ASSERT_FALSE(tokenizer) << "wanted: " << line;
  EXPECT_EQ(tokenizer.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(tokenizer.error()), line);
}

TEST(Tokenizer, TellsWhatTheFileSays) {
  TokenizerFile file = byte_pair_file("llama-bpe");
  const std::uint32_t begin = file.add("<|begin_of_text|>", 3);
  const std::uint32_t end = file.add("<|end_of_text|>", 3);
  const std::uint32_t turn = file.add("<|eot_id|>", 3);
  const std::uint32_t other = file.add("<|other|>", 3);
  file.ids = {{"bos_token_id", begin}, {"eos_token_id", end}, {"eom_token_id", other}};
  const Tokenizer tokenizer = file.load().value();
  EXPECT_EQ(tokenizer.kind(), TokenizerKind::kByteLevelBytePair);
  EXPECT_EQ(to_string(tokenizer.kind()), "byte-level BPE");
  EXPECT_EQ(tokenizer.pre_tokenizer(), "llama-bpe");
  EXPECT_EQ(tokenizer.vocabulary_size(), 260u);
  EXPECT_EQ(tokenizer.bos(), begin);
  EXPECT_EQ(tokenizer.eos(), end);
  EXPECT_FALSE(tokenizer.is_end_of_generation(begin));
  EXPECT_TRUE(tokenizer.is_end_of_generation(end));
  EXPECT_TRUE(tokenizer.is_end_of_generation(turn)) << "by its name alone";
  EXPECT_TRUE(tokenizer.is_end_of_generation(other)) << "by its key alone";
  EXPECT_FALSE(tokenizer.is_end_of_generation(0));

  const Tokenizer pieces = sentence_piece_file().load().value();
  EXPECT_EQ(pieces.kind(), TokenizerKind::kSentencePiece);
  EXPECT_EQ(to_string(pieces.kind()), "SentencePiece");
  EXPECT_EQ(pieces.pre_tokenizer(), "");
  TokenizerFile nameless = sentence_piece_file();
  nameless.ids = {};
  EXPECT_EQ(nameless.load().value().bos(), std::nullopt);
  EXPECT_EQ(nameless.load().value().eos(), std::nullopt);
}

TEST(Tokenizer, IsNotEndedByTextThatLooksLikeAnEnd) {
  TokenizerFile file = byte_pair_file("qwen2");
  const std::uint32_t text = file.add("<|im_end|>", 1);
  EXPECT_FALSE(file.load().value().is_end_of_generation(text));
}

TEST(Tokenizer, RefusesUnknownKinds) {
  TokenizerFile file = sentence_piece_file();
  file.model = "bert";
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.model: unknown kind of tokenizer, wanted llama (SentencePiece) or gpt2 "
      "(byte-level BPE), got bert");
  file.model = "";
  EXPECT_EQ(file.load().error().where, "test.gguf: tokenizer.ggml.model");
  expect_refused(
      byte_pair_file("tekken"),
      "test.gguf: tokenizer.ggml.pre: unknown pre-tokenizer, wanted one of llama-bpe, llama3, llama-v3, "
      "qwen2, deepseek-r1-qwen, gpt-2, got tekken");
  EXPECT_EQ(byte_pair_file("").load().error().where, "test.gguf: tokenizer.ggml.pre");
}

TEST(Tokenizer, RefusesVocabulariesThatAreNone) {
  TokenizerFile file;
  file.model = "llama";
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.tokens: not a usable vocabulary, wanted 1 to 2147483647 tokens, got 0");
  file = sentence_piece_file();
  file.add("", 1);
  expect_refused(file, "test.gguf: tokenizer.ggml.tokens[260]: token is empty");
  file.tokens.back() = "<0x41>";
  expect_refused(file, "test.gguf: tokenizer.ggml.tokens[260]: token is there twice, as 68 too, got <0x41>");
  file = sentence_piece_file();
  file.tokens[68] = "A";
  expect_refused(
      file, "test.gguf: tokenizer.ggml.tokens[68]: byte token names no byte, wanted <0x00> to <0xFF>, got A");
  file.types[68] = 1;
  expect_refused(file, "test.gguf: tokenizer.ggml.tokens: no token for byte 0x41, wanted one for each byte");
  file = byte_pair_file("qwen2");
  file.types[7] = 3;
  expect_refused(file, "test.gguf: tokenizer.ggml.tokens: no token for byte 0x07, wanted one for each byte");
}

TEST(Tokenizer, RefusesAVocabularyOfAnotherSizeThanTheEmbeddingTable) {
  TokenizerFile file = sentence_piece_file();
  file.embedding_rows = 260;
  EXPECT_TRUE(file.load());
  file.embedding_rows = 300;
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.tokens: not one token for each row of token_embd.weight, wanted 300, got "
      "260");
}

TEST(Tokenizer, RefusesTypesAndScoresThatDoNotFit) {
  TokenizerFile file = sentence_piece_file();
  file.types.pop_back();
  expect_refused(file,
                 "test.gguf: tokenizer.ggml.token_type: not one type for each token, wanted 260, got 259");
  for (const std::int32_t type : {-1, 0, 7}) {
    file = sentence_piece_file();
    file.types[5] = type;
    expect_refused(file,
                   "test.gguf: tokenizer.ggml.token_type[5]: unknown type of token, wanted 1 to 6, got " +
                       std::to_string(type));
  }
  file = sentence_piece_file();
  file.types = {};
  EXPECT_EQ(file.load().error().where, "test.gguf: tokenizer.ggml.token_type");
  for (const std::int32_t type : {2, 1}) {
    file = sentence_piece_file();
    file.types[0] = type;
    file.types[1] = type;
    expect_refused(file,
                   "test.gguf: tokenizer.ggml.token_type: wrong number of unknown tokens, wanted 1, got " +
                       std::to_string(type == 2 ? 2 : 0));
  }
  file = sentence_piece_file();
  file.scores.push_back(0);
  expect_refused(file, "test.gguf: tokenizer.ggml.scores: not one score for each token, wanted 260, got 261");
  file = sentence_piece_file();
  file.scores[9] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(file,
                 "test.gguf: tokenizer.ggml.scores[9]: score is not finite, wanted a finite number, got nan");
  file.scores[9] = -std::numeric_limits<float>::infinity();
  EXPECT_FALSE(file.load());
  file.scores = {};
  EXPECT_EQ(file.load().error().where, "test.gguf: tokenizer.ggml.scores");
}

TEST(Tokenizer, RefusesByteLevelTokensOutsideTheirAlphabet) {
  TokenizerFile file = byte_pair_file("qwen2");
  file.add("a b", 1);
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.tokens[256]: token has a character that stands for no byte, wanted the "
      "alphabet of byte-level BPE, got a b");
  file.tokens.back() = "a\xff";
  EXPECT_FALSE(file.load());
  file.tokens.back() = "\u0144";  // one past the last
  EXPECT_FALSE(file.load());
  file.tokens.back() = "<0x41>";
  file.types.back() = 6;
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.tokens[256]: byte-level BPE has no byte tokens, wanted another type of "
      "token, got <0x41>");
}

TEST(Tokenizer, RefusesMergesThatAreNone) {
  TokenizerFile file = byte_pair_file("qwen2");
  file.add("ab", 1);
  for (const char* merge : {"", " ", "ab", "a ", " b", "a b c", "a  b"}) {
    file.merges = {"a b", merge};
    const std::string got = merge[0] == '\0' ? "" : std::string(", got ") + merge;
    expect_refused(
        file,
        "test.gguf: tokenizer.ggml.merges[1]: merge is not of two parts, wanted LEFT RIGHT, with one space" +
            got);
  }
  for (const char* merge : {"abc b", "b abc", "a \u0144", "\xff b"}) {
    file.merges = {"a b", merge};
    EXPECT_EQ(file.load().error().where, "test.gguf: tokenizer.ggml.merges[1]");
    EXPECT_EQ(file.load().error().what, "part of a merge is no token");
  }
  file.merges = {"b a"};
  expect_refused(
      file,
      "test.gguf: tokenizer.ggml.merges[0]: merge makes no token, wanted two parts that joined are a normal "
      "token, got b a");
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  for (const std::string name : {"bos", "eos", "eot", "eom"}) {
    TokenizerFile file = sentence_piece_file();
    file.ids = {{name + "_token_id", 260}};
    expect_refused(file, "test.gguf: tokenizer.ggml." + name +
                             "_token_id: token id is outside the vocabulary, wanted below 260, got 260");
  }
  for (const std::string name : {"bos", "eos"}) {
    TokenizerFile file = sentence_piece_file();
    file.ids = {};
    file.flags = {{"add_" + name + "_token", true}};
    expect_refused(file, "test.gguf: tokenizer.ggml.add_" + name +
                             "_token: the file names no such token, wanted tokenizer.ggml." + name +
                             "_token_id");
  }
}

TEST(Tokenizer, RefusesKeysOfTheWrongType) {
  for (const char* key : {"bos_token_id", "add_bos_token", "add_eos_token", "add_space_prefix"}) {
    TokenizerFile file = sentence_piece_file();
    const bool is_id = std::string_view(key).ends_with("id");
    file.ids = {};
    if (is_id) {
      file.flags = {{key, true}};
    } else {
      file.ids = {{key, 1}};
    }
    EXPECT_EQ(file.load().error().where, "test.gguf: tokenizer.ggml." + std::string(key));
  }
}

/// A file of `write_synthetic_gguf`, as short as its vocabulary allows.
Tokenizer synthetic(Architecture architecture, std::uint32_t vocabulary) {
  const ModelShape shape{architecture, 1, 32, 32, 1, 1, 32, vocabulary, 128, 1e-5, 10000, true};
  const Model model = make_model("small", shape, TensorType::kQ4_0).value();
  const std::string path = ::testing::TempDir() + "spanker_tokenizer_" + std::to_string(getpid()) + ".gguf";
  EXPECT_TRUE(write_synthetic_gguf(model, 1, path, [](Bytes, Bytes) { return true; }));
  const auto files = GgufFiles::open(path);
  auto tokenizer = files ? Tokenizer::from_gguf(*files) : tl::unexpected(files.error());
  std::remove(path.c_str());
  EXPECT_TRUE(tokenizer) << to_line(tokenizer.error());
  return std::move(*tokenizer);
}

TEST(Tokenizer, OfSyntheticFilesWorksFromEndToEnd) {
  struct Case {
    Architecture architecture;
    std::uint32_t vocabulary;  // as of TinyLlama, Llama 3, Qwen 2.5
    std::string_view pre;
    std::uint32_t bos, eos;
    bool adds_bos;
  };
  for (const Case& c : {Case{Architecture::kLlama, 32000, "", 1, 2, true},
                        Case{Architecture::kLlama, 128256, "llama-bpe", 128000, 128001, true},
                        Case{Architecture::kQwen2, 151936, "qwen2", 151643, 151645, false}}) {
    SCOPED_TRACE(c.vocabulary);
    const Tokenizer tokenizer = synthetic(c.architecture, c.vocabulary);
    EXPECT_EQ(tokenizer.vocabulary_size(), c.vocabulary);
    EXPECT_EQ(tokenizer.pre_tokenizer(), c.pre);
    EXPECT_EQ(tokenizer.bos(), c.bos);
    EXPECT_EQ(tokenizer.eos(), c.eos);
    EXPECT_TRUE(tokenizer.is_end_of_generation(c.eos));

    const std::string text =
        "The people of every attention layer have one question: 1234\n\u4e2d\u6587 \U0001F600?";
    const auto ids = tokenizer.encode(text).value();
    EXPECT_EQ(ids.front() == c.bos, c.adds_bos);
    EXPECT_EQ(tokenizer.decode(ids), text);
    TextStream stream(tokenizer);
    std::string streamed;
    for (const std::uint32_t id : ids) streamed += stream.push(id);
    EXPECT_EQ(streamed + stream.finish(), text);
    // Common words are one token each, spaces included.
    EXPECT_EQ(tokenizer.encode("x people of every attention layer", {.add_special_tokens = false})->size(),
              6u);
  }
}

}  // namespace
}  // namespace spanker
