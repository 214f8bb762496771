// tokenizer_fuzz_seeds FOLDER: writes the inputs that tokenizer_fuzz starts from: small files of each kind of
// tokenizer and with each pre-tokenizer, and a text behind them.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "spanker/tokenizer/tokenizer_for_test.hpp"

namespace {

using spanker::testing::TokenizerFile;

constexpr std::string_view kText =
    "TEXT abab's 1234  ab,\n\n<|im_start|>a<think>\u4e2d\u6587 \U0001F600<s> \xff\xe4\xb8";

TokenizerFile sentence_piece() {
  TokenizerFile file = spanker::testing::sentence_piece_file();
  for (const char* piece : {"a", "b", "\u2581a", "ab", "\u2581ab"}) file.add(piece, 1, -1);
  file.add("<think>", 4);
  file.flags = {{"add_bos_token", true}, {"add_eos_token", true}, {"add_space_prefix", true}};
  return file;
}

TokenizerFile byte_pairs(std::string pre) {
  TokenizerFile file = spanker::testing::byte_pair_file(std::move(pre));
  for (const char* piece : {"ab", "\u0120ab", "abab"}) file.add(piece, 1);
  file.merges = {"a b", "\u0120 ab", "ab ab"};
  const std::uint32_t start = file.add("<|im_start|>", 3);
  file.add("<think>", 4);
  file.add("<pad>", 5);
  file.ids = {{"bos_token_id", start}, {"eos_token_id", start}, {"eot_token_id", start}};
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: tokenizer_fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const auto write = [&](const std::string& name, const TokenizerFile& file) {
    return static_cast<bool>(std::ofstream(folder / name, std::ios::binary)
                             << file.bytes() << kText << std::flush);
  };
  bool written = write("sentence_piece", sentence_piece());
  for (const char* pre : {"llama-bpe", "qwen2", "gpt-2"}) written = written && write(pre, byte_pairs(pre));
  if (!written) {
    std::fputs("tokenizer_fuzz_seeds: cannot write\n", stderr);
    return 1;
  }
}
