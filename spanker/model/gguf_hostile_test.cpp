#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "spanker/model/gguf.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

/// A whole valid file of one small layer, with a vocabulary; the last tensor fills its padding.
const std::string& valid_file() {
  static const std::string bytes = [] {
    const ModelShape shape{Architecture::kQwen3, 1, 32, 32, 2, 1, 16, 4, 8, 1e-6, 1e6, false};
    const Model model = make_model("tiny", shape, TensorType::kQ8_0).value();
    GgufWriter writer;
    put_model(writer, model);
    const std::string words[] = {"a", "b", "<0x00>", "\xE2\x96\x81"};
    const float scores[] = {0, -1, -2, -3};
    writer.put_strings("tokenizer.ggml.tokens", words);
    writer.put_float32s("tokenizer.ggml.scores", scores);
    writer.put_bool("tokenizer.ggml.add_bos_token", true);
    writer.put_tensor("rope_freqs.weight", {TensorType::kF32, 8, 1});
    std::string file = writer.header();
    file.resize(writer.file_bytes());
    return file;
  }();
  return bytes;
}

/// Reads as a caller would. Where that succeeds, everything lies inside the bytes; an error is one line of
/// bad input.
Result<Model> read(const std::string& bytes) {
  const auto span = std::as_bytes(std::span(bytes));
  const auto file = GgufFile::parse(span, "hostile.gguf");
  auto model = file.and_then(model_from_gguf);
  if (file) {
    for (const GgufTensor& tensor : file->tensors()) {
      const auto data = file->data(tensor);
      EXPECT_EQ(data.size(), tensor.bytes.value);
      EXPECT_GE(data.data(), span.data());
      EXPECT_LE(data.data() + data.size(), span.data() + span.size());
    }
  }
  if (model) {
    EXPECT_LE(weight_bytes(*model), Bytes(bytes.size()));
  } else {
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(model.error().where.starts_with("hostile.gguf")) << model.error().where;
    EXPECT_FALSE(model.error().what.empty());
    EXPECT_EQ(to_line(model.error()).find('\n'), std::string::npos);
  }
  return model;
}

TEST(HostileGguf, TheFileItselfIsValid) {
  const auto model = read(valid_file());
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_EQ(model->name, "tiny");
}

TEST(HostileGguf, EveryTruncationIsAnError) {
  const std::string& file = valid_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    // A string of exactly that length, so that a sanitizer sees a read past its end.
    const auto model = read(std::string(file.data(), length));
    ASSERT_FALSE(model) << "truncated to " << length << " of " << file.size();
  }
}

TEST(HostileGguf, AnySingleByteMayBeAnyValue) {
  std::string file = valid_file();
  const std::size_t header = file.find("rope_freqs.weight") + 64;
  for (std::size_t i = 0; i < header; ++i) {
    const char original = file[i];
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF, original ^ 1, original ^ 0x20}) {
      file[i] = static_cast<char>(value);
      read(file);
    }
    file[i] = original;
  }
}

RC_GTEST_PROP(HostileGguf, FlippedBits, ()) {
  std::string file = valid_file();
  const auto flips =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, file.size() * 8));
  for (const std::size_t bit : flips) file[bit / 8] = static_cast<char>(file[bit / 8] ^ (1 << bit % 8));
  read(file);
}

RC_GTEST_PROP(HostileGguf, OverwrittenNumbers, ()) {
  std::string file = valid_file();
  const auto at = *rc::gen::inRange<std::size_t>(4, file.size() - 8);
  const auto number = *rc::gen::element<std::uint64_t>(0, 1, 1ull << 31, 1ull << 32, 1ull << 61, 1ull << 63,
                                                       ~0ull, ~31ull, ~0ull - 7);
  for (int i = 0; i < 8; ++i)
    file[at + static_cast<std::size_t>(i)] = static_cast<char>(number >> (8 * i) & 0xFF);
  read(file);
}

RC_GTEST_PROP(HostileGguf, AnythingAfterTheHeader, (const std::vector<std::uint8_t>& garbage)) {
  std::string file = valid_file().substr(0, 24);
  file.append(garbage.begin(), garbage.end());
  RC_ASSERT(!read(file));
}

}  // namespace
}  // namespace spanker
